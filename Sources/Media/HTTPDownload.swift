package import AsyncHTTPClient
import Foundation
import NIOCore
package import NIOHTTP1
import Scopes

/// Runs `body` with an HTTP client made for `url`, and ends the client.
///
/// Redirects are followed; HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured in either case; the
/// proxy must grant a tunnel (CONNECT), to port 80 too. A server that is silent for
/// two minutes counts as gone.
package func withHTTPClient<Value: Sendable>(
    for url: String, _ environment: [String: String], _ body: (HTTPClient) async throws -> Value
) async throws -> Value {
    var configuration = HTTPClient.Configuration(
        redirectConfiguration: .follow(max: 10, allowCycles: false),
        timeout: .init(connect: .seconds(30), read: .minutes(2)))
    configuration.httpVersion = .http1Only
    // Trying again is the caller's: the client would hide a refused connection until its timeout.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.proxy = proxy(for: url, environment)
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    let result: Result<Value, any Error>
    do { result = .success(try await body(client)) } catch { result = .failure(error) }
    // Awaited at once; a fresh task does not see our cancellation. A client that will not end leaks sockets, no more.
    await Task { try? await client.shutdown() }.value
    if Task.isCancelled { throw CancellationError() }
    return try result.get()
}

func isRemote(_ url: String) -> Bool {
    let lower = url.lowercased()
    return lower.hasPrefix("http://") || lower.hasPrefix("https://")
}

/// A request with the user and password of the URL, if any, moved into its header.
package func downloadRequest(_ url: String, method: HTTPMethod = .GET) throws -> HTTPClientRequest {
    guard var parts = URLComponents(string: withASCIIHost(url)), parts.host?.isEmpty == false else {
        throw Reason(text: "the URL is malformed")
    }
    let (user, password) = (parts.user, parts.password)
    (parts.user, parts.password) = (nil, nil)
    parts.fragment = nil
    var request = HTTPClientRequest(url: parts.string ?? url)
    request.method = method
    request.headers.add(name: "User-Agent", value: "ingot")
    request.headers.add(name: "Accept", value: "*/*")
    if let user { request.setBasicAuth(username: user, password: password ?? "") }
    return request
}

/// A URL as it may be shown: without its password.
package func withoutSecrets(_ url: String) -> String {
    guard isRemote(url), var parts = URLComponents(string: url), parts.password != nil else { return url }
    parts.password = "***"
    return parts.string ?? url
}

/// The proxy that the environment names for a URL; nil for none.
package func proxy(for url: String, _ environment: [String: String]) -> HTTPClient.Configuration.Proxy? {
    func variable(_ name: String) -> String? {
        [environment[name.lowercased()], environment[name]].compactMap { $0 }.first { !$0.isEmpty }
    }
    guard let target = URLComponents(string: withASCIIHost(url)), let host = target.host?.lowercased() else {
        return nil
    }
    let name = target.scheme?.lowercased() == "https" ? "HTTPS_PROXY" : "HTTP_PROXY"
    guard let text = variable(name), !isExempt(host, variable("NO_PROXY") ?? "") else { return nil }
    guard let parts = URLComponents(string: text.contains("://") ? text : "http://" + text), let proxyHost = parts.host
    else { return nil }
    let authorization = parts.user.map {
        HTTPClient.Authorization.basic(username: $0, password: parts.password ?? "")
    }
    return .server(host: proxyHost, port: parts.port ?? 80, authorization: authorization)
}

/// `NO_PROXY`: hosts and domains, and `*`; this machine itself is never asked for through a proxy.
private func isExempt(_ host: String, _ list: String) -> Bool {
    if host == "localhost" || host.hasPrefix("127.") || host == "::1" || host == "[::1]" { return true }
    return list.lowercased().split(separator: ",").contains { entry in
        let name = entry.trimmingCharacters(in: .whitespaces).drop { $0 == "." }
        return name == "*" || (!name.isEmpty && (host == name || host.hasSuffix("." + name)))
    }
}

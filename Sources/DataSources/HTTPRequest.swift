import AsyncHTTPClient
import Foundation
import HCL
import Media
import NIOCore
import NIOHTTP1
import NIOPosix
import Scopes
import Templates

/// `http`: the answer of a web server.
extension LocalDataSources {
    func read(
        _ url: String, _ method: String, _ headers: [String: String], _ body: String
    ) async throws -> DataSourceAnswer {
        let operation = "\(method == "GET" ? "read" : "send \(method) to") \(withoutSecrets(url))"
        do {
            return try await withDeadline(limits.http, operation) {
                try await exchange(url, method, headers, body, operation)
            }
        } catch let error as TimedOut {
            throw BuildError(
                operation, because: "the server had not answered in full after \(error.limit.text)",
                hint: "Try the URL with curl.")
        } catch let error where !(error is BuildError) && !(error is CancellationError) {
            throw BuildError(
                operation, because: explained(error),
                hint: "Check the address, and HTTP_PROXY and HTTPS_PROXY where a proxy is needed.")
        }
    }

    private func exchange(
        _ url: String, _ method: String, _ headers: [String: String], _ body: String, _ operation: String
    ) async throws -> DataSourceAnswer {
        var request = try downloadRequest(url, method: HTTPMethod(rawValue: method))
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            request.headers.replaceOrAdd(name: name, value: value)
        }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(string: body)) }
        let (sent, limit) = (request, limits.size)
        return try await withHTTPClient(for: url, environment) { client in
            // The deadline around this is the one that counts.
            let response = try await client.execute(sent, timeout: .hours(24))
            guard (200..<300).contains(response.status.code) else {
                throw BuildError(
                    operation, because: "the server answered \(response.status.code) \(response.status.reasonPhrase)",
                    hint: Self.hint(response.status.code))
            }
            var bytes: [UInt8] = []
            for try await piece in response.body {
                bytes.append(contentsOf: piece.readableBytesView)
                guard bytes.count <= limit else {
                    throw BuildError(
                        operation, because: "the answer is larger than \(limit >> 20) MiB",
                        hint: "A data source is for texts. Images are downloaded by iso_url.")
                }
            }
            return Self.answer(url, response.headers, bytes)
        }
    }

    private static func answer(_ url: String, _ headers: HTTPHeaders, _ bytes: [UInt8]) -> DataSourceAnswer {
        var values: [String: String] = [:]
        for (name, value) in headers {
            let name = canonical(name)
            values[name] = values[name].map { $0 + ", " + value } ?? value
        }
        // They belong to the connection, not to the answer.
        for name in ["Transfer-Encoding", "Trailer"] { values[name] = nil }
        let type = headers.first(name: "Content-Type") ?? ""
        var warnings: [String] = []
        if String(validating: bytes, as: UTF8.self) == nil {
            warnings.append(
                "the answer\(type.isEmpty ? "" : ", of type \(type),") is not UTF-8 text; what is not was replaced")
        } else if !bytes.isEmpty, !isText(type) {
            warnings.append(
                type.isEmpty
                    ? "the server does not say that the answer is text" : "the answer is of type \(type), no text")
        }
        return DataSourceAnswer(
            [
                "url": .string(url), "body": .string(String(decoding: bytes, as: UTF8.self)),
                "request_headers": .map(values.mapValues(Value.string)),
            ], warnings: warnings)
    }

    /// As Go spells the names of headers, which templates look them up by: `Content-Type`.
    private static func canonical(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false).map { part in
            part.prefix(1).uppercased() + part.dropFirst().lowercased()
        }.joined(separator: "-")
    }

    private static func isText(_ type: String) -> Bool {
        let kind = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        return kind.hasPrefix("text/") || kind == "application/json" || kind.hasSuffix("+json")
            || kind.hasSuffix("+xml") || kind == "application/yaml"
    }

    private static func hint(_ status: UInt) -> String {
        switch status {
        case 401, 403: "The server wants a login: request_headers takes an Authorization."
        case 404, 410: "Check the address."
        case 405: "The server does not take this method for the address."
        case 400..<500: "Check url, request_headers and request_body."
        default: "Try again later, or try the URL with curl."
        }
    }
}

private func explained(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError:
        switch error {
        case .connectTimeout: return "the server cannot be reached"
        case .readTimeout: return "the server fell silent"
        case .remoteConnectionClosed: return "the server closed the connection"
        default: return error.shortDescription
        }
    case let error as NIOConnectionError:
        guard let last = error.connectionErrors.last else { return "the name \(error.host) is not known" }
        return explained(last.error)
    case let error as IOError: return String(cString: strerror(error.errnoCode))
    default: return "\(error)"
    }
}

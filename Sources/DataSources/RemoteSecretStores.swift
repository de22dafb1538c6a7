import AsyncHTTPClient
import Dispatch
import Foundation
package import HCL
import Media
import NIOCore
import NIOHTTP1
import Scopes

/// HashiCorp's Vault and Consul, and AWS Secrets Manager, configured by the environment variables of their own programs.
package struct RemoteSecretStores: SecretStores {
    let environment: [String: String]
    private let limit: Duration

    /// - Parameter limit: How long one answer may take.
    package init(_ environment: [String: String], limit: Duration = .seconds(20)) {
        self.environment = environment
        self.limit = limit
    }

    /// - Throws: `BuildError`.
    package func secret(_ query: SecretQuery) throws -> String {
        switch query {
        case .vault(let path, let key): try vault(path, key)
        case .consul(let key): try consul(key)
        case .aws(let name, let key): try aws(name, key: key ?? "")
        case .awsText(let name): try awsText(name)
        }
    }

    /// https://developer.hashicorp.com/vault/api-docs/secret/kv, both versions of the store.
    private func vault(_ path: String, _ key: String) throws -> String {
        let operation = "read “\(key)” of \(path) from Vault"
        let address = variable("VAULT_ADDR") ?? "https://127.0.0.1:8200"
        guard let token = try secretVariable("VAULT_TOKEN") ?? homeFile(".vault-token").map({ Sensitive($0) }) else {
            throw BuildError(operation, because: "there is no token", hint: "Set VAULT_TOKEN, or sign in: vault login")
        }
        var headers = [("X-Vault-Token", token.reveal()), ("X-Vault-Request", "true")]
        if let namespace = variable("VAULT_NAMESPACE") { headers.append(("X-Vault-Namespace", namespace)) }
        let answer = try ask(address + "/v1/" + encoded(path), headers, operation, address: "VAULT_ADDR")
        let data = object(answer)["data"] as? [String: Any] ?? [:]
        // Version 2 of the store wraps the secret once more.
        return try member(key, of: data["data"] as? [String: Any] ?? data, operation)
    }

    /// https://developer.hashicorp.com/consul/api-docs/kv
    private func consul(_ key: String) throws -> String {
        let operation = "read \(key) from Consul"
        var address = variable("CONSUL_HTTP_ADDR") ?? "127.0.0.1:8500"
        if !address.contains("://") {
            let isEncrypted = ["1", "true"].contains(variable("CONSUL_HTTP_SSL")?.lowercased())
            address = (isEncrypted ? "https://" : "http://") + address
        }
        let namespace = variable("CONSUL_NAMESPACE").map { "&ns=" + encoded($0) } ?? ""
        let headers = secretVariable("CONSUL_HTTP_TOKEN").map { [("X-Consul-Token", $0.reveal())] } ?? []
        let answer = try ask(
            address + "/v1/kv/" + encoded(key) + "?raw" + namespace, headers, operation, address: "CONSUL_HTTP_ADDR")
        guard !answer.isEmpty else { throw BuildError(operation, because: "it is empty") }
        return String(decoding: answer, as: UTF8.self)
    }

    private func aws(_ name: String, key: String) throws -> String {
        let text = try awsText(name)
        guard let members = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            // A text that is not an object is the secret itself.
            if key.isEmpty { return text }
            throw BuildError("read “\(key)” of the secret \(name) from AWS", because: "the secret is not a JSON object")
        }
        if key.isEmpty, members.count != 1 {
            throw BuildError(
                "read the secret \(name) from AWS", because: "it has \(members.count) keys",
                hint: "Say which one: \(members.keys.sorted().joined(separator: ", ")).")
        }
        return try member(
            key.isEmpty ? members.keys.first ?? "" : key, of: members, "read “\(key)” of the secret \(name) from AWS")
    }

    /// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    private func awsText(_ name: String) throws -> String {
        let operation = "read the secret \(name) from AWS"
        let credentials = try AWSCredentials(self, operation)
        let address =
            variable("AWS_ENDPOINT_URL_SECRETS_MANAGER") ?? variable("AWS_ENDPOINT_URL")
            ?? "https://secretsmanager.\(credentials.region).amazonaws.com"
        guard let parts = URLComponents(string: address), let host = parts.host else {
            throw BuildError(
                operation, because: "\(address) is not an address", hint: "Correct AWS_ENDPOINT_URL, or leave it out.")
        }
        let body = try JSONSerialization.data(withJSONObject: ["SecretId": name])
        let headers = credentials.sign(
            "POST", "/",
            [
                ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue"),
                ("host", parts.port.map { "\(host):\($0)" } ?? host),
            ], body: [UInt8](body), service: "secretsmanager", at: Date())
        let answer = try ask(
            address + "/", headers, operation, method: .POST, body: [UInt8](body), address: "AWS_REGION")
        guard let text = object(answer)["SecretString"] as? String, !text.isEmpty else {
            throw BuildError(operation, because: "it has no text")
        }
        return text
    }

    // MARK: Asking

    /// The bytes of a good answer. The client works on threads of its own, so this may block any other; it looks now and
    /// then whether the task that it runs in is cancelled.
    private func ask(
        _ url: String, _ headers: [(String, String)], _ operation: String, method: HTTPMethod = .GET,
        body: [UInt8] = [],
        address: String
    ) throws -> [UInt8] {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.proxy = proxy(for: url, environment)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        // A client that will not end leaks a socket, no more.
        defer { try? client.syncShutdown() }
        let response: HTTPClient.Response
        do {
            let request = try HTTPClient.Request(
                url: url, method: method, headers: HTTPHeaders(headers),
                body: body.isEmpty ? nil : .bytes(body))
            let seconds = TimeAmount.nanoseconds(Int64(limit / .nanoseconds(1)))
            let exchange = client.execute(
                request: request, delegate: ResponseAccumulator(request: request, maxBodySize: 1 << 20),
                deadline: .now() + seconds)
            let isDone = DispatchSemaphore(value: 0)
            exchange.futureResult.whenComplete { _ in isDone.signal() }
            while isDone.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
                if Task.isCancelled { exchange.fail(reason: CancellationError()) }
            }
            response = try exchange.wait()
        } catch {
            throw BuildError(
                operation, because: "\(withoutSecrets(url)): \(error)", hint: "Does \(address) name the right server?")
        }
        let bytes = response.body.map { Array($0.readableBytesView) } ?? []
        guard (200..<300).contains(response.status.code) else {
            throw BuildError(
                operation, because: "the server answered \(response.status.code) \(response.status.reasonPhrase)",
                hint: hint(response.status.code, bytes))
        }
        return bytes
    }

    private func hint(_ status: UInt, _ body: [UInt8]) -> String? {
        let answer = object(body)
        let said = (answer["errors"] as? [String])?.joined(separator: "; ") ?? answer["Message"] as? String
        if let said = said ?? answer["message"] as? String, !said.isEmpty { return "It said: \(said)" }
        switch status {
        case 401, 403: return "Check the token, and what it is allowed to read."
        case 404: return "Nothing is kept under that name."
        default: return nil
        }
    }

    private func member(_ key: String, of secret: [String: Any], _ operation: String) throws -> String {
        let text: String? =
            switch secret[key] {
            case let text as String: text
            case let number as NSNumber: number.stringValue
            default: nil
            }
        guard let text, !text.isEmpty else {
            let known = secret.keys.sorted().joined(separator: ", ")
            throw BuildError(
                operation, because: secret[key] == nil ? "there is no such key" : "it is not text, or empty",
                hint: known.isEmpty ? nil : "There is: \(known).")
        }
        return text
    }

    private func object(_ bytes: [UInt8]) -> [String: Any] {
        // What is not a JSON object has no members.
        (try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
    }

    private func encoded(_ path: String) -> String {
        path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    }

    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

    func secretVariable(_ name: String) -> Sensitive<String>? { variable(name).map { Sensitive($0) } }

    /// A small text file in the user's home; nil if there is none.
    ///
    /// - Throws: `BuildError` if there is one that cannot be read.
    func homeFile(_ name: String) throws -> String? {
        guard let path = variable("HOME").map({ $0 + "/" + name }), FileManager.default.fileExists(atPath: path) else {
            return nil
        }
        do {
            return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        } catch {
            throw BuildError(operation: "read \(path)", underlying: error)
        }
    }
}

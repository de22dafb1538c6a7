import DataSources
import Dispatch
import Foundation
import HCL
import Hummingbird
import Scopes
import Testing

/// A server that speaks for Vault, Consul and AWS; `body` gets its address.
private func withServices(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
    @Sendable func json(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
    let router = Router()
    router.get("v1/kv/old") { request, _ in
        guard header("x-vault-token", of: request) == "t0ken" else {
            return json(#"{"errors": ["permission denied"]}"#, .forbidden)
        }
        return json(#"{"data": {"password": "one", "port": 22}}"#)
    }
    router.get("v1/secret/data/app") { _, _ in json(#"{"data": {"data": {"password": "two"}, "metadata": {}}}"#) }
    router.get("v1/kv/app/name") { request, _ in
        #expect(request.uri.query == "raw")
        return json("three")
    }
    router.post("/") { request, _ in
        let sent = String(buffer: try await request.body.collect(upTo: 1 << 16))
        #expect(header("x-amz-target", of: request) == "secretsmanager.GetSecretValue")
        let proof = request.headers[.authorization] ?? ""
        #expect(proof.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target,"))
        #expect(proof.hasPrefix("AWS4-HMAC-SHA256 Credential=AKID/"))
        switch sent {
        case #"{"SecretId":"one"}"#: return json(#"{"SecretString": "{\"password\": \"four\"}"}"#)
        case #"{"SecretId":"two"}"#: return json(#"{"SecretString": "{\"a\": \"1\", \"b\": \"2\"}"}"#)
        case #"{"SecretId":"plain"}"#: return json(#"{"SecretString": "five"}"#)
        default: return json(#"{"Message": "Secrets Manager can't find the specified secret."}"#, .badRequest)
        }
    }
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) })
    let server = Task { try await application.run() }
    defer { server.cancel() }
    for await port in ports {
        try await body("http://127.0.0.1:\(port)")
        break
    }
}

private func header(_ name: String, of request: Request) -> String? {
    request.headers.first { $0.name.canonicalName == name }?.value
}

/// What the services answer; the asking blocks its thread, which must not be one that the server needs.
private func ask(_ query: SecretQuery, _ address: String, token: String = "t0ken") async -> Result<String, any Error> {
    let stores = RemoteSecretStores([
        "VAULT_ADDR": address, "VAULT_TOKEN": token, "CONSUL_HTTP_ADDR": address.replacing("http://", with: ""),
        "AWS_ENDPOINT_URL": address, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
    ])
    return await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: Result { try stores.secret(query) }) }
    }
}

@Suite("Services that keep secrets") struct SecretTests {
    @Test("both versions of Vault's store, Consul and AWS give their secrets")
    func values() async throws {
        try await withServices { address in
            let queries: [(SecretQuery, String)] = [
                (.vault(path: "kv/old", key: "password"), "one"), (.vault(path: "kv/old", key: "port"), "22"),
                (.vault(path: "secret/data/app", key: "password"), "two"), (.consul(key: "app/name"), "three"),
                (.aws(name: "one", key: "password"), "four"), (.aws(name: "one", key: nil), "four"),
                (.aws(name: "plain", key: nil), "five"), (.aws(name: "two", key: "b"), "2"),
                (.awsText(name: "one"), #"{"password": "four"}"#),
            ]
            for (query, expected) in queries {
                let answer = try await ask(query, address).get()
                #expect(answer == expected)
            }
        }
    }

    @Test("what is missing or refused is told with the service's own words")
    func refusals() async throws {
        try await withServices { address in
            let queries: [(SecretQuery, String)] = [
                (.vault(path: "kv/old", key: "user"), "There is: password, port."),
                (.vault(path: "kv/none", key: "user"), "404"),
                (.aws(name: "two", key: nil), "Say which one: a, b."),
                (.aws(name: "none", key: nil), "can't find the specified secret"),
                (.aws(name: "plain", key: "a"), "not a JSON object"),
            ]
            for (query, words) in queries {
                let answer = await ask(query, address)
                #expect("\(answer)".contains(words), "\(answer)")
            }
            let refused = await ask(.vault(path: "kv/old", key: "password"), address, token: "wrong")
            #expect("\(refused)".contains("permission denied") && !"\(refused)".contains("wrong"))
        }
        let none = RemoteSecretStores(["HOME": "/nonexistent"])
        #expect { try none.secret(.vault(path: "a", key: "b")) } throws: { "\($0)".contains("Set VAULT_TOKEN") }
        #expect { try none.secret(.awsText(name: "a")) } throws: { "\($0)".contains("AWS_ACCESS_KEY_ID") }
    }

    @Test("a service that is silent is given up when the work is cancelled, and after its time")
    func silence() async throws {
        // Connections are taken by the kernel; nobody ever answers.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port =
            withUnsafeMutablePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(listener, address, length) == 0 && listen(listener, 8) == 0
                        && getsockname(listener, address, &length) == 0
                }
            } ? UInt16(bigEndian: place.sin_port) : 0
        try #require(port != 0)
        let environment = ["VAULT_ADDR": "http://127.0.0.1:\(port)", "VAULT_TOKEN": "t"]
        let query = SecretQuery.vault(path: "a", key: "b")

        let patient = RemoteSecretStores(environment, limit: .seconds(600))
        let work = Task.detached { Result { try patient.secret(query) } }
        try await Task.sleep(for: .milliseconds(300))
        work.cancel()
        #expect(await "\(work.value)".contains("CancellationError"))
        let hasty = RemoteSecretStores(environment, limit: .milliseconds(300))
        #expect { try hasty.secret(query) } throws: { "\($0)".contains("VAULT_ADDR") }
    }

    @Test("requests to AWS are signed as its published example")
    func signature() {
        let credentials = AWSCredentials(
            region: "us-east-1", identifier: "AKIDEXAMPLE",
            secret: Sensitive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
        let headers = credentials.sign(
            "GET", "/", [("host", "example.amazonaws.com")], body: [], service: "service",
            at: Date(timeIntervalSince1970: 1_440_938_160))
        let proof = headers.first { $0.0 == "authorization" }?.1 ?? ""
        #expect(
            proof.hasSuffix("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"), "\(proof)")
    }
}

import DataSources
import Diagnostics
import HCL
import Hummingbird
import Scopes
import Templates
import Testing

/// A server on loopback; `body` gets its URL.
private func withServer(_ body: @escaping @Sendable (String, LocalDataSources) async throws -> Void) async throws {
    let router = Router()
    router.get("text") { _, _ in
        Response(
            status: .ok, headers: [.contentType: "text/plain", .acceptRanges: "none"],
            body: .init(byteBuffer: ByteBuffer(string: "hello\n")))
    }
    router.get("bytes") { _, _ in
        Response(
            status: .ok, headers: [.contentType: "application/octet-stream"],
            body: .init(byteBuffer: ByteBuffer(bytes: [0x61, 0xFF])))
    }
    router.get("moved") { _, _ in Response.redirect(to: "/text") }
    router.get("slow") { _, _ in
        try await Task.sleep(for: .seconds(600))
        return Response(status: .ok)
    }
    router.get("large") { _, _ in
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 0x61, count: 3 << 20)))
    }
    router.post("echo") { request, _ in
        let sent = try await request.body.collect(upTo: 1 << 20)
        let type = request.headers[.contentType] ?? "none"
        return Response(
            status: .created, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: "\(type): \(String(buffer: sent))")))
    }
    try await withScratch { folder in
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) })
        let server = Task { try await application.run() }
        defer { server.cancel() }
        for await port in ports {
            try await body("http://127.0.0.1:\(port)", sources(in: folder))
            break
        }
    }
}

extension LocalDataSources {
    fileprivate func get(_ url: String, _ method: String = "GET") async throws -> DataSourceAnswer {
        try await run(.http(url: url, method: method, headers: [:], body: ""))
    }
}

@Suite struct HTTPTests {
    @Test("the answer of a server is read, with its headers under the names that Go gives them")
    func read() async throws {
        try await withServer { url, sources in
            let answer = try await sources.get(url + "/text")
            #expect(answer.outputs["url"] == .string(url + "/text"))
            #expect(answer.outputs["body"] == .string("hello\n"))
            let headers = answer.outputs["request_headers"]?.attributes ?? [:]
            #expect(headers["Content-Type"] == .string("text/plain") && headers["Accept-Ranges"] == .string("none"))
            #expect(answer.warnings == [])
            #expect(try await sources.get(url + "/moved").outputs["body"] == .string("hello\n"))
        }
    }

    @Test("method, headers and body are sent")
    func send() async throws {
        try await withServer { url, sources in
            let answer = try await sources.run(
                .http(
                    url: url + "/echo", method: "POST", headers: ["content-type": "application/yaml"], body: "a: 1\n"))
            #expect(answer.outputs["body"] == .string("application/yaml: a: 1\n"))
        }
    }

    @Test("an answer that is not text is taken with a warning")
    func bytes() async throws {
        try await withServer { url, sources in
            let answer = try await sources.get(url + "/bytes")
            #expect(answer.outputs["body"] == .string("a\u{FFFD}"))
            #expect(answer.warnings.count == 1)
        }
    }

    @Test("a refusal is told with its code, and so are silence, size and nobody at all; passwords are not shown")
    func failures() async throws {
        try await withServer { url, sources in
            let missing = await failure { try await sources.get(url + "/nothing") }
            #expect(missing.contains("could not read \(url)/nothing: the server answered 404"))
            #expect(await failure { try await sources.get(url + "/echo", "PUT") }.contains("send PUT to"))
            let quick = LocalDataSources(
                environment: [:], workingDirectory: "/", cacheDirectory: "/", limits: .init(http: .milliseconds(300)))
            #expect(await failure { try await quick.get(url + "/slow") }.contains("after 300 ms"))
            let small = LocalDataSources(
                environment: [:], workingDirectory: "/", cacheDirectory: "/", limits: .init(size: 1 << 20))
            #expect(await failure { try await small.get(url + "/large") }.contains("larger than 1 MiB"))
            let nobody = await failure { try await sources.get("http://me:hunter2@127.0.0.1:1/x") }
            #expect(nobody.contains("could not read http://me:***@127.0.0.1:1/x") && !nobody.contains("hunter2"))
        }
    }

    @Test("cancellation ends a request")
    func cancellation() async throws {
        try await withServer { url, sources in
            let task = Task { try await sources.get(url + "/slow") }
            try await Task.sleep(for: .milliseconds(100))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}

import Foundation
import HTTPServing
import Testing

@Suite("Clients that take up too much")
struct LimitsTests {
    @Test("endless headers and endless paths are refused", arguments: [200_000, 5_000_000])
    func headers(length: Int) async throws {
        try await withServer { port, _, requests in
            let text = String(repeating: "x", count: length)
            #expect(await ask(port, "/preseed.cfg", headers: ["X": text]).status != 200)
            #expect(await ask(port, "/preseed.cfg?" + text).status != 200)
            let many = Dictionary(uniqueKeysWithValues: (0..<length / 100).map { ("X-\($0)", "y") })
            #expect(await ask(port, "/preseed.cfg", headers: many).status != 200)
            #expect(requests.all.isEmpty)
            #expect(await ask(port, "/preseed.cfg").status == 200)
        }
    }

    @Test(
        "a client that never ends its request is cut off", arguments: ["", "GET /pre", "GET / HTTP/1.1\r\nHost: x\r\n"])
    func slowHeaders(beginning: String) async throws {
        try await withServer(limits: HTTPLimits(idle: .milliseconds(200))) { port, _, requests in
            let answer = await onThread {
                let connection = RawConnection(port)
                connection.write(beginning.utf8)
                return connection.readToEnd()
            }
            // nil: it was still open after 10 s.
            #expect(answer != nil)
            #expect(requests.all.isEmpty)
        }
    }

    @Test("a client that does not take its answer is cut off")
    func slowReader() async throws {
        try await withServer(limits: HTTPLimits(idle: .milliseconds(200))) { port, folder, _ in
            let size = 64 << 20
            try Data().write(to: URL(filePath: folder + "/large"))
            truncate(folder + "/large", off_t(size))
            let received = await onThread { () -> Int? in
                let connection = RawConnection(port)
                connection.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                Thread.sleep(forTimeInterval: 3)
                return connection.readToEnd()?.count
            }
            let count = try #require(received)
            #expect(count < size)
        }
    }

    @Test("a client that takes its answer slowly gets all of it")
    func patience() async throws {
        try await withServer(limits: HTTPLimits(idle: .seconds(2))) { port, folder, _ in
            let size = 16 << 20
            try Data().write(to: URL(filePath: folder + "/large"))
            truncate(folder + "/large", off_t(size))
            let received = await onThread { () -> Int? in
                let connection = RawConnection(port)
                connection.write("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
                var count = 0
                for _ in 0..<4 {
                    count += connection.read(atMost: 1 << 20)?.count ?? 0
                    Thread.sleep(forTimeInterval: 0.3)
                }
                return connection.readToEnd().map { $0.count + count }
            }
            #expect(try #require(received) > size)
        }
    }

    @Test("a file that shrinks while it is sent ends the answer short instead of hanging it")
    func shrinking() async throws {
        try await withServer { port, folder, _ in
            let size = 64 << 20
            let path = folder + "/large"
            try Data().write(to: URL(filePath: path))
            truncate(path, off_t(size))
            let received = await onThread { () -> Int? in
                let connection = RawConnection(port)
                connection.write("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
                _ = connection.read(atMost: 1)
                truncate(path, 0)
                return connection.readToEnd()?.count
            }
            #expect(try #require(received) < size)
        }
    }

    @Test("a server is stopped although a client does not take its answer")
    func stopWithSlowReader() async throws {
        try await withFolder { folder in
            try Data().write(to: URL(filePath: folder + "/large"))
            truncate(folder + "/large", off_t(64 << 20))
            let server = try await HTTPServer.start(content: .directory(folder), host: "127.0.0.1", ports: 0..<0) { _ in
            }
            let port = server.port
            let slow = await onThread {
                let connection = RawConnection(port)
                connection.write("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                _ = connection.read(atMost: 1)
                return connection
            }
            await server.stop()
            #expect(await onThread { slow.readToEnd() != nil })
        }
    }

    @Test("more clients than there is room for wait their turn")
    func connections() async throws {
        try await withServer(limits: HTTPLimits(connections: 2)) { port, _, requests in
            var held: [RawConnection] = []
            for _ in 0..<2 {
                held.append(
                    await onThread {
                        let connection = RawConnection(port)
                        connection.write("GET /preseed.cfg HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                        _ = connection.read()
                        return connection
                    })
            }
            let third = Task { await ask(port, "/sub%20dir/digits") }
            try await Task.sleep(for: .milliseconds(300))
            #expect(requests.all.map(\.path) == ["/preseed.cfg", "/preseed.cfg"])
            held = []
            #expect(await third.value.text == "0123456789")
        }
    }

    @Test("many requests on one connection are answered in order")
    func pipelining() async throws {
        try await withServer { port, _, _ in
            let answers = await onThread { () -> Data? in
                let connection = RawConnection(port)
                let request = "GET /preseed.cfg HTTP/1.1\r\nHost: x\r\n\r\n"
                let last = "GET /sub%20dir/digits HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                connection.write((String(repeating: request, count: 50) + last).utf8)
                return connection.readToEnd()
            }
            let text = String(decoding: try #require(answers), as: UTF8.self)
            #expect(text.split(separator: "d-i debconf").count == 51)
            #expect(text.hasSuffix("0123456789"))
        }
    }
}

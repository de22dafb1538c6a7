import Foundation
import HTTPServing
import Testing

@Suite("Where the server listens", .serialized)
struct BindingTests {
    private let content = HTTPContent.content(["/": "x"])

    private func start(_ host: String = "127.0.0.1", _ ports: Range<Int> = 0..<0) async throws -> HTTPServer {
        try await HTTPServer.start(content: content, host: host, ports: ports) { _ in }
    }

    private func failure(_ host: String, _ ports: Range<Int>) async -> String {
        do {
            let server = try await start(host, ports)
            await server.stop()
            return "a server on \(server.port)"
        } catch { return "\(error)" }
    }

    @Test("only the given address is bound")
    func address() async throws {
        let server = try await start("127.0.0.2")
        #expect(server.host == "127.0.0.2")
        #expect(await ask(server.port, "/", host: 0x7F00_0002).text == "x")
        #expect(await ask(server.port, "/").status == 0)
        await server.stop()
        let all = try await start("0.0.0.0")
        #expect(await ask(all.port, "/", host: 0x7F00_0003).text == "x")
        await all.stop()
    }

    @Test("an address that is not one of this host is refused at once, and http_bind_address named")
    func foreignAddress() async {
        let message = await failure("192.0.2.1", 8000..<9000)
        #expect(message.contains("192.0.2.1") && message.contains("http_bind_address"), "\(message)")
    }

    @Test("an interface gives its address; the error for an unknown one names those there are")
    func interface() async throws {
        let address = try addressOfInterface("lo")
        #expect(address == "127.0.0.1")
        let server = try await start(address)
        #expect(await ask(server.port, "/").text == "x")
        await server.stop()
        do {
            _ = try addressOfInterface("nosuch0")
            Issue.record("there is a nosuch0")
        } catch { #expect("\(error)".contains("nosuch0") && "\(error)".contains("lo"), "\(error)") }
    }

    @Test("every port of a wide range is tried; if none is free, the error names the range")
    func wholeRange() async throws {
        let range = 20_000..<20_300
        var taken: [Int: Int32] = [:]
        for port in range { taken[port] = occupy(port) }
        defer { for descriptor in taken.values { close(descriptor) } }
        let free = try #require(taken.keys.randomElement())
        let descriptor = taken.removeValue(forKey: free)
        close(try #require(descriptor))
        let server = try await start("127.0.0.1", range)
        #expect(server.port == free)
        let message = await failure("127.0.0.1", range)
        #expect(
            message.contains("20000 to 20299") && message.contains("http_port_min")
                && message.contains("no port is free"),
            "\(message)")
        await server.stop()
    }

    @Test("an empty range is its one port; a stopped server gives it back")
    func onePort() async throws {
        let first = try await start()
        let port = first.port
        let message = await failure("127.0.0.1", port..<port)
        #expect(message.contains("port \(port)") && message.contains("http_port_min"), "\(message)")
        await first.stop()
        let again = try await start("127.0.0.1", port..<port)
        #expect(again.port == port)
        await again.stop()
    }

    @Test("ports that do not exist are an error, not a crash", arguments: [65_536..<65_536, 70_000..<70_010, -5..<3])
    func nonsense(ports: Range<Int>) async {
        #expect(await failure("127.0.0.1", ports).contains("65535"))
    }

    @Test("a server is stopped although clients hold their connections")
    func stopWithClients() async throws {
        let server = try await start()
        let port = server.port
        let held = await onThread { (0..<3).map { _ in RawConnection(port) } }
        await server.stop()
        #expect(await onThread { held.allSatisfy { $0.readToEnd() != nil } })
    }
}

/// A socket that listens on a port of the loopback; nil where the port is taken.
private func occupy(_ port: Int) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isBound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isBound, listen(descriptor, 1) == 0 else {
        close(descriptor)
        return nil
    }
    return descriptor
}

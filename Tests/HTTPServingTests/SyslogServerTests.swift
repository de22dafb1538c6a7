import Foundation
import HTTPServing
import Testing

private func received(_ datagrams: [[UInt8]]) async throws -> [SyslogMessage] {
    let (messages, continuation) = AsyncStream.makeStream(of: SyslogMessage.self)
    let server = try await SyslogServer.start(host: "127.0.0.1") { continuation.yield($0) }
    for datagram in datagrams + [Array("<13>last: end".utf8)] {
        _ = await exchange(server.port, datagram, type: Int32(SOCK_DGRAM.rawValue))
    }
    var all: [SyslogMessage] = []
    for await message in messages {
        if message.text == "end" { break }
        all.append(message)
    }
    try await server.stop()
    return all
}

@Suite struct SyslogServerTests {
    @Test("an installer's line is taken apart into program and text")
    func lines() async throws {
        let all = try await received([
            Array("<30>Nov 21 03:00:00 anna[1234]: retrieving x".utf8),
            Array("<28>Nov  1 03:00:00 debian main-menu[9]: WARNING: no".utf8),
        ])
        #expect(all.map(\.tag) == ["anna[1234]", "main-menu[9]"])
        #expect(all.map(\.text) == ["retrieving x", "WARNING: no"])
        #expect(all.map(\.severity) == [6, 4])
    }

    @Test("what is no syslog, no text or far too long does no harm")
    func hostile() async throws {
        let all = try await received([
            Array("<".utf8), Array("<>".utf8), Array("<999999999999>x".utf8), Array("<-5>x".utf8), [0xFF, 0xFE, 0x80],
            [],
            Array("<13>t: \u{1B}[31mred\u{7}\u{9B}31m\u{0}".utf8), [UInt8](repeating: 0x61, count: 60_000),
        ])
        for message in all {
            #expect(message.text.utf8.count <= 8192 && message.tag.utf8.count <= 256)
            let controls = (message.text + message.tag).unicodeScalars.filter { $0.value < 0x20 || $0.value == 0x7F }
            #expect(controls.isEmpty)
        }
        #expect(all.contains { $0.text.contains("red") })
    }
}

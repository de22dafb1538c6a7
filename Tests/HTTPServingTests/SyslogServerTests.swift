import Foundation
import HTTPServing
import Testing

private enum Transport { case datagrams, stream }

/// What is received of some pieces of bytes, each sent by itself.
private func received(_ pieces: [[UInt8]], over transport: Transport = .datagrams) async throws -> [SyslogMessage] {
    let (messages, continuation) = AsyncStream.makeStream(of: SyslogMessage.self)
    let server = try await SyslogServer.start(host: "127.0.0.1") { continuation.yield($0) }
    let port = server.port
    let end = Array("<13>last: end\n".utf8)
    await onThread {
        switch transport {
        case .datagrams:
            for piece in pieces + [end] { RawConnection(port, type: Int32(SOCK_DGRAM.rawValue)).write(piece) }
        case .stream:
            let connection = RawConnection(port)
            for piece in pieces {
                connection.write(piece)
                Thread.sleep(forTimeInterval: 0.02)
            }
        }
    }
    // A stream may end in the middle of a message, so the end has its own.
    if transport == .stream {
        await onThread { Thread.sleep(forTimeInterval: 0.1) }
        await onThread { RawConnection(port).write(end) }
    }
    var all: [SyslogMessage] = []
    for await message in messages {
        if message.text == "end" { break }
        all.append(message)
    }
    try await server.stop()
    return all
}

@Suite("The receiver of installers' logs")
struct SyslogServerTests {
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

    private static let hostile: [[UInt8]] = [
        Array("<".utf8), Array("<>".utf8), Array("<999999999999>x".utf8), Array("<-5>x".utf8), [0xFF, 0xFE, 0x80],
        [], Array("<13>t: \u{1B}[31mred\u{7}\u{9B}31m\u{0}".utf8), [UInt8](repeating: 0x61, count: 60_000),
        Array("<13>: \r\n\r\n: \u{2028}".utf8),
    ]

    @Test("what is no syslog, no text or far too long does no harm")
    func hostile() async throws {
        for all in [
            try await received(Self.hostile), try await received(Self.hostile.map { $0 + [0x0A] }, over: .stream),
        ] {
            for message in all {
                #expect(message.text.utf8.count <= 3 * 8192 && message.tag.utf8.count <= 256)
                let controls = (message.text + message.tag).unicodeScalars.filter {
                    $0.value < 0x20 || (0x7F...0x9F).contains($0.value)
                }
                #expect(controls.isEmpty)
            }
            #expect(all.contains { $0.text.contains("red") })
        }
    }

    @Test("over TCP lines are received, however they are cut into pieces")
    func terminated() async throws {
        let text = "<30>Nov 21 03:00:00 host anaconda[7]: one\n<30>b: two\r\n<30>c: three\u{0}<30>d: four"
        let cuts = Array(text.utf8).map { [$0] }
        for pieces in [[Array(text.utf8)], cuts] {
            let all = try await received(pieces, over: .stream)
            #expect(all.map(\.text) == ["one", "two", "three", "four"])
            #expect(all.map(\.tag) == ["anaconda[7]", "b", "c", "d"])
        }
    }

    @Test("over TCP messages that tell their length are received, with line feeds in them or without")
    func counted() async throws {
        func frame(_ text: String) -> String { "\(text.utf8.count) \(text)" }
        let text = frame("<30>a: one") + frame("<30>b: ü\n<30>c: three") + frame("<30>d: four") + "<30>e: five\n"
        for pieces in [[Array(text.utf8)], Array(text.utf8).map { [$0] }] {
            let all = try await received(pieces, over: .stream)
            #expect(all.map(\.text) == ["one", "ü", "three", "four", "five"])
        }
    }

    @Test("lengths that are nonsense do no harm")
    func wrongLengths() async throws {
        for text in ["0 x\n", "99999999999999999999 x\n", "12a: x\n", "5\n", "99999999 short", "007 <13>x: y\n"] {
            let all = try await received([Array(text.utf8)], over: .stream)
            #expect(all.count <= 2)
        }
        let long = Array("70000 ".utf8) + [UInt8](repeating: 0x61, count: 70_000) + Array("<13>b: after\n".utf8)
        let all = try await received([long], over: .stream)
        #expect(all.count == 2 && all[0].text.count == 8192 && all[1].text == "after")
    }

    @Test("more connections than an installer needs are turned away, and room comes back")
    func connections() async throws {
        let (messages, continuation) = AsyncStream.makeStream(of: SyslogMessage.self)
        let server = try await SyslogServer.start(host: "127.0.0.1") { continuation.yield($0) }
        let port = server.port
        let wasTurnedAway = await onThread {
            var held = (0..<64).map { _ in RawConnection(port) }
            for connection in held { connection.write("x: y\n".utf8) }
            Thread.sleep(forTimeInterval: 0.2)
            let isClosed = RawConnection(port).readToEnd() != nil
            held = []
            Thread.sleep(forTimeInterval: 0.2)
            RawConnection(port).write("x: again\n".utf8)
            return isClosed
        }
        #expect(wasTurnedAway)
        for await message in messages where message.text == "again" { break }
        try await server.stop()
    }
}

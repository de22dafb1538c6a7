import Foundation
import RemoteFramebuffer
import Scopes
import Testing

@Suite("A hostile VNC server")
struct HostileServerTests {
    /// An honest server's bytes from the start to a picture, as if the client's were not waited for.
    private static let honest: [UInt8] =
        Array("RFB 003.008\n".utf8) + [1, 1] + [0, 0, 0, 0] + HonestServer.initialisation(4, 2)
        + update((0, 0, 4, 2, 0, raw([1, 2, 3, 4, 5, 6, 7, 8])))

    @Test("a connection that is cut anywhere ends in an error")
    func truncated() async throws {
        for length in 0..<Self.honest.count {
            let server = VNCServer { peer in
                try peer.write(Array(Self.honest[..<length]))
                peer.hangUp()
            }
            do {
                let connection = try await server.connect()
                defer { connection.close() }
                // The picture of the last bytes may come before it is asked for, and then the end.
                _ = try await connection.framebuffer()
                Issue.record("a picture from \(length) bytes")
            } catch { #expect(!"\(error)".contains("timed out"), "\(length): \(error)") }
        }
    }

    private static let afterGreeting: [(what: String, bytes: [UInt8])] = [
        ("too large", update((0, 0, 65535, 65535, -223, []))),
        ("too large", update((0, 0, 8192, 8192, -223, []))),
        ("too large", update((0, 0, 8193, 1, -223, []))),
        ("does not fit", update((0, 0, 65535, 65535, 0, []))),
        ("does not fit", update((1, 0, 16, 16, 0, []))),
        ("does not fit", update((65535, 65535, 1, 1, 0, []))),
        ("not requested", update((0, 0, 16, 16, 16, []))),
        ("not requested", update((0, 0, 16, 16, 1, [0, 0, 0, 0]))),
        ("not requested", update((0, 0, 16, 16, -224, []))),
        ("clipboard", [3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("unknown type", [77]),
        ("unknown type", [0xFF]),
        ("keeps changing", (0..<1100).flatMap { update((0, 0, 1 + $0 % 2, 1, -223, [])) }),
    ]

    @Test("messages that no honest server sends end in an error that names them", arguments: afterGreeting.indices)
    func messages(_ index: Int) async throws {
        let hostile = Self.afterGreeting[index]
        let server = VNCServer { peer in
            try HonestServer().greet(peer)
            _ = try peer.read(10)
            try peer.write(hostile.bytes)
            peer.readToEnd()
        }
        let connection = try await server.connect()
        do {
            _ = try await connection.framebuffer()
            Issue.record("a picture")
        } catch { #expect("\(error)".contains(hostile.what), "\(error)") }
        // And so does all that follows.
        await #expect(throws: (any Error).self) { try await connection.sendKey(0x61, down: true) }
        await #expect(throws: (any Error).self) { try await connection.framebuffer() }
        try await server.finish()
    }

    @Test("greetings that no honest server sends end in an error")
    func greetings() async {
        let version = Array("RFB 003.008\n".utf8)
        let start = version + [1, 1, 0, 0, 0, 0]
        let cases: [(String, [UInt8])] = [
            ("not a VNC server", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)), ("not a VNC server", Array("S".utf8)),
            ("unknown version", Array("RFB abc.def\n".utf8)), ("unknown version", Array("RFB 002.002\n".utf8)),
            ("unknown version", Array("RFB 003.008x".utf8)),
            ("refused the connection", version + [0, 0xFF, 0xFF, 0xFF, 0xFF]),
            ("not support password", version + [255] + [UInt8](repeating: 77, count: 255)),
            ("refused", version + [1, 1, 0, 0, 0, 1] + bytes32(Int(UInt32.max))),
            (
                "name is too long",
                start + bytes16(640) + bytes16(480) + [UInt8](repeating: 0, count: 16) + bytes32(4097)
            ),
            ("too large", start + HonestServer.initialisation(65535, 65535)),
        ]
        for (expected, bytes) in cases {
            let server = VNCServer { peer in
                try peer.write(bytes)
                peer.readToEnd()
            }
            let message = await failure(of: server, password: expected == "not support password" ? "x" : nil)
            #expect(message.contains(expected), "\(message)")
        }
    }

    @Test("a silent server is given up", arguments: [0, 12, 14, 18, 30])
    func silent(length: Int) async {
        let server = VNCServer { peer in
            try peer.write(Array(Self.honest[..<length]))
            peer.readToEnd()
        }
        #expect(await failure(of: server, deadline: .milliseconds(200)).contains("timed out"))
    }

    @Test("a server that never sends its screen is given up, and one that takes no keys")
    func stuck() async throws {
        let ended = DispatchSemaphore(value: 0)
        let server = VNCServer(isLocal: true) { peer in
            try HonestServer().greet(peer)
            ended.wait()
        }
        let connection = try await server.connect(patience: .milliseconds(200))
        await #expect(throws: TimedOut.self) { try await connection.framebuffer() }
        await #expect(throws: TimedOut.self) {
            while true { try await connection.sendKey(0x61, down: true) }
        }
        // What was half sent must not be followed by more.
        await #expect(throws: (any Error).self) { try await connection.sendKey(0x61, down: true) }
        ended.signal()
        try await server.finish()
    }

    @Test("a cancelled caller is released, as cancelled")
    func cancelled() async throws {
        let ended = DispatchSemaphore(value: 0)
        defer { ended.signal() }
        let server = VNCServer(isLocal: true) { peer in
            try HonestServer().greet(peer)
            // It neither answers nor reads, so that both calls below wait.
            ended.wait()
        }
        let connection = try await server.connect()
        let picture = Task { try await connection.framebuffer() }
        let keys = Task { while true { try await connection.sendKey(0x61, down: true) } }
        try await Task.sleep(for: .milliseconds(500))
        picture.cancel()
        keys.cancel()
        await #expect(throws: CancellationError.self) { try await picture.value }
        await #expect(throws: CancellationError.self) { try await keys.value }
        connection.close()
        let silent = VNCServer { $0.readToEnd() }
        let attempt = Task { try await silent.connect(deadline: .seconds(60)) }
        try await Task.sleep(for: .milliseconds(50))
        attempt.cancel()
        await #expect(throws: CancellationError.self) { try await attempt.value }
        try await silent.finish()
    }

    @Test("no more is kept of a large picture than a row")
    func memory() throws {
        var client = RFBClient(password: nil)
        _ = try client.receive(
            Array("RFB 003.008\n".utf8) + [1, 1, 0, 0, 0, 0] + HonestServer.initialisation(4096, 2048))
        #expect(client.phase == .running)
        _ = try client.receive(update((0, 0, 4096, 2048, 0, [])))
        let piece = [UInt8](repeating: 1, count: 64 << 10)
        for _ in 0..<511 {
            _ = try client.receive(piece)
            #expect(client.unread < 4096 * 4)
        }
        #expect(client.updates == 0)
        _ = try client.receive(piece)
        #expect(client.updates == 1 && client.framebuffer.pixels.allSatisfy { $0 == 0x01_0101 })
    }

    @Test("nonsense of every kind leads to an error or to nothing, never to a crash")
    func nonsense() {
        var generator = SplitMix(state: 42)
        for round in 0..<20_000 {
            var bytes = Self.honest
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch round % 3 {
                case 0: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            var client = RFBClient(password: round % 2 == 0 ? nil : "x")
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...64, using: &generator))
                rest = rest.dropFirst(piece.count)
                // An error is a fine answer to nonsense.
                guard (try? client.receive(Array(piece))) != nil else { break }
            }
            #expect(client.framebuffer.width * client.framebuffer.height <= RFBClient.mostPixels)
        }
    }
}

/// Random numbers that are the same every time (SplitMix64).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

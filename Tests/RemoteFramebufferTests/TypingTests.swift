import Foundation
import RemoteFramebuffer
import Scopes
import Synchronization
import Testing

/// A key event as it arrived.
private struct KeyEvent: Equatable, Sendable {
    var keysym: UInt32
    var isDown: Bool
}

/// A server with a keyboard, and a screen of 40×2 cells on which it shows what it gets.
private final class Keyboard: Sendable {
    private let received = Mutex<[KeyEvent]>([])
    var events: [KeyEvent] { received.withLock { $0 } }

    /// - Parameter delay: What each key takes, in seconds.
    /// - Parameter echoes: Whether visible keys change the screen.
    func serve(_ peer: Peer, delay: Double = 0, echoes: Bool = true) throws {
        let honest = HonestServer(width: 320, height: 32)
        try honest.greet(peer)
        var screen = [UInt32](repeating: 0, count: 320 * 32)
        var cell = 0
        while true {
            switch try peer.read(1) {
            case [3]:
                _ = try peer.read(9)
                try peer.write(update((0, 0, 320, 32, 0, raw(screen))))
            case [4]:
                let bytes = try peer.read(7)
                let keysym = bytes[3...].reduce(0) { $0 << 8 | UInt32($1) }
                received.withLock { $0.append(KeyEvent(keysym: keysym, isDown: bytes[0] == 1)) }
                if delay > 0 { Thread.sleep(forTimeInterval: delay) }
                if echoes, bytes[0] == 1, (0x21...0x7E).contains(keysym) {
                    screen[cell / 40 * 320 * 16 + cell % 40 * 8] ^= 0xFFFFFF
                    cell = (cell + 1) % 80
                }
            case let other: throw HonestServer.Mismatch(text: "message \(other)")
            }
        }
    }
}

private let shift: UInt32 = 0xFFE1
private let enter: UInt32 = 0xFF0D

private func stroke(_ character: Character) -> KeyStroke {
    let keysym = character.unicodeScalars.first?.value ?? 0
    let shifted = character.isUppercase || "~!@#$%^&*()_+{}|:\"<>?".contains(character)
    return KeyStroke(keysym: keysym, needsShift: shifted)
}

/// What a keyboard must send for a text.
private func expected(_ text: String) -> [KeyEvent] {
    text.flatMap { character -> [KeyEvent] in
        let stroke = stroke(character)
        let press = [true, false].map { KeyEvent(keysym: stroke.keysym, isDown: $0) }
        if !stroke.needsShift { return press }
        return [KeyEvent(keysym: shift, isDown: true)] + press + [KeyEvent(keysym: shift, isDown: false)]
    }
}

@Suite("Typing")
struct TypingTests {
    private let command = "auto url=http://10.0.2.2:8000/Preseed_1.cfg --- Quiet PRIORITY=critical <\"{}|~!@#$%^&*()+?>"

    /// Types by a script and gives the events that the server got.
    private func events(
        pace: TypingPace, delay: Double = 0, echoes: Bool = true, _ script: (Typist) async throws -> Void
    ) async throws -> [KeyEvent] {
        let keyboard = Keyboard()
        // It ends with an error when the client closes.
        let server = VNCServer { try? keyboard.serve($0, delay: delay, echoes: echoes) }
        let connection = try await server.connect()
        try await script(Typist(connection, pace: pace, echoLimit: .milliseconds(300)))
        connection.close()
        try await server.finish()
        return keyboard.events
    }

    private func type(_ text: String, on typist: Typist) async throws {
        for character in text { try await typist.type(stroke(character), .press) }
    }

    @Test(
        "every key arrives in order, with shift around those that need it",
        arguments: [TypingPace.automatic, .interval(.zero)])
    func order(pace: TypingPace) async throws {
        let all = try await events(pace: pace) { typist in
            try await type(command, on: typist)
            try await typist.type(KeyStroke(keysym: enter, needsShift: false), .press)
            try await typist.flush()
        }
        let press = [true, false].map { KeyEvent(keysym: enter, isDown: $0) }
        #expect(all == expected(command) + press)
    }

    @Test("nothing is lost on a slow server", arguments: [TypingPace.automatic, .interval(.milliseconds(1))])
    func slow(pace: TypingPace) async throws {
        let text = String(repeating: "aB 1", count: 20)
        let all = try await events(pace: pace, delay: 0.01) { typist in
            try await type(text, on: typist)
            try await typist.flush()
        }
        #expect(all == expected(text))
    }

    @Test("a guest that shows nothing gets every key all the same")
    func silent() async throws {
        let all = try await events(pace: .automatic, echoes: false) { typist in
            try await type("Secret 1", on: typist)
            try await typist.flush()
        }
        #expect(all == expected("Secret 1"))
    }

    @Test("keys that were lost before the prompt was there are typed again", arguments: [1, 2, 3])
    func lostBeginning(_ lost: Int) async throws {
        let keyboard = Keyboard()
        let server = VNCServer { try? keyboard.serve($0) }
        let connection = try await server.connect()
        /// What a prompt shows that came too late for the first keys.
        let line: @Sendable () -> String = {
            keyboard.events.filter(\.isDown).dropFirst(lost).reduce(into: "grub> ") { line, event in
                if event.keysym == 0xFF08 {
                    if line.count > 6 { line.removeLast() }
                } else if event.keysym < 0x7F, let scalar = Unicode.Scalar(event.keysym) {
                    line.unicodeScalars.append(scalar)
                }
            }
        }
        let typist = Typist(connection, pace: .automatic, echoLimit: .milliseconds(300)) { _ in [line()] }
        try await type("linux (fd0)/x", on: typist)
        try await typist.flush()
        _ = try await connection.framebuffer()
        connection.close()
        try await server.finish()
        #expect(line() == "grub> linux (fd0)/x")
    }

    @Test("held keys stay down until they are let go, in their order among the others")
    func held() async throws {
        let (control, alternate): (UInt32, UInt32) = (0xFFE3, 0xFFE9)
        let all = try await events(pace: .automatic) { typist in
            try await type("a", on: typist)
            try await typist.type(KeyStroke(keysym: control, needsShift: false), .down)
            try await typist.type(KeyStroke(keysym: alternate, needsShift: false), .down)
            try await typist.type(KeyStroke(keysym: 0xFFFF, needsShift: false), .press)
            try await typist.type(KeyStroke(keysym: alternate, needsShift: false), .up)
            try await typist.type(KeyStroke(keysym: control, needsShift: false), .up)
            try await type("B", on: typist)
            try await typist.flush()
        }
        let middle: [(UInt32, Bool)] = [
            (control, true), (alternate, true), (0xFFFF, true), (0xFFFF, false), (alternate, false), (control, false),
        ]
        #expect(
            all == expected("a") + middle.map { KeyEvent(keysym: $0.0, isDown: $0.1) } + expected("B"))
    }

    @Test("a key with shift that is held and let go leaves no shift behind")
    func heldShifted() async throws {
        let all = try await events(pace: .automatic) { typist in
            try await typist.type(stroke("A"), .down)
            try await typist.type(stroke("A"), .up)
        }
        let down = all.filter(\.isDown).map(\.keysym)
        let up = all.filter { !$0.isDown }.map(\.keysym)
        #expect(Set(down) == [shift, 0x41] && Set(up) == [shift, 0x41] && all.count == 4)
    }

    @Test("a machine that goes away while it is typed to ends in an error")
    func gone() async throws {
        let server = VNCServer { peer in
            try HonestServer(width: 320, height: 32).greet(peer)
            _ = try peer.read(30)
        }
        let connection = try await server.connect()
        let typist = Typist(connection, pace: .interval(.milliseconds(1)))
        do {
            for _ in 0..<10_000 { try await typist.type(stroke("a"), .press) }
            Issue.record("nothing was noticed")
        } catch { #expect("\(error)".contains("closed its screen"), "\(error)") }
        try await server.finish()
    }
}

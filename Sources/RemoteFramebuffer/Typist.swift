/// A key as it is typed.
package struct KeyStroke: Sendable, Equatable {
    package enum Action: Sendable { case press, down, up }

    package var keysym: UInt32
    /// The left shift key is held while it is pressed.
    package var needsShift: Bool

    package init(keysym: UInt32, needsShift: Bool) {
        self.keysym = keysym
        self.needsShift = needsShift
    }
}

package enum TypingPace: Sendable, Equatable {
    /// A pause after every event of a key, as Packer's `boot_key_interval`.
    case interval(Duration)
    /// As fast as the guest takes it in.
    case automatic
}

/// Types on a guest's keyboard.
///
/// A PC has room for few keys that the guest has not read yet: 16 bytes in the keyboard, 15 keys in the BIOS. At the
/// automatic pace keys go out a few at a time, and the next ones wait until the screen has changed, which is the guest's
/// echo of them. A guest that shows nothing (a menu, a password) is given a pause that the buffers bear.
package actor Typist {
    private static let leftShift: UInt32 = 0xFFE1
    /// Keys sent before the echo is looked for. Pressed and released with shift around, five keys make up to 20 bytes,
    /// which the guest begins to read at once.
    private static let groupSize = 5
    /// Between events: the keyboard interrupts once for each byte.
    private static let eventGap = Duration.milliseconds(2)
    private static let longestEchoWait = Duration.milliseconds(250)

    private let connection: VNCConnection
    private let pace: TypingPace
    private var keysSinceEcho = 0
    private var updatesBefore = 0

    package init(_ connection: VNCConnection, pace: TypingPace) {
        self.connection = connection
        self.pace = pace
    }

    package func type(_ stroke: KeyStroke, _ action: KeyStroke.Action) async throws {
        if case .automatic = pace, keysSinceEcho == 0 {
            updatesBefore = await connection.updates
            try await connection.requestChanges()
        }
        if stroke.needsShift && action != .up { try await event(Self.leftShift, down: true) }
        if action != .up { try await event(stroke.keysym, down: true) }
        if action != .down { try await event(stroke.keysym, down: false) }
        if stroke.needsShift && action != .up { try await event(Self.leftShift, down: false) }
        keysSinceEcho += 1
        if keysSinceEcho >= Self.groupSize { try await flush() }
    }

    /// Waits until the guest has taken in what was typed, as far as that can be seen.
    package func flush() async throws {
        guard case .automatic = pace, keysSinceEcho > 0 else { return }
        keysSinceEcho = 0
        _ = try await connection.waitForUpdate(after: updatesBefore, limit: Self.longestEchoWait)
    }

    private func event(_ keysym: UInt32, down: Bool) async throws {
        try await connection.sendKey(keysym, down: down)
        switch pace {
        case .interval(let interval): try await Task.sleep(for: interval)
        case .automatic: try await Task.sleep(for: Self.eventGap)
        }
    }
}

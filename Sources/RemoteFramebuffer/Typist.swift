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

    /// Bytes that a press and release leave in a PC's keyboard (scan code set 2: one down, two up).
    fileprivate var bytes: Int { needsShift ? 6 : 3 }

    /// Whether an echo of it shows: printable and not blank.
    fileprivate var isVisible: Bool { (0x21...0x7E).contains(keysym) }
}

package enum TypingPace: Sendable, Equatable {
    /// A pause after every event of a key, as Packer's `boot_key_interval`.
    case interval(Duration)
    /// As fast as the guest takes it in.
    case automatic
}

/// Types on a guest's keyboard.
///
/// A PC has room for few keys that the guest has not read yet: 16 bytes in the keyboard, 15 keys in the BIOS. So at the
/// automatic pace keys go out in groups that fit the keyboard, and after each the screen is looked at until it shows what
/// was typed: the guest's own echo. Nothing is lost then, however slow the guest is. Where the screen cannot be read, as
/// many new characters as were typed count as their echo. Keys that were lost before the prompt was there are missed, and
/// typed again. Where a guest shows nothing (a password), keys go out at a tenth of a second each.
package actor Typist {
    private enum Echo { case unknown, seen, absent }

    private static let leftShift: UInt32 = 0xFFE1
    private static let backspace = KeyStroke(keysym: 0xFF08, needsShift: false)
    private static let keyboardBytes = 15
    private static let eventGap = Duration.milliseconds(1)
    private static let silentGap = Duration.milliseconds(100)
    private let connection: VNCConnection
    private let pace: TypingPace
    private let echoLimit: Duration
    private let readText: ReadText
    private var echo = Echo.unknown
    private var pending: [KeyStroke] = []
    /// What was typed since the last key that shows nothing, without blanks.
    private var typed = ""

    /// The lines of text on a screen; nil where there is none that can be read.
    package typealias ReadText = @Sendable (Framebuffer) -> [String]?

    /// - Parameter echoLimit: How long an echo is waited for: a guest may still be on its way to the prompt.
    package init(
        _ connection: VNCConnection, pace: TypingPace, echoLimit: Duration = .seconds(10),
        readText: @escaping ReadText = { _ in nil }
    ) {
        self.connection = connection
        self.pace = pace
        self.echoLimit = echoLimit
        self.readText = readText
    }

    package func type(_ stroke: KeyStroke, _ action: KeyStroke.Action) async throws {
        guard case .automatic = pace, action == .press, stroke.isVisible || stroke.keysym == 0x20 else {
            // Function keys and held keys change the screen in ways nobody can foresee.
            try await flush()
            typed = ""
            return try await send(stroke, action)
        }
        if pending.reduce(stroke.bytes, { $0 + $1.bytes }) > Self.keyboardBytes { try await flush() }
        pending.append(stroke)
    }

    /// Sends what is left, and waits until the guest has taken it in, as far as that can be seen.
    package func flush() async throws {
        let group = pending
        pending = []
        if group.isEmpty { return }
        let visible = group.count { $0.isVisible }
        guard echo != .absent, visible > 0 else {
            for stroke in group {
                try await send(stroke, .press)
                try await Task.sleep(for: Self.silentGap)
            }
            return
        }
        let before = try await connection.framebuffer()
        let textBefore = typed.isEmpty ? readText(before) : nil
        try await send(group)
        if try await waitForEcho(of: visible, since: before) { return }
        if let textBefore, let text = readText(await connection.picture), lacksBeginning(textBefore, text) {
            // What went before the prompt (iPXE, say) took the first keys. The prompt shows the others: once more, whole.
            for _ in group { try await send(Self.backspace, .press) }
            typed = ""
            let before = try await connection.framebuffer()
            try await send(group)
            if try await waitForEcho(of: visible, since: before) { return }
        }
        echo = .absent
    }

    private func send(_ group: [KeyStroke]) async throws {
        for stroke in group {
            try await send(stroke, .press)
            if stroke.isVisible, let scalar = Unicode.Scalar(stroke.keysym) { typed.unicodeScalars.append(scalar) }
        }
    }

    private func waitForEcho(of visible: Int, since before: Framebuffer) async throws -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + echoLimit
        while clock.now < end {
            let count = await connection.updates
            try await connection.requestChanges()
            _ = try await connection.waitForUpdate(after: count, limit: .milliseconds(100))
            if await shows(connection.picture, since: before, visible) {
                echo = .seen
                return true
            }
        }
        return false
    }

    /// Whether the screen now ends with the last of the keys and not with the first ones: no chance, but an echo.
    private func lacksBeginning(_ before: [String], _ after: [String]) -> Bool {
        let (before, after) = (Self.withoutBlanks(before), Self.withoutBlanks(after))
        return (1..<max(typed.count - 1, 1)).contains { lost in
            let rest = typed.dropFirst(lost)
            return after.hasSuffix(rest) && !before.hasSuffix(rest)
        }
    }

    /// Long commands wrap, and blanks at the end of a line do not show: neither is looked at.
    private static func withoutBlanks(_ lines: [String]) -> String { lines.joined().filter { $0 != " " } }

    private func shows(_ picture: Framebuffer, since before: Framebuffer, _ visible: Int) -> Bool {
        if let lines = readText(picture) {
            return Self.withoutBlanks(lines).contains(typed.suffix(24))
        }
        // The cursor is a change of its own; much more is not our doing.
        return (visible...visible + 3).contains(picture.changedCells(since: before))
    }

    private func send(_ stroke: KeyStroke, _ action: KeyStroke.Action) async throws {
        if stroke.needsShift && action != .up { try await event(Self.leftShift, down: true) }
        if action != .up { try await event(stroke.keysym, down: true) }
        if action != .down { try await event(stroke.keysym, down: false) }
        if stroke.needsShift && action != .up { try await event(Self.leftShift, down: false) }
    }

    private func event(_ keysym: UInt32, down: Bool) async throws {
        try await connection.sendKey(keysym, down: down)
        switch pace {
        case .interval(let interval): try await Task.sleep(for: interval)
        case .automatic: try await Task.sleep(for: Self.eventGap)
        }
    }
}

extension Framebuffer {
    /// How many character cells differ; all of them when the size does.
    func changedCells(since other: Framebuffer) -> Int {
        // Text modes of 720 pixels have cells of 9, all others of 8.
        let cell = width == 720 ? 9 : 8
        guard width == other.width, height == other.height else { return width * height / (cell * 16) }
        var count = 0
        for top in stride(from: 0, to: height, by: 16) {
            for left in stride(from: 0, to: width, by: cell) {
                cell: for y in top..<min(top + 16, height) {
                    for x in left..<min(left + cell, width) where self[x, y] != other[x, y] {
                        count += 1
                        break cell
                    }
                }
            }
        }
        return count
    }
}

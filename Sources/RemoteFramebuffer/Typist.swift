/// A key to type.
package struct KeyStroke: Sendable, Equatable {
    /// Whether the key is pressed and released, or only one of the two.
    package enum Action: Sendable { case press, down, up }

    /// The X11 keysym value.
    package var keysym: UInt32
    /// Whether the left Shift key is held while it is pressed.
    package var needsShift: Bool

    package init(keysym: UInt32, needsShift: Bool) {
        self.keysym = keysym
        self.needsShift = needsShift
    }

    /// The bytes that a press and release take in a PC keyboard's buffer (scan code set 2: one down, two up).
    fileprivate var bytes: Int { needsShift ? 6 : 3 }

    /// Whether its echo is visible: printable and not blank.
    fileprivate var isVisible: Bool { (0x21...0x7E).contains(keysym) }
}

/// How fast to type.
package enum TypingPace: Sendable, Equatable {
    /// A pause after every key event, as Packer's `boot_key_interval`.
    case interval(Duration)
    /// As fast as the guest reads the keys.
    case automatic
}

/// Types on a guest's keyboard.
///
/// A PC buffers few keys that the guest has not read: 16 bytes in the keyboard, 15 keys in the BIOS. So at the automatic
/// pace no more keys are in flight than the keyboard can hold, and more are sent only once the screen shows the guest's
/// echo of them. No key is lost then, however slow the guest is. If the screen cannot be read, as many new characters as
/// were typed count as their echo. Keys that were lost before the prompt appeared are noticed and typed again. If a guest
/// shows nothing (a password), a key is sent every tenth of a second.
package actor Typist {
    private enum Echo { case unknown, seen, absent }

    private static let leftShift: UInt32 = 0xFFE1
    private static let backspace = KeyStroke(keysym: 0xFF08, needsShift: false)
    private static let keyboardBytes = 15
    private static let eventGap = Duration.milliseconds(1)
    private static let silentGap = Duration.milliseconds(100)
    private let connection: any ScreenConnection
    private let pace: TypingPace
    private let echoLimit: Duration
    private let readText: ReadText
    private var echo = Echo.unknown
    /// Keys whose echo has not been seen yet.
    private var inFlight: [KeyStroke] = []
    /// What was typed since the last key without a visible echo, without blanks, and how much of it the screen has shown.
    private var typed = ""
    private var shown = 0
    /// The screen before the first of the keys in flight, and its text before the first key that was typed.
    private var before = Framebuffer(width: 0, height: 0)
    private var textBefore: String?

    /// Reads the lines of text on a screen; nil if it cannot be read.
    package typealias ReadText = @Sendable (Framebuffer) -> [String]?

    /// - Parameter echoLimit: How long to wait for an echo: a guest may not have reached its prompt yet.
    package init(
        _ connection: any ScreenConnection, pace: TypingPace, echoLimit: Duration = .seconds(10),
        readText: @escaping ReadText = { _ in nil }
    ) {
        self.connection = connection
        self.pace = pace
        self.echoLimit = echoLimit
        self.readText = readText
    }

    /// Types a key.
    package func type(_ stroke: KeyStroke, _ action: KeyStroke.Action) async throws {
        guard case .automatic = pace, action == .press, stroke.isVisible || stroke.keysym == 0x20 else {
            // Function keys and held keys change the screen unpredictably.
            try await flush()
            typed = ""
            return try await send(stroke, action)
        }
        while inFlight.reduce(stroke.bytes, { $0 + $1.bytes }) > Self.keyboardBytes { try await awaitEcho() }
        if echo == .absent {
            try await send(stroke, .press)
            try await Task.sleep(for: Self.silentGap)
        } else {
            try await launch(stroke)
        }
    }

    /// Waits until the guest has read all that was typed, as far as that is visible.
    package func flush() async throws {
        while !inFlight.isEmpty { try await awaitEcho() }
    }

    private func launch(_ stroke: KeyStroke) async throws {
        if inFlight.isEmpty {
            // Counting characters needs a current screen.
            before = textBefore == nil || typed.isEmpty ? try await connection.framebuffer() : await connection.picture
        }
        if typed.isEmpty {
            textBefore = readText(before).map(Self.withoutBlanks)
            shown = 0
        }
        try await send(stroke, .press)
        inFlight.append(stroke)
        if stroke.isVisible, let scalar = Unicode.Scalar(stroke.keysym) { typed.unicodeScalars.append(scalar) }
    }

    /// Waits until the guest echoes some of the keys in flight; if it echoes nothing, they no longer count as in flight.
    private func awaitEcho() async throws {
        guard inFlight.contains(where: \.isVisible) else {
            // Blanks alone are not visible.
            try await Task.sleep(for: Self.silentGap * inFlight.count)
            inFlight = []
            return
        }
        if try await seesEcho() { return }
        if shown == 0, let text = readText(await connection.picture), lacksBeginning(Self.withoutBlanks(text)) {
            // A program before the prompt (such as iPXE) read the first keys, and the prompt shows the others: type all again.
            let strokes = inFlight
            for _ in strokes { try await send(Self.backspace, .press) }
            inFlight = []
            typed = ""
            for stroke in strokes { try await launch(stroke) }
            if try await seesEcho() { return }
        }
        echo = .absent
        inFlight = []
    }

    private func seesEcho() async throws -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + echoLimit
        while clock.now < end {
            let count = await connection.updates
            try await connection.requestChanges()
            _ = try await connection.waitForUpdate(after: count, limit: .milliseconds(100))
            let now = await countShown(on: connection.picture)
            guard now > shown else { continue }
            shown = now
            echo = .seen
            // Blanks arrive with what follows them.
            while let first = inFlight.firstIndex(where: \.isVisible),
                inFlight.count(where: \.isVisible) > typed.count - shown
            {
                inFlight.removeFirst(first + 1)
            }
            return true
        }
        return false
    }

    /// The number of typed characters that the screen shows, at least those that it has shown before.
    private func countShown(on picture: Framebuffer) -> Int {
        guard let lines = readText(picture) else {
            // The cursor is one more change; many more are not caused by our keys.
            let visible = inFlight.count(where: \.isVisible)
            return (visible...visible + 3).contains(picture.changedCells(since: before)) ? typed.count : shown
        }
        let text = Self.withoutBlanks(lines)
        return stride(from: typed.count, to: shown, by: -1).first { count in
            let end = String(typed.prefix(count).suffix(24))
            return text.occurrences(of: end) > (textBefore?.occurrences(of: end) ?? 0)
        } ?? shown
    }

    /// Whether the screen now ends with the last keys but not with the first ones, which only an echo explains.
    private func lacksBeginning(_ after: String) -> Bool {
        guard let textBefore else { return false }
        return (1..<max(typed.count - 1, 1)).contains { lost in
            let rest = typed.dropFirst(lost)
            return after.hasSuffix(rest) && !textBefore.hasSuffix(rest)
        }
    }

    /// Removes line breaks and blanks: long commands wrap, and blanks at the end of a line are not visible.
    private static func withoutBlanks(_ lines: [String]) -> String { lines.joined().filter { $0 != " " } }

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

extension String {
    /// The number of occurrences of a text.
    fileprivate func occurrences(of text: String) -> Int { ranges(of: text).count }
}

extension Framebuffer {
    /// The number of character cells that differ; all of them if the sizes differ.
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

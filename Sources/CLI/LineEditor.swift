import Foundation

/// Reads lines from a terminal, with the usual editing keys and a history that lasts as long as the editor.
struct LineEditor {
    let prompt: String
    private var history: [String] = []
    private var line: [Character] = []
    private var cursor = 0
    /// Which entry of the history is shown; its count for the new line.
    private var entry = 0

    private static let longestHistory = 1000

    init(prompt: String) { self.prompt = prompt }

    /// Arrows, Home and End are the Ctrl-letters that do the same.
    private enum Key {
        case character(Character), control(Character), delete, other
    }

    /// Reads a line; nil at Ctrl-D, at Ctrl-C on an empty line, or when the terminal is gone.
    mutating func readLine() -> String? {
        (line, cursor, entry) = ([], 0, history.count)
        var saved = termios()
        guard tcgetattr(STDIN_FILENO, &saved) == 0 else { return Swift.readLine() }
        var raw = saved
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        raw.c_iflag &= ~tcflag_t(IXON | ICRNL)
        // Only while a line is edited: evaluating it can be interrupted.
        guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else { return Swift.readLine() }
        defer {
            tcsetattr(STDIN_FILENO, TCSADRAIN, &saved)
            write("\r\n")
        }
        draw()
        while let key = readKey() {
            switch key {
            case .control("M"), .control("J"):
                let text = String(line)
                if !line.isEmpty, history.last != text { history.append(text) }
                if history.count > Self.longestHistory { history.removeFirst() }
                return text
            case .control("D") where line.isEmpty, .control("C") where line.isEmpty: return nil
            default: edit(key)
            }
            draw()
        }
        return nil
    }

    private mutating func edit(_ key: Key) {
        switch key {
        case .character(let character):
            line.insert(character, at: cursor)
            cursor += 1
        case .control("B"): cursor = max(0, cursor - 1)
        case .control("F"): cursor = min(line.count, cursor + 1)
        case .control("A"): cursor = 0
        case .control("E"): cursor = line.count
        case .delete, .control("D"): if cursor < line.count { line.remove(at: cursor) }
        case .control("?"), .control("H"):
            erase(to: max(0, cursor - 1))
        case .control("C"): (line, cursor) = ([], 0)
        case .control("K"): line.removeSubrange(cursor...)
        case .control("U"): erase(to: 0)
        case .control("W"): erase(to: line[..<cursor].reversed().drop { $0 == " " }.drop { $0 != " " }.count)
        case .control("P"): if entry > 0 { recall(entry - 1) }
        case .control("N"): if entry < history.count { recall(entry + 1) }
        case .control, .other: break
        }
    }

    private mutating func erase(to start: Int) {
        line.removeSubrange(start..<cursor)
        cursor = start
    }

    private mutating func recall(_ index: Int) {
        entry = index
        line = index < history.count ? Array(history[index]) : []
        cursor = line.count
    }

    // MARK: Drawing

    /// Draws as much of the line as fits, with the cursor visible.
    private func draw() {
        let room = max(8, (Terminal.width > 0 ? Terminal.width : 80) - prompt.count - 1)
        var (start, used) = (cursor, 0)
        while start > 0, used + cells(line[start - 1]) <= room {
            start -= 1
            used += cells(line[start])
        }
        var (end, after) = (cursor, 0)
        while end < line.count, used + after + cells(line[end]) <= room {
            after += cells(line[end])
            end += 1
        }
        write("\r" + prompt + String(line[start..<end]) + "\u{1B}[K" + (after > 0 ? "\u{1B}[\(after)D" : ""))
    }

    private func write(_ text: String) { put(text) }

    // MARK: Keys

    private func readByte() -> UInt8? {
        var byte: UInt8 = 0
        var count = read(STDIN_FILENO, &byte, 1)
        while count < 0, errno == EINTR { count = read(STDIN_FILENO, &byte, 1) }
        return count == 1 ? byte : nil
    }

    private func readKey() -> Key? {
        guard let byte = readByte() else { return nil }
        if byte == 0x1B { return readSequence() }
        if byte < 0x20 || byte == 0x7F { return .control(Character(Unicode.Scalar(byte ^ 0x40))) }
        let following = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0
        let bytes = [byte] + (0..<following).compactMap { _ in readByte() }
        // More than one if the terminal sends bytes that are not UTF-8.
        let characters = Array(String(decoding: bytes, as: UTF8.self))
        return characters.count == 1 ? .character(characters[0]) : .other
    }

    /// What follows the escape byte of a key with a name.
    private func readSequence() -> Key? {
        var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        // The Escape key alone sends nothing more.
        guard poll(&input, 1, 50) > 0, let kind = readByte() else { return .other }
        guard kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return .other }
        var text = ""
        while text.utf8.count < 16, let byte = readByte() {
            text.unicodeScalars.append(Unicode.Scalar(byte))
            if (0x40...0x7E).contains(byte) { break }
        }
        let controls: [String: Character] = [
            "A": "P", "B": "N", "C": "F", "D": "B", "H": "A", "1~": "A", "7~": "A", "F": "E", "4~": "E", "8~": "E",
        ]
        return text == "3~" ? .delete : controls[text].map(Key.control) ?? .other
    }
}

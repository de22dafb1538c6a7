import Diagnostics

/// A step of typing a boot command.
package enum BootStep: Hashable, Sendable {
    case wait(Duration)
    case key(Keysym, Action)

    /// What to do with a key.
    package enum Action: Hashable, Sendable {
        /// Presses and releases the key.
        case press
        case down
        case up
    }
}

/// A parsed boot command: its steps, and warnings about it.
package struct ParsedBootCommand: Hashable, Sendable {
    /// The steps in the order of typing.
    package var steps: [BootStep]
    /// Text that looks like a mistake.
    package var warnings: [BootCommandWarning]

    package init(steps: [BootStep] = [], warnings: [BootCommandWarning] = []) {
        self.steps = steps
        self.warnings = warnings
    }
}

/// Text that is typed, but probably not as it was meant.
package struct BootCommandWarning: Hashable, Sendable, CustomStringConvertible {
    /// The place in the command's text, in UTF-8 bytes.
    package var range: Range<Int>
    package var description: String

    package init(range: Range<Int>, description: String) {
        self.range = range
        self.description = description
    }
}

/// A character that no key of a US keyboard types.
package struct BootCommandError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The character that cannot be typed.
    package var character: Character
    /// The place in the command's text, in UTF-8 bytes.
    package var range: Range<Int>
    /// The position in characters, counted from 1.
    package var position: Int

    package init(character: Character, range: Range<Int>, position: Int) {
        self.character = character
        self.range = range
        self.position = position
    }

    package var description: String {
        let codes = character.unicodeScalars.map { "U+" + String($0.value, radix: 16, uppercase: true) }
        let shown = character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } ? "" : "“\(character)” "
        return "The character \(shown)(\(codes.joined(separator: " "))) at position \(position) cannot be typed: "
            + "no key of a US keyboard types it"
    }
}

/// Turns a boot command into key events.
///
/// `<wait>` is a second, `<wait5>` five seconds, `<wait1m20s>` a Go duration; `<enter>` and the other names press a key,
/// `<leftCtrlOn>` holds one and `<leftCtrlOff>` releases it, as do `<aOn>` and `<aOff>` for any character. All other
/// text is typed as it is, including a `<word>` that is not the name of a key. A line break types nothing: QEMU has no
/// key for it, and templates with heredocs rely on that.
package func parseBootCommand(_ text: String) throws(BootCommandError) -> ParsedBootCommand {
    var result = ParsedBootCommand()
    var index = text.startIndex
    var offset = 0
    var position = 1
    while index < text.endIndex {
        let character = text[index]
        if character == "<", let token = Token(at: index, in: text) {
            if let step = token.step {
                result.steps.append(step)
                offset += token.text.utf8.count
                position += token.text.count
                index = text.index(index, offsetBy: token.text.count)
                continue
            }
            if let complaint = token.complaint {
                result.warnings.append(
                    BootCommandWarning(range: offset..<(offset + token.text.utf8.count), description: complaint))
            }
        }
        let length = String(character).utf8.count
        if character == "\t" {
            result.steps.append(.key(.tab, .press))
        } else if !character.isNewline {
            guard let key = Keysym(character: character) else {
                throw BootCommandError(character: character, range: offset..<(offset + length), position: position)
            }
            result.steps.append(.key(key, .press))
        }
        offset += length
        position += 1
        index = text.index(after: index)
    }
    return result
}

/// `<…>` in a boot command: a step, or text that looks like one.
private struct Token {
    /// The text with its angle brackets.
    var text: Substring
    var step: BootStep?

    private static let longest = 48

    init?(at start: String.Index, in text: String) {
        var end = text.index(after: start)
        // `<>On>` and `<<On>` hold the keys of the brackets themselves, so the first character may be anything.
        guard end < text.endIndex else { return nil }
        end = text.index(after: end)
        var length = 2
        while end < text.endIndex, text[end] != ">", text[end] != "<", !text[end].isNewline {
            end = text.index(after: end)
            length += 1
            if length > Self.longest { return nil }
        }
        guard end < text.endIndex, text[end] == ">" else { return nil }
        self.text = text[start...end]
        step = Self.step(for: self.text.dropFirst().dropLast())
    }

    private static func step(for word: Substring) -> BootStep? {
        if word == "wait" { return .wait(.seconds(1)) }
        if word.hasPrefix("wait") {
            let amount = String(word.dropFirst(4))
            let isCount = amount.allSatisfy { $0.isASCII && $0.isNumber }
            guard let wait = parseGoDuration(isCount ? amount + "s" : amount), wait > .zero else { return nil }
            return .wait(wait)
        }
        if let key = Keysym(name: String(word)) { return .key(key, .press) }
        let lowered = word.lowercased()
        for (suffix, action) in [("on", BootStep.Action.down), ("off", .up)] where lowered.hasSuffix(suffix) {
            let name = String(word.dropLast(suffix.count))
            if let key = Keysym(name: name) { return .key(key, action) }
            if name.count == 1, let key = name.first.flatMap(Keysym.init(character:)) { return .key(key, action) }
        }
        return nil
    }

    /// The warning; nil for text that cannot be meant as a key, such as `<{{ .Name }}>`.
    var complaint: String? {
        let word = text.dropFirst().dropLast()
        guard let first = word.first, first.isASCII, first.isLetter else { return nil }
        guard word.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || " '\"_-.".contains($0)) }) else {
            return nil
        }
        if word.lowercased().hasPrefix("wait") {
            return "\(text) is not a valid wait, so it is typed letter by letter; "
                + "write <wait>, <wait10> or <wait1m30s>"
        }
        var candidates = Keysym.names
        for suffix in ["on", "off"] { candidates += Keysym.names.map { $0 + suffix } }
        let hint = suggestion(for: String(word), among: candidates + ["wait"]).map { "; did you mean <\($0)>?" } ?? ""
        return "\(text) is not the name of a key, so it is typed letter by letter" + hint
    }
}

import Diagnostics

extension JSONReader {
    /// Reads a string.
    ///
    /// - Returns: The text, and where each of its bytes and the closing quote are; nil where there is no escape, and if
    ///   that is not asked for.
    mutating func string() throws(Stop) -> (text: String, offsets: [Int]?) {
        let start = position
        position += 1
        var text: [UInt8] = []
        var offsets: [Int] = []
        var hasEscape = false
        while true {
            let plain = position
            while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            let end = position
            switch current {
            case UInt8(ascii: "\""):
                position += 1
                // The file is valid UTF-8, and so is what escapes add.
                guard hasEscape else { return (String(decoding: bytes[plain..<end], as: UTF8.self), nil) }
                text += bytes[plain..<end]
                if locatesEscapes { offsets += plain...end }
                return (String(decoding: text, as: UTF8.self), locatesEscapes ? offsets : nil)
            case UInt8(ascii: "\\"):
                hasEscape = true
                text += bytes[plain..<end]
                try escape(into: &text)
                guard locatesEscapes else { continue }
                offsets += plain..<end
                offsets += repeatElement(end, count: text.count - offsets.count)
            case let byte?:
                let isEnd = byte == 0x0A || byte == 0x0D
                let escape = isEnd ? "\\n for a line break" : byte == 9 ? "\\t for a tab" : "\\u00XX"
                throw stop(
                    isEnd ? "The string is not closed on its line" : "A control character in a string",
                    "Write \(escape), and close the string with a double quote.",
                    isEnd ? range(start, end) : range(end, end + 1))
            case nil: throw stop("The string is not closed", "", range(from: start))
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(Stop) {
        let start = position
        position += 1
        let letter = current ?? 0
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard var scalar = hexadecimal() else { fallthrough }
            // A pair of surrogates is one character; a lone one is replaced.
            if (0xD800..<0xDC00).contains(scalar), current == UInt8(ascii: "\\") {
                let mark = position
                position += 1
                let isEscape = current == UInt8(ascii: "u")
                position += 1
                if isEscape, let low = hexadecimal(), (0xDC00..<0xE000).contains(low) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = mark
                }
            }
            text += Array(String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8)
        default:
            position = min(position, bytes.count)
            throw stop(
                "JSON has no such escape",
                "There are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four digits; a backslash itself is \\\\.",
                range(from: start))
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = bytes[position..<position + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        position += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

import Diagnostics

extension JSONParser {
    mutating func string() throws(Stop) -> JSONNode {
        let start = index
        index += 1
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                // The file is valid UTF-8, and so is what escapes add.
                return JSONNode(kind: .string(String(decoding: text, as: UTF8.self)), range: range(from: start))
            case UInt8(ascii: "\\"): try escape(into: &text)
            case ..<0x20:
                let isEnd = byte == 0x0A || byte == 0x0D
                let escape = isEnd ? "\\n for a line break" : byte == 9 ? "\\t for a tab" : "\\u00XX"
                throw stop(
                    isEnd ? "The string is not closed on its line" : "A control character stands in a string",
                    "Write \(escape), and close the string with a double quote.",
                    SourceRange(file: file, start: isEnd ? start : index, end: isEnd ? index : index + 1))
            default:
                text.append(byte)
                index += 1
            }
        }
        throw stop("The string is not closed", "", range(from: start))
    }

    private mutating func escape(into text: inout [UInt8]) throws(Stop) {
        let start = index
        index += 1
        let letter = current ?? 0
        index += 1
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
                let mark = index
                index += 1
                let isEscape = current == UInt8(ascii: "u")
                index += 1
                if isEscape, let low = hexadecimal(), (0xDC00..<0xE000).contains(low) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    index = mark
                }
            }
            text += Array(String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8)
        default:
            index = min(index, bytes.count)
            throw stop(
                "JSON has no such escape",
                "There are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four digits; a backslash itself is \\\\.",
                range(from: start))
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        let digits = bytes[index..<index + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        index += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}

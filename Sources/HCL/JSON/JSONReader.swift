import Diagnostics

/// Reads JSON by RFC 8259; one problem ends it.
struct JSONReader {
    /// What is wrong, and where.
    struct Problem: Error {
        var summary: String
        var detail: String
        var range: SourceRange
    }

    private let file: String
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private static let deepestNesting = 120
    private static let largestFile = 64 << 20

    init(_ file: SourceFile) {
        self.file = file.name
        bytes = Array(file.text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// The one value of the file.
    mutating func read() throws(Problem) -> JSONNode {
        guard bytes.count <= Self.largestFile else {
            throw Problem(
                summary: "The file is too large", detail: "At most 64 MiB are read.", range: range(from: 0, to: 1))
        }
        let node = try value()
        skipSpace()
        guard position == bytes.count else {
            throw problem("Extraneous data after value", "The file ends with its first value.")
        }
        return node
    }

    private func range(from start: Int, to end: Int) -> SourceRange { SourceRange(file: file, start: start, end: end) }

    /// At the next character, or the one that starts at `start`.
    private func problem(_ summary: String, _ detail: String, at start: Int? = nil) -> Problem {
        let start = min(start ?? position, bytes.count)
        var end = min(start + 1, bytes.count)
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        return Problem(summary: summary, detail: detail, range: range(from: start, to: max(end, position)))
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func value() throws(Problem) -> JSONNode {
        skipSpace()
        guard position < bytes.count else { throw problem("Missing value", "The file ends where a value is expected.") }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepestNesting else {
            throw problem("Nested too deeply", "There are more than \(Self.deepestNesting) levels.")
        }
        let start = position
        let kind: JSONNode.Kind
        switch bytes[position] {
        case UInt8(ascii: "{"): kind = .object(try properties())
        case UInt8(ascii: "["): kind = .array(try elements())
        case UInt8(ascii: "\""): kind = .string(try string())
        case UInt8(ascii: "-"), 0x30...0x39: kind = .number(try number())
        default: kind = try word()
        }
        return JSONNode(kind: kind, range: range(from: start, to: position))
    }

    private mutating func word() throws(Problem) -> JSONNode.Kind {
        let start = position
        while position < bytes.count, bytes[position] | 0x20 >= 0x61, bytes[position] | 0x20 <= 0x7A { position += 1 }
        switch String(decoding: bytes[start..<position], as: UTF8.self) {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case "":
            switch bytes[start] {
            case UInt8(ascii: "'"):
                throw problem("Invalid JSON value", "Strings stand in double quotes.", at: start)
            case UInt8(ascii: "/"), UInt8(ascii: "#"):
                throw problem(
                    "Invalid JSON value", "JSON has no comments. A property named \"//\" is ignored in a block.",
                    at: start)
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                throw problem("Missing value", "JSON does not allow a comma after the last element.", at: start)
            default: throw problem("Invalid JSON value", "Expected the start of a JSON value.", at: start)
            }
        case let word:
            throw problem(
                "Invalid JSON keyword",
                "“\(word)” is no value. Strings stand in double quotes; known words are true, false and null.",
                at: start)
        }
    }

    private mutating func number() throws(Problem) -> Number {
        let start = position
        func isDigit(_ index: Int) -> Bool { index < bytes.count && (0x30...0x39).contains(bytes[index]) }
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let wholeStart = position
        while isDigit(position) { position += 1 }
        var isValid = position > wholeStart && !(bytes[wholeStart] == 0x30 && position > wholeStart + 1)
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            isValid = isValid && isDigit(position)
            while isDigit(position) { position += 1 }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            isValid = isValid && isDigit(position)
            while isDigit(position) { position += 1 }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard isValid, let number = Number(text) else {
            throw problem(
                "Invalid JSON number",
                "A number is written 0, -12, 1.5 or 2e10, without zeros before it, with at most 10000 digits.",
                at: start)
        }
        return number
    }

    private mutating func elements() throws(Problem) -> [JSONNode] {
        let start = position
        position += 1
        skipSpace()
        if take("]") { return [] }
        var elements: [JSONNode] = []
        while true {
            elements.append(try value())
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw unclosed("[", start, "Expected a comma and the next element, or a bracket.") }
        }
    }

    private mutating func properties() throws(Problem) -> [JSONNode.Property] {
        let start = position
        position += 1
        skipSpace()
        if take("}") { return [] }
        var properties: [JSONNode.Property] = []
        while true {
            skipSpace()
            guard position < bytes.count else { throw unclosed("{", start, "") }
            guard bytes[position] == UInt8(ascii: "\"") else {
                if bytes[position] == UInt8(ascii: "}") {
                    throw problem("Trailing comma in object", "JSON does not allow a comma after the last property.")
                }
                throw problem("Invalid JSON property name", "The name of a property stands in double quotes.")
            }
            let name = try string()
            skipSpace()
            guard take(":") else {
                throw problem(
                    "Missing property value colon", "The name of a property is followed by a colon and its value.")
            }
            properties.append(JSONNode.Property(name: name, value: try value()))
            skipSpace()
            if take("}") { return properties }
            guard take(",") else { throw unclosed("{", start, "Expected a comma and the next property, or a brace.") }
        }
    }

    private func unclosed(_ bracket: String, _ start: Int, _ detail: String) -> Problem {
        guard position < bytes.count else {
            return Problem(
                summary: bracket == "{" ? "Unclosed object" : "Unclosed array",
                detail: "It is not closed before the end of the file.", range: range(from: start, to: start + 1))
        }
        return problem(bracket == "{" ? "Missing property separator" : "Missing element separator", detail)
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    // MARK: Strings

    private mutating func string() throws(Problem) -> JSONText {
        let start = position
        position += 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\"),
            bytes[position] >= 0x20
        {
            position += 1
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return JSONText(
                bytes: Array(bytes[(start + 1)..<(position - 1)]), range: range(from: start, to: position))
        }
        position = start + 1
        var text: [UInt8] = []
        var offsets: [Int] = []
        while position < bytes.count {
            let place = position
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                return JSONText(bytes: text, range: range(from: start, to: position), offsets: offsets + [place])
            }
            guard byte >= 0x20 else {
                throw problem(
                    "Invalid JSON string", "A string ends on its line; a newline is written \\n and a tab \\t.",
                    at: place)
            }
            if byte == UInt8(ascii: "\\") { text += try escape(place) } else { text.append(byte) }
            offsets += [Int](repeating: place, count: text.count - offsets.count)
        }
        throw Problem(
            summary: "Unterminated string", detail: "It is not closed before the end of the file.",
            range: range(from: start, to: start + 1))
    }

    private static let plainEscapes: [UInt8: UInt8] = [
        0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x62: 0x08, 0x66: 0x0C, 0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F,
    ]

    private mutating func escape(_ start: Int) throws(Problem) -> [UInt8] {
        guard position < bytes.count else { return [] }
        let letter = bytes[position]
        position += 1
        if let byte = Self.plainEscapes[letter] { return [byte] }
        guard letter == UInt8(ascii: "u"), let first = hex() else {
            throw problem(
                "Invalid escape sequence", "Known are \\n \\r \\t \\b \\f \\\" \\\\ \\/ and \\uNNNN.", at: start)
        }
        var scalar = Unicode.Scalar(first)
        if (0xD800..<0xDC00).contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            let before = position
            position += 2
            if let second = hex(), (0xDC00..<0xE000).contains(second) {
                scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            } else {
                position = before
            }
        }
        // Half of a pair stands for no character.
        return Array(String(scalar ?? "\u{FFFD}").utf8)
    }

    private mutating func hex() -> UInt32? {
        let digits = bytes[position..<min(position + 4, bytes.count)]
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { return nil }
        position += 4
        return code
    }
}

/// A value as compact JSON: keys sorted, `< > &` escaped as the reference does.
public func encodeJSON(_ value: Value) -> String {
    switch value {
    case .null, .unknown: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .number(let number): return number.text
    case .string(let text): return quotedJSON(text)
    case .list(let values), .set(let values), .tuple(let values):
        return "[" + values.map(encodeJSON).joined(separator: ",") + "]"
    case .map, .object:
        let members = (value.members ?? []).map { quotedJSON($0.key.stringValue ?? "") + ":" + encodeJSON($0.value) }
        return "{" + members.joined(separator: ",") + "}"
    }
}

private func quotedJSON(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "<", ">", "&", "\u{2028}", "\u{2029}": result += escape(scalar)
        case _ where scalar.value < 0x20: result += escape(scalar)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

private func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
}

/// JSON as a value: objects and tuples, numbers exact.
///
/// - Throws: For text that is not one JSON value, and for more than 200 levels of nesting.
public func decodeJSON(_ text: String) throws(FunctionError) -> Value {
    var reader = JSONReader(bytes: Array(text.utf8))
    return try reader.read()
}

private struct JSONReader {
    let bytes: [UInt8]
    var position = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func read() throws(FunctionError) -> Value {
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw problem("extra characters after the value") }
        return value
    }

    private func problem(_ what: String) -> FunctionError {
        let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == 0x0A }
        return FunctionError("invalid JSON in line \(line): \(what)", argument: 0)
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func value() throws(FunctionError) -> Value {
        skipSpace()
        guard position < bytes.count else { throw problem("a value is missing") }
        depth += 1
        defer { depth -= 1 }
        guard depth <= 200 else { throw problem("it is nested too deeply") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        default: return try word()
        }
    }

    private mutating func word() throws(FunctionError) -> Value {
        let start = position
        while position < bytes.count,
            ![0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(bytes[position])
        {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default:
            guard !text.hasPrefix("+"), let number = Number(text) else {
                position = start
                throw problem("\"\(text.prefix(20))\" is no value")
            }
            return .number(number)
        }
    }

    private mutating func array() throws(FunctionError) -> Value {
        position += 1
        var values: [Value] = []
        skipSpace()
        if take("]") { return .tuple([]) }
        while true {
            values.append(try value())
            skipSpace()
            if take("]") { return .tuple(values) }
            guard take(",") else { throw problem("a comma or ] is missing") }
        }
    }

    private mutating func object() throws(FunctionError) -> Value {
        position += 1
        var members: [String: Value] = [:]
        skipSpace()
        if take("}") { return .object([:]) }
        while true {
            skipSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw problem("a key in quotes is missing")
            }
            let key = try string()
            skipSpace()
            guard take(":") else { throw problem("a colon is missing after \"\(key)\"") }
            members[key] = try value()
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw problem("a comma or } is missing") }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func string() throws(FunctionError) -> String {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard position < bytes.count else { break }
            let letter = bytes[position]
            position += 1
            let plain: [UInt8: UInt8] = [
                0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09, 0x62: 0x08, 0x66: 0x0C, 0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F,
            ]
            if let character = plain[letter] {
                text.append(character)
            } else if letter == UInt8(ascii: "u") {
                text += Array(String(try scalar()).utf8)
            } else {
                throw problem("unknown escape in a string")
            }
        }
        throw problem("a string is not closed")
    }

    private mutating func scalar() throws(FunctionError) -> Unicode.Scalar {
        let first = try hex()
        if (0xD800..<0xDC00).contains(first), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let second = try hex()
            if (0xDC00..<0xE000).contains(second) {
                return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? "\u{FFFD}"
            }
        }
        return Unicode.Scalar(first) ?? "\u{FFFD}"
    }

    private mutating func hex() throws(FunctionError) -> UInt32 {
        let digits = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
        guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16) else {
            throw problem("\\u needs four digits")
        }
        position += 4
        return code
    }
}

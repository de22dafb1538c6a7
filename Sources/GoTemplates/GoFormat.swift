import FoundationEssentials

/// Go's `fmt` and escaping, as far as templates reach them.
enum GoFormat {
    /// `print`: a space between two neighbours that are both no text.
    static func printed(_ values: [GoValue]) -> String {
        var out = ""
        var wasText = true
        for (index, value) in values.enumerated() {
            var isText = false
            if case .string = value { isText = true }
            if index > 0, !wasText, !isText { out += " " }
            out += value.text
            wasText = isText
        }
        return out
    }

    static func split(_ text: String, by separator: String) -> [String] {
        if separator.isEmpty { return text.unicodeScalars.map { String(Character($0)) } }
        let bytes = Array(text.utf8)
        let needle = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        var index = 0
        while index + needle.count <= bytes.count {
            if bytes[index..<(index + needle.count)].elementsEqual(needle) {
                parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
                index += needle.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    static func replace(_ text: String, _ old: String, by new: String, limit: Int?) -> String {
        let parts = split(text, by: old)
        let limit = limit ?? Int.max
        var out = old.isEmpty && limit > 0 ? new : ""
        var count = old.isEmpty && limit > 0 ? 1 : 0
        for (index, part) in parts.enumerated() {
            out += part
            guard index < parts.count - 1 || old.isEmpty && !part.isEmpty else { break }
            out += count < limit ? new : old
            count += 1
        }
        return out
    }

    static func html(_ text: String) -> String {
        text.map { character in
            switch character {
            case "<": "&lt;"
            case ">": "&gt;"
            case "&": "&amp;"
            case "\"": "&#34;"
            case "'": "&#39;"
            default: String(character)
            }
        }.joined()
    }

    static func javaScript(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "'": "\\'"
            case "\"": "\\\""
            case "<", ">", "&", "=": "\\u00" + String(scalar.value, radix: 16, uppercase: true)
            case "\n": "\\u000A"
            case _ where scalar.value < 0x20:
                "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16, uppercase: true)
            default: String(Character(scalar))
            }
        }.joined()
    }

    static func urlQuery(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-_.~".contains(character) {
                return String(character)
            }
            if byte == 0x20 { return "+" }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    /// `printf` with the verbs v s q d x X o b c t e f g U %, flags `- 0 + space #`, width and precision.
    static func formatted(_ format: String, _ values: [GoValue]) -> String {
        var out = ""
        var next = 0
        var rest = Substring(format)
        while let character = rest.popFirst() {
            guard character == "%" else {
                out.append(character)
                continue
            }
            let flags = rest.prefix { "-0+ #".contains($0) }
            rest = rest.dropFirst(flags.count)
            let width = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(width.count)
            var precision: Int?
            if rest.first == "." {
                rest.removeFirst()
                let digits = rest.prefix { $0.isASCII && $0.isNumber }
                rest = rest.dropFirst(digits.count)
                precision = min(Int(digits) ?? 0, 1000)
            }
            guard let verb = rest.popFirst() else {
                out += "%!(NOVERB)"
                break
            }
            if verb == "%" {
                out += "%"
                continue
            }
            guard next < values.count else {
                out += "%!\(verb)(MISSING)"
                continue
            }
            var text = one(values[next], verb, precision, flags)
            next += 1
            let missing = min(Int(width) ?? 0, 10_000) - text.count
            if missing > 0 {
                if flags.contains("-") {
                    text += String(repeating: " ", count: missing)
                } else if flags.contains("0") {
                    let sign = text.first.map { "+-".contains($0) } ?? false ? 1 : 0
                    text = text.prefix(sign) + String(repeating: "0", count: missing) + text.dropFirst(sign)
                } else {
                    text = String(repeating: " ", count: missing) + text
                }
            }
            out += text
        }
        if next < values.count {
            out += "%!(EXTRA " + values[next...].map { typed($0) + "=" + $0.text }.joined(separator: ", ") + ")"
        }
        return out
    }

    private static func typed(_ value: GoValue) -> String {
        switch value {
        case .int: "int"
        case .float: "float64"
        case .bool: "bool"
        case .string: "string"
        case .list: "[]interface {}"
        case .map: "map[string]interface {}"
        case .none: "<nil>"
        }
    }

    private static func one(_ value: GoValue, _ verb: Character, _ precision: Int?, _ flags: Substring) -> String {
        let plus = flags.contains("+") ? "+" : flags.contains(" ") ? " " : ""
        switch (verb, value) {
        case ("v", .string(let text)) where flags.contains("#"): return quoted(text)
        case ("v", _): return value.text
        case ("s", .string(let text)): return precision.map { String(text.prefix($0)) } ?? text
        case ("s", .list), ("s", .map): return value.text
        case ("q", .string(let text)): return quoted(text)
        case ("t", .bool(let flag)): return String(flag)
        case ("d", .int(let number)): return (number >= 0 ? plus : "") + String(number)
        case ("x", .int(let number)): return String(number, radix: 16)
        case ("X", .int(let number)): return String(number, radix: 16, uppercase: true)
        case ("o", .int(let number)): return String(number, radix: 8)
        case ("b", .int(let number)): return String(number, radix: 2)
        case ("c", .int(let number)):
            return UInt32(exactly: number).flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? "\u{FFFD}"
        case ("U", .int(let number)): return "U+" + String(number, radix: 16, uppercase: true)
        case ("x", .string(let text)): return text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case ("X", .string(let text)):
            return text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()
        case ("f", .float(let number)), ("F", .float(let number)):
            return (number >= 0 ? plus : "") + fixed(number, precision ?? 6)
        case ("g", .float), ("e", .float), ("E", .float), ("G", .float): return value.text
        default: return "%!\(verb)(\(typed(value))=\(value.text))"
        }
    }

    private static func fixed(_ number: Double, _ precision: Int) -> String {
        let digits = min(precision, 15)
        let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        let scaled = (abs(number) * scale).rounded(.toNearestOrEven)
        guard scaled < 9e18 else { return String(number) }
        let whole = String(Int64(scaled))
        let padded = String(repeating: "0", count: max(0, digits + 1 - whole.count)) + whole
        let sign = number < 0 ? "-" : ""
        guard digits > 0 else { return sign + padded }
        return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                out += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// `len`, `index` and `slice`; text counts in bytes, as in Go.
enum GoCollections {
    static func call(_ name: String, _ arguments: [GoValue]) throws(GoTemplateError) -> GoValue {
        guard let subject = arguments.first else { throw GoTemplateError("a value is needed") }
        let rest = Array(arguments.dropFirst())
        switch name {
        case "len": return .int(Int64(try length(subject)))
        case "index":
            var value = subject
            for key in rest { value = try element(key, of: value) }
            return value
        default:
            let count = try length(subject)
            var bounds = [0, count]
            for (index, bound) in rest.prefix(2).enumerated() {
                guard case .int(let number) = bound, let exact = Int(exactly: number) else {
                    throw GoTemplateError("bounds must be integers")
                }
                bounds[index] = exact
            }
            guard 0 <= bounds[0], bounds[0] <= bounds[1], bounds[1] <= count else {
                throw GoTemplateError("the bounds \(bounds[0]) and \(bounds[1]) are outside 0…\(count)")
            }
            switch subject {
            case .string(let text):
                return .string(String(decoding: Array(text.utf8)[bounds[0]..<bounds[1]], as: UTF8.self))
            case .list(let values): return .list(Array(values[bounds[0]..<bounds[1]]))
            default: throw GoTemplateError("\(subject.typeName) cannot be sliced")
            }
        }
    }

    private static func length(_ value: GoValue) throws(GoTemplateError) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .list(let values): values.count
        case .map(let values): values.count
        default: throw GoTemplateError("\(value.typeName) has no length")
        }
    }

    private static func element(_ key: GoValue, of value: GoValue) throws(GoTemplateError) -> GoValue {
        switch (value, key) {
        case (.map(let values), .string(let name)): return values[name] ?? .none
        case (.list(let values), .int(let index)):
            guard index >= 0, index < values.count else { throw GoTemplateError("there is no element \(index)") }
            return values[Int(index)]
        case (.string(let text), .int(let index)):
            let bytes = Array(text.utf8)
            guard index >= 0, index < bytes.count else { throw GoTemplateError("there is no byte \(index)") }
            return .int(Int64(bytes[Int(index)]))
        default: throw GoTemplateError("\(value.typeName) has no element by \(key.typeName)")
        }
    }
}

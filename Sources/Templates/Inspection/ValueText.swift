import HCL

extension Value {
    /// The value as the console prints it: text bare, everything else as HCL, over several lines where it has members.
    ///
    /// As in Packer, members of objects that are null are left out, and numbers that no 64-bit integer holds are rounded to a float.
    func consoleText(without secrets: SecretCollection) -> String {
        if case .string(let text) = self { return secrets.redacted(text) }
        return isSensitive ? Self.hidden : nestedText(indentation: "", secrets)
    }

    private static let hidden = "<sensitive>"

    private func nestedText(indentation: String, _ secrets: SecretCollection) -> String {
        // Before quotes are added: a secret with quotes in it would not be found behind them.
        func quoted(_ text: String) -> String { goQuoted(secrets.redacted(text)) }
        let inner = indentation + "  "
        switch self {
        case .null: return "null"
        case .unknown: return "<unknown>"
        case .sensitive: return goQuoted(Self.hidden)
        case .string(let text): return quoted(text)
        case .number(let number): return number.consoleText
        case .bool(let flag): return flag ? "true" : "false"
        case .list(let values), .set(let values), .tuple(let values):
            if values.isEmpty { return "[]" }
            let lines = values.map { inner + $0.nestedText(indentation: inner, secrets) + ",\n" }
            return "[\n" + lines.joined() + indentation + "]"
        case .map, .object:
            let lines = (members ?? []).compactMap { key, value -> String? in
                guard let name = key.stringValue, !value.isNull else { return nil }
                return inner + quoted(name) + " = " + value.nestedText(indentation: inner, secrets) + "\n"
            }
            return lines.isEmpty ? "{}" : "{\n" + lines.joined() + indentation + "}"
        }
    }
}

extension Number {
    /// As Go's `%v` prints floats: with an exponent from 1e+06 and below 0.0001.
    fileprivate var consoleText: String {
        let double = double
        guard int == nil, double.isFinite, double != 0 else { return text }
        return ShortestDecimal(double).text(plain: 1e-4..<1e6, exponentDigits: 2)
    }
}

/// The text in double quotes, with the escapes of Go's `%q`.
func goQuoted(_ text: String) -> String {
    "\"" + text.unicodeScalars.map(escaped).joined() + "\""
}

private func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{07}": return "\\a"
    case "\u{08}": return "\\b"
    case "\u{0B}": return "\\v"
    case "\u{0C}": return "\\f"
    default: break
    }
    func hexadecimal(_ digits: Int) -> String {
        let text = String(scalar.value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    if isPrintable(scalar) { return String(scalar) }
    if scalar.value < 0x80 { return "\\x" + hexadecimal(2) }
    return scalar.value < 0x10000 ? "\\u" + hexadecimal(4) : "\\U" + hexadecimal(8)
}

/// Letters, marks, numbers, punctuation, symbols and the plain blank.
private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
}

import BootCommand

/// Converts values of a JSON template to the types of options, as Packer's decoder for JSON does: text, numbers and
/// bools convert to each other, a single value for a list of one, and text for a list is cut at its commas.
package enum WeakConversion {
    package typealias Problem = OptionConversion.Problem

    package static func convert(_ value: OptionValue, to kind: Option.Kind) throws(Problem) -> OptionValue {
        switch kind {
        case .text: return .string(try text(value))
        case .duration:
            // A number counts nanoseconds.
            if case .number(let digits) = value { return .string(digits == "0" ? "" : digits + "ns") }
            return try OptionConversion.convert(value, to: .duration)
        case .int: return .number(String(try int(value)))
        case .bool: return .bool(try bool(value))
        case .list: return .list(try elements(value) { value throws(Problem) in .string(try text(value)) })
        case .ints: return .list(try elements(value) { value throws(Problem) in try convert(value, to: .int) })
        case .rows: return .list(try rows(value))
        case .map: return .map(try map(value))
        case .block: throw Problem(message: "must be an object, not \(value.kind)")
        }
    }

    private static func text(_ value: OptionValue) throws(Problem) -> String {
        switch value {
        case .string(let text), .number(let text): return text
        case .bool(let flag): return flag ? "1" : "0"
        case .null: return ""
        default: throw Problem(message: "must be text, not \(value.kind)")
        }
    }

    private static func int(_ value: OptionValue) throws(Problem) -> Int {
        switch value {
        case .bool(let flag): return flag ? 1 : 0
        case .null: return 0
        case .number(let digits):
            if let number = Int(digits) ?? Double(digits).flatMap({ Int(exactly: $0.rounded(.towardZero)) }) {
                return number
            }
            throw Problem(message: "is too large a number")
        case .string(let text):
            if text.isEmpty { return 0 }
            if let number = goInteger(text) { return number }
            throw Problem(message: "must be a whole number, not the text “\(text)”")
        default: throw Problem(message: "must be a whole number, not \(value.kind)")
        }
    }

    /// As Go's `strconv.ParseInt` with base 0: `0x1F`, `0b1`, `0o17` and `017` have other bases.
    private static func goInteger(_ text: String) -> Int? {
        var digits = Substring(text)
        let sign = digits.first == "-" || digits.first == "+" ? String(digits.removeFirst()) : ""
        var radix = 10
        let prefixes = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)]
        if let (prefix, base) = prefixes.first(where: { digits.hasPrefix($0.0) }) {
            digits = digits.dropFirst(prefix.count)
            radix = base
        } else if digits.count > 1, digits.first == "0" {
            digits = digits.dropFirst()
            radix = 8
        }
        guard digits.allSatisfy(\.isHexDigit) else { return nil }
        return Int(sign + digits, radix: radix)
    }

    private static func bool(_ value: OptionValue) throws(Problem) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .null: return false
        case .number(let digits): return Double(digits) != 0
        case .string(let text):
            switch text {
            case "1", "t", "T", "TRUE", "true", "True": return true
            case "", "0", "f", "F", "FALSE", "false", "False": return false
            default:
                throw Problem(
                    message: "must be true or false, not the text “\(text)”",
                    detail: ValueHints.bool(text).map { "Write \($0), without quotes." } ?? "")
            }
        default: throw Problem(message: "must be true or false, not \(value.kind)")
        }
    }

    private static func elements(
        _ value: OptionValue, _ element: (OptionValue) throws(Problem) -> OptionValue
    ) throws(Problem) -> [OptionValue] {
        var converted: [OptionValue] = []
        switch value {
        case .list(let values): for value in values { converted.append(try element(value)) }
        case .string(""), .null, .map([]): break
        case .string(let text):
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                converted.append(try element(.string(String(part))))
            }
        case .map: throw Problem(message: "must be a list, not \(value.kind)")
        default: converted.append(try element(value))
        }
        return converted
    }

    private static func rows(_ value: OptionValue) throws(Problem) -> [OptionValue] {
        // Text for a list of lists is one row per part.
        try elements(value) { value throws(Problem) in try convert(value, to: .list) }
    }

    private static func map(_ value: OptionValue) throws(Problem) -> [OptionValue.Entry] {
        var entries: [OptionValue.Entry] = []
        switch value {
        case .map(let given):
            for entry in given { entries.append(.init(key: entry.key, value: .string(try text(entry.value)))) }
        case .list(let maps):
            // Several maps are one; the last wins.
            for value in maps {
                for entry in try map(value) {
                    entries.removeAll { $0.key == entry.key }
                    entries.append(entry)
                }
            }
        case .null: break
        default: throw Problem(message: "must be an object, not \(value.kind)")
        }
        return entries.sorted { $0.key < $1.key }
    }
}

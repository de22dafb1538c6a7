import BootCommand

/// Converts values of a template to the types of options, as HCL converts them.
package enum OptionConversion {
    package struct Problem: Error {
        package var id = "wrong-type"
        package var message: String
        package var detail = ""
    }

    package static func convert(_ value: OptionValue, to kind: Option.Kind) throws(Problem) -> OptionValue {
        switch kind {
        case .text: return .string(try text(value))
        case .duration:
            let text = try text(value)
            if text.isEmpty || text.contains("{{") || parseGoDuration(text) != nil { return .string(text) }
            throw Problem(
                id: "invalid-duration", message: "is not a duration: “\(text)”",
                detail: Int(text) != nil
                    ? "Add a unit, such as \"\(durationWithUnit(text))\"."
                    : ValueHints.duration(text).map { "Write \"\($0)\"." }
                        ?? "Write it like \"10s\", \"500ms\" or \"1h5m\".")
        case .int:
            let text = try text(value)
            if let number = Int(text) { return .number(String(number)) }
            throw Problem(
                message: "must be a whole number, not \(value.quoted)",
                detail: value.isQuotedReference
                    ? "Remove the quotes: in them it is text." : "Write it in digits, without a unit.")
        case .bool:
            switch value {
            case .bool: return value
            case .string("true"), .string("1"), .number("1"): return .bool(true)
            case .string("false"), .string("0"), .number("0"): return .bool(false)
            default:
                var detail = ""
                if case .string(let text) = value, let flag = ValueHints.bool(text) {
                    detail = "Write \(flag), without quotes."
                } else if value.isQuotedReference {
                    detail = "Remove the quotes: in them it is text."
                }
                throw Problem(message: "must be true or false, not \(value.quoted)", detail: detail)
            }
        case .list: return .list(try list(value) { value throws(Problem) in .string(try text(value, nullAs: "")) })
        case .ints: return .list(try list(value) { value throws(Problem) in try convert(value, to: .int) })
        case .rows:
            if case .list(let values) = value,
                let flat = values.first(where: { if case .list = $0 { false } else { true } })
            {
                throw Problem(
                    message: "must be a list of lists, not a list of \(flat.kind)",
                    detail: "Put square brackets around each row, too: [[\"…\", \"…\"], [\"…\", \"…\"]].")
            }
            return .list(try list(value) { value throws(Problem) in try convert(value, to: .list) })
        case .map:
            guard case .map(let entries) = value else {
                throw Problem(
                    message: "must be a map, not \(value.kind)", detail: "Write { \"NAME\" = \"VALUE\" }.")
            }
            var converted: [OptionValue.Entry] = []
            for entry in entries {
                converted.append(.init(key: entry.key, value: .string(try text(entry.value, nullAs: ""))))
            }
            return .map(converted)
        case .block: throw Problem(message: "is a block")
        }
    }

    private static func list(
        _ value: OptionValue, _ element: (OptionValue) throws(Problem) -> OptionValue
    ) throws(Problem) -> [OptionValue] {
        guard case .list(let values) = value else {
            var detail = "Put square brackets around it: [ … ]."
            if case .map = value { detail = "A list is written in square brackets: [ … ]." }
            throw Problem(message: "must be a list, not \(value.kind)", detail: detail)
        }
        var converted: [OptionValue] = []
        for value in values { converted.append(try element(value)) }
        return converted
    }

    private static func text(_ value: OptionValue, nullAs replacement: String? = nil) throws(Problem) -> String {
        switch value {
        case .string(let text), .number(let text): return text
        case .bool(let flag): return String(flag)
        case .null:
            if let replacement { return replacement }
            throw Problem(message: "must be text, not null")
        case .list: throw Problem(message: "must be text, not a list", detail: "Remove the square brackets.")
        default: throw Problem(message: "must be text, not \(value.kind)")
        }
    }
}

extension OptionValue {
    /// Its kind, with the text where it is short.
    fileprivate var quoted: String {
        if case .string("") = self { return "empty text" }
        if case .string(let text) = self, text.count <= 40 { return "the text “\(text)”" }
        return kind
    }
}

/// What somebody meant who wrote a duration as a number: nanoseconds if they make sense, else seconds.
func durationWithUnit(_ digits: String) -> String {
    guard let nanoseconds = Int(digits), nanoseconds >= 1_000_000 else { return digits + "s" }
    return nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000)s" : "\(nanoseconds / 1_000_000)ms"
}

extension OptionValue {
    /// Text such as `var.memory`, which was meant to be not text.
    var isQuotedReference: Bool {
        guard case .string(let text) = self else { return false }
        return ["var.", "local.", "data."].contains(where: text.hasPrefix)
            && text.dropFirst(4).allSatisfy { $0.isLetter || "._-0123456789".contains($0) }
    }
}

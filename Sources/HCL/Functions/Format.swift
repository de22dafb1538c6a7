import BigInt

/// `format`: Go's verbs over values.
///
/// - Throws: For missing and for extra arguments, unknown verbs, and values that a verb cannot show.
func formatted(_ format: String, _ arguments: [Value]) throws(FunctionError) -> String {
    var formatter = Formatter(arguments: arguments)
    return try formatter.run(format)
}

private struct Formatter {
    let arguments: [Value]
    private var next = 0
    private var used = 0

    init(arguments: [Value]) { self.arguments = arguments }

    private struct Verb {
        var flags: Set<Character> = []
        var width = 0
        var precision: Int?
        var letter: Character = "v"
    }

    mutating func run(_ format: String) throws(FunctionError) -> String {
        var result = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            var verb = Verb()
            while let flag = rest.first, "0#-+ ".contains(flag) {
                verb.flags.insert(flag)
                rest.removeFirst()
            }
            verb.width = try number(&rest) ?? 0
            if rest.first == "." {
                rest.removeFirst()
                verb.precision = try number(&rest) ?? 0
            }
            if rest.first == "[" {
                rest.removeFirst()
                guard let index = try number(&rest), index > 0, rest.popFirst() == "]" else {
                    throw FunctionError("an argument's index is written [n], from 1", argument: 0)
                }
                next = index - 1
            }
            guard let letter = rest.popFirst() else { throw FunctionError("the format ends after %", argument: 0) }
            if letter == "%" {
                result.append("%")
                continue
            }
            verb.letter = letter
            result += try shown(verb)
        }
        guard used >= arguments.count else {
            throw FunctionError("too many arguments; only \(used) used by the format string", argument: used + 1)
        }
        return result
    }

    private func number(_ rest: inout Substring) throws(FunctionError) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        guard !digits.isEmpty else { return nil }
        guard let number = Int(digits), number <= 10_000 else {
            throw FunctionError("a width or precision is at most 10000", argument: 0)
        }
        return number
    }

    private mutating func shown(_ verb: Verb) throws(FunctionError) -> String {
        guard arguments.indices.contains(next) else {
            throw FunctionError("not enough arguments for %\(verb.letter): argument \(next + 1) is missing")
        }
        let value = arguments[next]
        next += 1
        used = max(used, next)
        let text = try plain(value, verb)
        let count = text.count
        guard count < verb.width else { return text }
        let padding = String(
            repeating: verb.flags.contains("0") && !verb.flags.contains("-") ? "0" : " ", count: verb.width - count)
        if verb.flags.contains("-") { return text + padding }
        if padding.first == "0", let sign = text.first, sign == "-" || sign == "+" {
            return String(sign) + padding + text.dropFirst()
        }
        return padding + text
    }

    private func plain(_ value: Value, _ verb: Verb) throws(FunctionError) -> String {
        if verb.letter == "v" {
            if verb.flags.contains("#") { return encodeJSON(value) }
            switch value {
            case .string(let text): return text
            case .number(let number): return general(number)
            case .bool(let flag): return flag ? "true" : "false"
            case .null: return "null"
            default: return encodeJSON(value)
            }
        }
        func wrong(_ wanted: String) -> FunctionError {
            FunctionError("%\(verb.letter) shows \(wanted), not \(value.kind)", argument: next)
        }
        if value.isNull { throw wrong("no null") }
        switch verb.letter {
        case "t":
            guard case .success(.bool(let flag)) = value.converted(to: .bool) else { throw wrong("a bool") }
            return flag ? "true" : "false"
        case "s", "q":
            guard case .success(.string(var text)) = value.converted(to: .string) else { throw wrong("a string") }
            if let precision = verb.precision { text = String(text.prefix(precision)) }
            return verb.letter == "q" ? encodeJSON(.string(text)) : text
        case "d", "b", "o", "x", "X":
            guard case .success(.number(let number)) = value.converted(to: .number), number.isInteger else {
                throw wrong("a whole number")
            }
            let radix = ["d": 10, "b": 2, "o": 8][verb.letter] ?? 16
            var digits = String(number.integer.magnitude, radix: radix, uppercase: verb.letter == "X")
            if let precision = verb.precision, digits.utf8.count < precision {
                digits = String(repeating: "0", count: precision - digits.utf8.count) + digits
            }
            let text = (number.isNegative ? "-" : "") + digits
            guard verb.flags.contains("#"), let mark = ["b": "0b", "o": "0", "x": "0x", "X": "0X"][verb.letter] else {
                return signed(text, verb)
            }
            return signed(text.hasPrefix("-") ? "-" + mark + text.dropFirst() : mark + text, verb)
        case "e", "E", "f", "g", "G":
            guard case .success(.number(let number)) = value.converted(to: .number) else { throw wrong("a number") }
            return signed(try float(number, verb), verb)
        default: throw FunctionError("unsupported verb %\(verb.letter)", argument: 0)
        }
    }

    private func signed(_ text: String, _ verb: Verb) -> String {
        guard !text.hasPrefix("-") else { return text }
        return (verb.flags.contains("+") ? "+" : verb.flags.contains(" ") ? " " : "") + text
    }

    private func float(_ number: Number, _ verb: Verb) throws(FunctionError) -> String {
        guard number.isReasonable else { throw FunctionError("the number is too large to show", argument: next) }
        let isNegative = number.isNegative
        switch verb.letter {
        case "f":
            let places = verb.precision ?? 6
            let exact = number.exactDecimal
            let digits = exact.rounded(to: exact.point + places).fixed(places: places, isNegative: false)
            return (isNegative ? "-" : "") + digits
        case "e", "E":
            let places = verb.precision ?? 6
            let exact = number.exactDecimal.rounded(to: places + 1)
            return exact.scientific(places: places, isNegative: isNegative, letter: verb.letter)
        default:
            return general(number, precision: verb.precision, letter: verb.letter == "G" ? "E" : "e")
        }
    }
}

/// Go's `%g`: the shortest form, with an exponent where the number is small or large.
///
/// - Parameter precision: Significant digits; nil for as many as the number needs.
func general(_ number: Number, precision: Int? = nil, letter: Character = "e") -> String {
    var digits = number.shortestDecimal
    var limit = 6
    if let precision {
        digits = number.exactDecimal.rounded(to: max(1, precision))
        limit = max(1, precision)
        if limit > digits.digits.count, digits.digits.count >= digits.point { limit = digits.digits.count }
    }
    let exponent = digits.digits.isEmpty ? 0 : digits.point - 1
    if exponent < -4 || exponent >= limit {
        return digits.scientific(
            places: max(0, digits.digits.count - 1), isNegative: number.isNegative, letter: letter)
    }
    return digits.plain(isNegative: number.isNegative)
}

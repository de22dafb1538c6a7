/// A pattern of `regex` and its kin.
///
/// The reference's engine is RE2; for the patterns that templates use, Swift's gives the same matches. It backtracks, so
/// patterns and texts are bounded.
struct RegularExpression {
    private let regex: Regex<AnyRegexOutput>
    private static let longestPattern = 10_000
    private static let longestText = 1 << 20

    init(_ pattern: String, argument: Int = 0) throws(FunctionError) {
        guard pattern.utf8.count <= Self.longestPattern else {
            throw FunctionError("the pattern is longer than 10000 bytes", argument: argument)
        }
        do {
            regex = try Regex(pattern).matchingSemantics(.unicodeScalar).asciiOnlyCharacterClasses()
        } catch {
            throw FunctionError("invalid regular expression: \(error)", argument: argument)
        }
    }

    private func check(_ text: String) throws(FunctionError) {
        guard text.utf8.count <= Self.longestText else { throw FunctionError("the text is longer than 1 MiB") }
    }

    func first(in text: String) throws(FunctionError) -> Value? {
        try check(text)
        // A failure inside the engine counts as no match.
        return (try? regex.firstMatch(in: text)).flatMap { $0 }.map(Self.value)
    }

    func all(in text: String) throws(FunctionError) -> [Value] {
        try check(text)
        return text.matches(of: regex).map(Self.value)
    }

    /// The match as text, its groups as a tuple, or its named groups as an object.
    private static func value(_ match: Regex<AnyRegexOutput>.Match) -> Value {
        let output = match.output
        if output.count == 1 { return .string(String(output.text)) }
        let groups = output.dropFirst()
        let named = groups.compactMap { group in group.name.map { ($0, text(group)) } }
        if !named.isEmpty { return .object(Dictionary(named) { $1 }) }
        return .tuple(groups.map(text))
    }

    private static func text(_ group: AnyRegexOutput.Element) -> Value {
        group.substring.map { .string(String($0)) } ?? .null
    }

    /// `$1`, `${1}` and `${name}` in the replacement stand for groups, `$$` for a dollar.
    func replace(in text: String, with replacement: String) throws(FunctionError) -> String {
        try check(text)
        return text.replacing(regex) { match in
            var result = ""
            var rest = replacement[...]
            while let character = rest.popFirst() {
                guard character == "$" else {
                    result.append(character)
                    continue
                }
                if rest.first == "$" {
                    rest.removeFirst()
                    result.append("$")
                    continue
                }
                let isBraced = rest.first == "{"
                if isBraced { rest.removeFirst() }
                let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
                rest = rest.dropFirst(name.count)
                if isBraced, rest.first == "}" { rest.removeFirst() }
                result += Self.group(String(name), of: match)
            }
            return result
        }
    }

    private static func group(_ name: String, of match: Regex<AnyRegexOutput>.Match) -> Substring {
        if let index = Int(name) {
            return match.output.indices.contains(index) ? match.output[index].substring ?? "" : ""
        }
        return match.output.first { $0.name == name }?.substring ?? ""
    }
}

extension AnyRegexOutput {
    fileprivate var text: Substring { first?.substring ?? "" }
}

/// A pattern of `regex` and `regexall`, in the syntax and with the meaning of RE2.
struct RegularExpression: Sendable {
    private let program: RegexProgram
    /// Of the groups, from the first.
    private let names: [String?]
    private static let longestPattern = 10_000
    private static let longestText = 1 << 20

    init(_ pattern: String, argument: Int = 0) throws(FunctionError) {
        guard pattern.utf8.count <= Self.longestPattern else {
            throw FunctionError("the pattern is longer than 10000 bytes", argument: argument)
        }
        var parser = RegexParser(pattern)
        let node: RegexNode
        do throws(RegexParser.Problem) { node = try parser.parse() } catch {
            throw FunctionError("invalid regular expression: \(error.message)", argument: argument)
        }
        names = parser.groupNames
        do throws(RegexProgram.TooLarge) { program = try RegexProgram(node, groups: names.count) } catch {
            throw FunctionError("the regular expression is too large", argument: argument)
        }
    }

    /// `regex`: what the first match gives; nil for none.
    func first(in text: String) throws(FunctionError) -> Value? {
        try checkGroups()
        let scalars = try scalars(of: text)
        var steps = RegexProgram.mostSteps
        return try match(in: scalars, from: 0, steps: &steps).map { value($0, scalars) }
    }

    /// `regexall`: what all matches give.
    func all(in text: String) throws(FunctionError) -> [Value] {
        try checkGroups()
        let scalars = try scalars(of: text)
        var values: [Value] = []
        try forEachMatch(in: scalars) { values.append(value($0, scalars)) }
        return values
    }

    /// Whether the whole text matches.
    func matches(_ text: String) throws(FunctionError) -> Bool {
        let scalars = try scalars(of: text)
        var steps = RegexProgram.mostSteps
        guard let match = try match(in: scalars, from: 0, steps: &steps) else { return false }
        return match[0] == 0 && match[1] == scalars.count
    }

    /// `$1`, `${1}` and `${name}` in the replacement mean groups, `$$` a dollar.
    func replace(in text: String, with replacement: String) throws(FunctionError) -> String {
        let scalars = try scalars(of: text)
        let template = Array(replacement.unicodeScalars)
        var result = String.UnicodeScalarView()
        var position = 0
        try forEachMatch(in: scalars) { match in
            result.append(contentsOf: scalars[position..<match[0]])
            expand(template, match, scalars, into: &result)
            position = match[1]
        }
        result.append(contentsOf: scalars[position...])
        return String(result)
    }

    // MARK: Matches

    private func scalars(of text: String) throws(FunctionError) -> [Unicode.Scalar] {
        guard text.utf8.count <= Self.longestText else { throw FunctionError("the text is longer than 1 MiB") }
        return Array(text.unicodeScalars)
    }

    private func match(
        in text: [Unicode.Scalar], from start: Int, steps: inout Int
    ) throws(FunctionError) -> [Int]? {
        do throws(RegexProgram.TooLong) { return try program.firstMatch(in: text, from: start, steps: &steps) } catch {
            throw FunctionError("matching takes too long; use a shorter text or a simpler pattern")
        }
    }

    /// Matches that do not overlap; an empty one right behind another does not count.
    private func forEachMatch(in text: [Unicode.Scalar], _ body: ([Int]) -> Void) throws(FunctionError) {
        var position = 0
        var lastEnd = -1
        var steps = RegexProgram.mostSteps
        while position <= text.count, let match = try match(in: text, from: position, steps: &steps) {
            if match[1] > match[0] || match[0] != lastEnd { body(match) }
            lastEnd = match[1]
            position = match[1] > match[0] ? match[1] : match[1] + 1
        }
    }

    private func checkGroups() throws(FunctionError) {
        guard names.contains(nil), names.contains(where: { $0 != nil }) else { return }
        throw FunctionError("a pattern cannot mix groups with and without names", argument: 0)
    }

    /// The match as text, its groups as a tuple, or its named groups as an object.
    private func value(_ match: [Int], _ text: [Unicode.Scalar]) -> Value {
        if names.isEmpty { return .string(Self.text(text[match[0]..<match[1]])) }
        let groups = names.indices.map { group($0 + 1, of: match, text).map { Value.string(Self.text($0)) } ?? .null }
        if names.contains(nil) { return .tuple(groups) }
        return .object(Dictionary(zip(names.compactMap { $0 }, groups)) { first, _ in first })
    }

    private func group(_ index: Int, of match: [Int], _ text: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar>? {
        guard index >= 0, 2 * index + 1 < match.count, match[2 * index] >= 0, match[2 * index + 1] >= match[2 * index]
        else { return nil }
        return text[match[2 * index]..<match[2 * index + 1]]
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    private func expand(
        _ template: [Unicode.Scalar], _ match: [Int], _ text: [Unicode.Scalar],
        into result: inout String.UnicodeScalarView
    ) {
        var rest = template[...]
        while let scalar = rest.popFirst() {
            guard scalar == "$" else {
                result.append(scalar)
                continue
            }
            if rest.first == "$" {
                result.append(rest.removeFirst())
                continue
            }
            let before = rest
            let isBraced = rest.first == "{"
            if isBraced { rest.removeFirst() }
            let name = rest.prefix { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty, !isBraced || rest.first == "}" else {
                // No name, so a dollar like any character.
                rest = before
                result.append(scalar)
                continue
            }
            if isBraced { rest.removeFirst() }
            let word = Self.text(name)
            let index = Int(word) ?? names.firstIndex(of: word).map { $0 + 1 } ?? -1
            result.append(contentsOf: group(index, of: match, text) ?? [])
        }
    }
}

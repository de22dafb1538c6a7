/// Reads the syntax of RE2, which has no back references and no look-around.
struct RegexParser {
    struct Problem: Error { var message: String }

    let pattern: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    private var depth = 0
    /// Names of the groups, from the first; nil for those without.
    private(set) var groupNames: [String?] = []
    private static let deepestNesting = 100
    private static let largestRepeat = 1000

    struct Flags {
        var ignoresCase = false
        var isMultiline = false
        var dotMatchesNewline = false
        var swapsGreed = false
    }

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    mutating func parse() throws(Problem) -> RegexNode {
        let node = try alternatives()
        if position < pattern.count { throw Problem(message: "unexpected )") }
        return node
    }

    var next: Unicode.Scalar? { position < pattern.count ? pattern[position] : nil }

    func isAt(_ text: String) -> Bool {
        pattern[position...].starts(with: text.unicodeScalars)
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func alternatives() throws(Problem) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepestNesting else { throw Problem(message: "expression nests too deeply") }
        var choices = [try sequence()]
        while take("|") { choices.append(try sequence()) }
        return choices.count == 1 ? choices[0] : .either(choices)
    }

    private mutating func sequence() throws(Problem) -> RegexNode {
        var items: [RegexNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if isAt("\\Q") {
                position += 2
                var isLiteral = false
                while position < pattern.count, !isAt("\\E") {
                    items.append(.scalars(.one(pattern[position], ignoresCase: flags.ignoresCase)))
                    position += 1
                    isLiteral = true
                }
                position = min(position + 2, pattern.count)
                // What repeats is the last character.
                if isLiteral, let last = items.popLast() { items.append(try repeated(last)) }
                continue
            }
            guard let atom = try atom() else { continue }
            items.append(try repeated(atom))
        }
        return items.count == 1 ? items[0] : items.isEmpty ? .empty : .sequence(items)
    }

    private mutating func repeated(_ atom: RegexNode) throws(Problem) -> RegexNode {
        guard let (least, most) = try bounds() else { return atom }
        let isLazy = take("?")
        let node = RegexNode.repeat(atom, least: least, most: most, isGreedy: isLazy == flags.swapsGreed)
        if try bounds() != nil { throw Problem(message: "invalid nested repetition operator") }
        return node
    }

    private mutating func bounds() throws(Problem) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = position
        guard take("{"), let least = number() else {
            position = start
            return nil
        }
        var most: Int? = least
        if take(",") { most = number() }
        guard take("}") else {
            position = start
            return nil
        }
        guard least <= Self.largestRepeat, most ?? 0 <= Self.largestRepeat, most.map({ $0 >= least }) ?? true else {
            throw Problem(message: "invalid repeat count")
        }
        return (least, most)
    }

    private mutating func number() -> Int? {
        let start = position
        while let scalar = next, ("0"..."9").contains(scalar), position - start < 6 { position += 1 }
        return Int(String(String.UnicodeScalarView(pattern[start..<position])))
    }

    /// nil for what matches nothing by itself, such as `(?i)`.
    private mutating func atom() throws(Problem) -> RegexNode? {
        guard let scalar = next else { return nil }
        position += 1
        switch scalar {
        case "(": return try group()
        case "[": return .scalars(try bracket())
        case ".": return .scalars(.any(withNewline: flags.dotMatchesNewline))
        case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw Problem(message: "missing argument to repetition operator: \(scalar)")
        default: return .scalars(.one(scalar, ignoresCase: flags.ignoresCase))
        }
    }

    private mutating func group() throws(Problem) -> RegexNode? {
        let outer = flags
        guard take("?") else { return try captured(name: nil, outer) }
        if take("P"), next != "<" { throw Problem(message: "invalid or unsupported Perl syntax: (?P") }
        if next == "<" {
            position += 1
            let start = position
            while let scalar = next, scalar != ">" {
                guard
                    scalar == "_" || scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                else { throw Problem(message: "invalid named capture, or look-behind, which is not supported") }
                position += 1
            }
            let name = String(String.UnicodeScalarView(pattern[start..<position]))
            guard take(">"), !name.isEmpty else { throw Problem(message: "invalid named capture") }
            if groupNames.contains(name) { throw Problem(message: "duplicate capture group name: \(name)") }
            return try captured(name: name, outer)
        }
        var value = true
        while let scalar = next {
            position += 1
            switch scalar {
            case "i": flags.ignoresCase = value
            case "m": flags.isMultiline = value
            case "s": flags.dotMatchesNewline = value
            case "U": flags.swapsGreed = value
            case "-" where value: value = false
            case ")": return nil
            case ":":
                let inner = try alternatives()
                guard take(")") else { throw Problem(message: "missing closing )") }
                flags = outer
                return inner
            default: throw Problem(message: "invalid or unsupported Perl syntax: (?\(scalar)")
            }
        }
        throw Problem(message: "missing closing )")
    }

    private mutating func captured(name: String?, _ outer: Flags) throws(Problem) -> RegexNode {
        groupNames.append(name)
        let index = groupNames.count
        let inner = try alternatives()
        guard take(")") else { throw Problem(message: "missing closing )") }
        flags = outer
        return .group(inner, index: index)
    }
}

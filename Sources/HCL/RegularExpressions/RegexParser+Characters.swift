/// Escapes and sets of characters.
extension RegexParser {
    mutating func escape() throws(Problem) -> RegexNode {
        switch next {
        case "A": return assertion(.textStart)
        case "z": return assertion(.textEnd)
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        default: break
        }
        if var set = try classEscape() {
            set.ignoresCase = flags.ignoresCase
            return .scalars(set)
        }
        return .scalars(.one(try scalarEscape(), ignoresCase: flags.ignoresCase))
    }

    private mutating func assertion(_ assertion: RegexNode.Assertion) -> RegexNode {
        position += 1
        return .assertion(assertion)
    }

    /// `\d`, `\pL`, `\P{Lu}`, behind the backslash.
    private mutating func classEscape() throws(Problem) -> ScalarSet? {
        guard let letter = next else { throw Problem(message: "trailing backslash at end of expression") }
        if let set = ScalarSet.perl(letter) {
            position += 1
            return set
        }
        guard letter == "p" || letter == "P" else { return nil }
        position += 1
        var isInverted = letter == "P"
        var name = ""
        if take("{") {
            if take("^") { isInverted.toggle() }
            while let scalar = next, scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}") else { throw Problem(message: "invalid character class range") }
        } else if let scalar = next {
            name = String(scalar)
            position += 1
        }
        if name == "Any" { return isInverted ? ScalarSet() : .any(withNewline: true) }
        guard ScalarSet.categoryNames.contains(name) else {
            throw Problem(message: "unknown character class: \\p{\(name)}; general categories such as \\pL are known")
        }
        return ScalarSet(categories: [(name, isInverted)])
    }

    private mutating func scalarEscape() throws(Problem) -> Unicode.Scalar {
        guard let letter = next else { throw Problem(message: "trailing backslash at end of expression") }
        position += 1
        switch letter {
        case "a": return "\u{7}"
        case "f": return "\u{C}"
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "v": return "\u{B}"
        case "x":
            let start = position
            let isBraced = take("{")
            let first = position
            while let scalar = next, Character(scalar).isHexDigit, position - first < (isBraced ? 6 : 2) {
                position += 1
            }
            let digits = String(String.UnicodeScalarView(pattern[first..<position]))
            guard isBraced ? take("}") : digits.utf8.count == 2, let code = UInt32(digits, radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw Problem(message: "invalid escape sequence: \\x at \(start)") }
            return scalar
        case "0"..."7":
            let start = position - 1
            while let scalar = next, ("0"..."7").contains(scalar), position - start < 3 { position += 1 }
            let digits = String(String.UnicodeScalarView(pattern[start..<position]))
            // One digit would be a back reference, which RE2 has not.
            guard letter == "0" || digits.count > 1, let code = UInt32(digits, radix: 8),
                let scalar = Unicode.Scalar(code)
            else { throw Problem(message: "invalid escape sequence: \\\(letter)") }
            return scalar
        default:
            guard letter.isASCII, !letter.properties.isAlphabetic, !("0"..."9").contains(letter) else {
                throw Problem(message: "invalid escape sequence: \\\(letter)")
            }
            return letter
        }
    }

    mutating func bracket() throws(Problem) -> ScalarSet {
        var set = ScalarSet(ignoresCase: flags.ignoresCase)
        set.isInverted = take("^")
        var isFirst = true
        while let scalar = next, scalar != "]" || isFirst {
            isFirst = false
            if isAt("[:") {
                set.nested.append(try posixClass())
                continue
            }
            if take("\\") {
                if let inner = try classEscape() {
                    set.nested.append(inner)
                    continue
                }
                try range(from: try scalarEscape(), &set)
            } else {
                position += 1
                try range(from: scalar, &set)
            }
        }
        guard take("]") else { throw Problem(message: "missing closing ]") }
        return set
    }

    private mutating func range(from first: Unicode.Scalar, _ set: inout ScalarSet) throws(Problem) {
        guard next == "-", position + 1 < pattern.count, pattern[position + 1] != "]" else {
            set.ranges.append(first.value...first.value)
            return
        }
        position += 1
        let last: Unicode.Scalar
        if take("\\") {
            last = try scalarEscape()
        } else {
            last = pattern[position]
            position += 1
        }
        guard first.value <= last.value else { throw Problem(message: "invalid character class range") }
        set.ranges.append(first.value...last.value)
    }

    private mutating func posixClass() throws(Problem) -> ScalarSet {
        position += 2
        let isInverted = take("^")
        var name = ""
        while let scalar = next, scalar != ":" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard let ranges = ScalarSet.posix[name], isAt(":]") else {
            throw Problem(message: "invalid character class range: [:\(name):]")
        }
        position += 2
        return ScalarSet(ranges: ranges, isInverted: isInverted)
    }
}

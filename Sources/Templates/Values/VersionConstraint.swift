/// A version such as `1.16.0` or `1.8.0-beta1`; missing parts count as 0.
package struct Version: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var numbers: [Int]
    package var prerelease: String
    /// How many numbers were written.
    fileprivate var precision: Int

    package init?(_ text: String) {
        var text = Substring(text)
        if text.first == "v" { text.removeFirst() }
        if let plus = text.firstIndex(of: "+") { text = text[..<plus] }
        let main = text.prefix { $0 != "-" }
        let rest = text.dropFirst(main.count)
        prerelease = String(rest.dropFirst())
        if !rest.isEmpty, prerelease.isEmpty { return nil }
        let parts = main.split(separator: ".", omittingEmptySubsequences: false)
        guard !parts.isEmpty, parts.count <= 8 else { return nil }
        numbers = []
        for part in parts {
            guard !part.isEmpty, part.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(part) else {
                return nil
            }
            numbers.append(number)
        }
        precision = numbers.count
        while numbers.count < 3 { numbers.append(0) }
    }

    package var description: String {
        numbers.map(String.init).joined(separator: ".") + (prerelease.isEmpty ? "" : "-" + prerelease)
    }

    package static func == (a: Version, b: Version) -> Bool { !(a < b) && !(b < a) }

    package func hash(into hasher: inout Hasher) {
        var significant = numbers[...]
        while significant.count > 3, significant.last == 0 { significant.removeLast() }
        hasher.combine(Array(significant))
        hasher.combine(prerelease)
    }

    package static func < (a: Version, b: Version) -> Bool {
        for index in 0..<max(a.numbers.count, b.numbers.count) {
            let left = index < a.numbers.count ? a.numbers[index] : 0
            let right = index < b.numbers.count ? b.numbers[index] : 0
            if left != right { return left < right }
        }
        if a.prerelease == b.prerelease { return false }
        if a.prerelease.isEmpty || b.prerelease.isEmpty { return b.prerelease.isEmpty }
        return precedes(a.prerelease, b.prerelease)
    }

    /// Semantic versioning: identifiers by number if both are numbers, numbers before words, the longer list last.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        let left = a.split(separator: ".")
        let right = b.split(separator: ".")
        for (x, y) in zip(left, right) where x != y {
            switch (Int(x), Int(y)) {
            case (let m?, let n?): return m < n
            case (nil, nil): return x.utf8.lexicographicallyPrecedes(y.utf8)
            case (let m, _): return m != nil
            }
        }
        return left.count < right.count
    }
}

/// A list of version constraints, all of which must hold: `>= 1.7.0, < 2.0.0`.
package struct VersionConstraint: Hashable, Sendable {
    private enum Relation: String, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case notEqual = "!="
        case pessimistic = "~>"
        case above = ">"
        case below = "<"
        case equal = "="
    }

    private var terms: [Term] = []

    private struct Term: Hashable {
        var relation: Relation
        var version: Version
    }

    /// nil if a part is not a constraint.
    package init?(_ text: String) {
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let trimmed = part.drop(while: \.isWhitespace)
            let relation = Relation.allCases.first { trimmed.hasPrefix($0.rawValue) }
            let rest = trimmed.dropFirst(relation?.rawValue.count ?? 0)
            let name = rest.split(whereSeparator: \.isWhitespace)
            guard name.count == 1, let version = Version(String(name[0])) else { return nil }
            terms.append(Term(relation: relation ?? .equal, version: version))
        }
    }

    package var hasPrerelease: Bool { terms.contains { !$0.version.prerelease.isEmpty } }

    /// Whether the version meets every part of the constraint.
    package func allows(_ version: Version) -> Bool {
        terms.allSatisfy { term in
            switch term.relation {
            case .equal: version == term.version
            case .notEqual: version != term.version
            case .above: version > term.version
            case .atLeast: version >= term.version
            case .below: version < term.version
            case .atMost: version <= term.version
            case .pessimistic: version >= term.version && Self.sharesPrefix(version, term.version)
            }
        }
    }

    /// Whether a part of it only versions after `version` meet.
    package func needsNewer(than version: Version) -> Bool {
        terms.contains { term in
            switch term.relation {
            case .equal, .atLeast, .pessimistic: version < term.version
            case .above: version <= term.version
            case .notEqual, .below, .atMost: false
            }
        }
    }

    /// `~> 1.2.3` lets only the last written part grow.
    private static func sharesPrefix(_ version: Version, _ bound: Version) -> Bool {
        let fixed = max(1, bound.precision - 1)
        return version.numbers.prefix(fixed).elementsEqual(bound.numbers.prefix(fixed))
    }
}

/// A pattern of `-only` and `-except`: `*` any text, dots too; `?` one character; `[a-z]`, `[!a-z]`; `{a,b}`; `\` takes the next literally.
package struct Glob: Hashable, Sendable {
    private indirect enum Part: Hashable {
        case character(Character)
        case any
        case one
        case set([ClosedRange<Character>], isNegated: Bool)
        case alternatives([[Part]])
    }

    private let parts: [Part]

    /// nil for a bracket or brace that is never closed.
    package init?(_ pattern: String) {
        var rest = Substring(pattern)
        guard pattern.count <= 1000, let parts = Self.parse(&rest, inBraces: 0), rest.isEmpty else { return nil }
        self.parts = parts
    }

    /// Whether the whole of `text` matches.
    package func matches(_ text: String) -> Bool {
        Self.ends(of: parts[...], in: Array(text), from: [0]).contains(text.count)
    }

    private static func parse(_ rest: inout Substring, inBraces depth: Int) -> [Part]? {
        var parts: [Part] = []
        while let first = rest.first {
            if depth > 0, first == "," || first == "}" { return parts }
            rest.removeFirst()
            switch first {
            case "*": if parts.last != .any { parts.append(.any) }
            case "?": parts.append(.one)
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                parts.append(.character(next))
            case "[":
                guard let set = parseSet(&rest) else { return nil }
                parts.append(set)
            case "{":
                guard depth < 20 else { return nil }
                var alternatives: [[Part]] = []
                while true {
                    guard let alternative = parse(&rest, inBraces: depth + 1), let stop = rest.popFirst() else {
                        return nil
                    }
                    alternatives.append(alternative)
                    if stop == "}" { break }
                }
                parts.append(.alternatives(alternatives))
            default: parts.append(.character(first))
            }
        }
        return depth > 0 ? nil : parts
    }

    private static func parseSet(_ rest: inout Substring) -> Part? {
        var isNegated = false
        if rest.first == "!" || rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<Character>] = []
        while let first = rest.popFirst() {
            if first == "]" { return ranges.isEmpty ? nil : .set(ranges, isNegated: isNegated) }
            if rest.first == "-", let last = rest.dropFirst().first, last != "]" {
                rest = rest.dropFirst(2)
                guard first <= last else { return nil }
                ranges.append(first...last)
            } else {
                ranges.append(first...first)
            }
        }
        return nil
    }

    /// Every place in `text` where the parts can end when they begin at one of `starts`: no backtracking, so no pattern is slow.
    private static func ends(of parts: ArraySlice<Part>, in text: [Character], from starts: Set<Int>) -> Set<Int> {
        var places = starts
        for part in parts {
            switch part {
            case .any: places = places.min().map { Set($0...text.count) } ?? []
            case .alternatives(let alternatives):
                places = alternatives.reduce(into: Set<Int>()) {
                    $0.formUnion(ends(of: $1[...], in: text, from: places))
                }
            default: places = Set(places.filter { $0 < text.count && accepts(part, text[$0]) }.map { $0 + 1 })
            }
            if places.isEmpty { return [] }
        }
        return places
    }

    private static func accepts(_ part: Part, _ character: Character) -> Bool {
        switch part {
        case .character(let expected): character == expected
        case .one: true
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
        case .any, .alternatives: false
        }
    }
}

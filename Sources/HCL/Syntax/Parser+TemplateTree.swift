import Diagnostics

extension Parser {
    /// Puts tokens together: a lone text becomes a string, a lone interpolation keeps its type.
    mutating func template(
        from tokens: [TemplateToken], _ range: SourceRange, dedents: Bool = false
    ) throws(Abandoned) -> Expression {
        var rest = (dedents ? dedented(tokens) : tokens)[...]
        let parts = try parts(&rest, until: nil)
        if parts.isEmpty { return Expression(.literal(.string("")), range) }
        if parts.count == 1 {
            switch parts[0] {
            case .text(let text): return Expression(.literal(.string(normalized(text))), range)
            case .interpolation(let inner): return try make(.wrapped(inner), range, [inner])
            default: break
            }
        }
        return try make(.template(parts), range, Self.expressions(in: parts))
    }

    private static func expressions(in parts: [TemplatePart]) -> [Expression] {
        parts.flatMap { part -> [Expression] in
            switch part {
            case .text: []
            case .interpolation(let expression): [expression]
            case .conditional(let condition, let then, let otherwise):
                [condition] + expressions(in: then) + expressions(in: otherwise)
            case .loop(let clause, let body): [clause.collection] + expressions(in: body)
            }
        }
    }

    private mutating func parts(
        _ rest: inout ArraySlice<TemplateToken>, until opening: (name: String, range: SourceRange)?
    ) throws(Abandoned) -> [TemplatePart] {
        var parts: [TemplatePart] = []
        while let token = rest.first {
            switch token {
            case .text(let text):
                rest.removeFirst()
                if text.isEmpty { continue }
                if case .text(let previous)? = parts.last {
                    parts[parts.count - 1] = .text(previous + text)
                } else {
                    parts.append(.text(text))
                }
            case .interpolation(let expression, _):
                rest.removeFirst()
                parts.append(.interpolation(expression))
            case .ifStart(let condition, _, let range):
                rest.removeFirst()
                parts.append(try conditional(condition, range, &rest))
            case .forStart(let clause, _, let range):
                rest.removeFirst()
                let body = try nestedParts(&rest, until: ("for", range))
                guard case .forEnd? = rest.first else { throw unexpected(rest.first, in: ("for", range)) }
                rest.removeFirst()
                parts.append(.loop(clause, body))
            case .elseMark, .ifEnd, .forEnd:
                if opening != nil { return parts }
                throw unexpected(token, in: nil)
            }
        }
        if let opening { throw fail(.unclosedDirective(opening.name, at: opening.range)) }
        return parts
    }

    private mutating func conditional(
        _ condition: Expression, _ range: SourceRange, _ rest: inout ArraySlice<TemplateToken>
    ) throws(Abandoned) -> TemplatePart {
        let then = try nestedParts(&rest, until: ("if", range))
        var otherwise: [TemplatePart] = []
        if case .elseMark? = rest.first {
            rest.removeFirst()
            otherwise = try nestedParts(&rest, until: ("if", range))
        }
        guard case .ifEnd? = rest.first else { throw unexpected(rest.first, in: ("if", range)) }
        rest.removeFirst()
        return .conditional(condition, then: then, otherwise: otherwise)
    }

    private mutating func nestedParts(
        _ rest: inout ArraySlice<TemplateToken>, until opening: (name: String, range: SourceRange)
    ) throws(Abandoned) -> [TemplatePart] {
        // An inout slice cannot go into the closure of `nested`, so it is carried through.
        var slice = rest
        let parts = try nested { parser throws(Abandoned) in try parser.parts(&slice, until: opening) }
        rest = slice
        return parts
    }

    private mutating func unexpected(
        _ token: TemplateToken?, in opening: (name: String, range: SourceRange)?
    ) -> Abandoned {
        switch token {
        case .elseMark(_, let range): fail(.strayDirective("else", at: range))
        case .ifEnd(_, let range): fail(.strayDirective("endif", at: range))
        case .forEnd(_, let range): fail(.strayDirective("endfor", at: range))
        default: fail(.unclosedDirective(opening?.name ?? "if", at: opening?.range ?? nextWord))
        }
    }

    /// Takes out the white space that strip markers ask for, in the one piece of text on their side.
    func stripped(_ tokens: [TemplateToken]) -> [TemplateToken] {
        var result = tokens
        for (index, token) in tokens.enumerated() {
            let strip = token.strip
            if strip.before, index > 0, case .text(let text) = result[index - 1] {
                var kept = text.unicodeScalars[...]
                while let last = kept.last, last.properties.isWhitespace { kept.removeLast() }
                result[index - 1] = .text(String(kept))
            }
            if strip.after, index + 1 < result.count, case .text(let text) = result[index + 1] {
                result[index + 1] = .text(String(text.unicodeScalars.drop(while: \.properties.isWhitespace)))
            }
        }
        return result
    }

    /// `<<-`: takes the smallest indentation of all lines that are not blank from each line.
    ///
    /// Any white space counts, by characters. A line that begins with a marker has none.
    private func dedented(_ tokens: [TemplateToken]) -> [TemplateToken] {
        var smallest = Int.max
        var lines: [Int] = []
        var startsLine = true
        for (index, token) in tokens.enumerated() {
            guard case .text(let text) = token else {
                if startsLine { smallest = 0 }
                startsLine = false
                continue
            }
            if startsLine {
                let indentation = text.prefix(while: \.isWhitespace)
                if indentation.endIndex != text.endIndex || !text.endsInNewline {
                    lines.append(index)
                    smallest = min(smallest, indentation.count)
                }
            }
            startsLine = text.endsInNewline
        }
        var result = tokens
        for index in lines {
            if case .text(let text) = tokens[index] { result[index] = .text(String(text.dropFirst(smallest))) }
        }
        return result
    }
}

extension String {
    fileprivate var endsInNewline: Bool { utf8.last == 0x0A }
}

import Diagnostics

extension Expression {
    /// The variables that the expression uses, those of its own `for` left out, in order of appearance.
    public var references: [Reference] {
        var found: [Reference] = []
        // A list and not recursion, which would need much of the stack.
        var rest = [Part(self, [])]
        while let part = rest.popLast() {
            if let reference = part.expression.ownReference, let root = reference.path.first,
                !part.bound.contains(root)
            {
                found.append(reference)
            }
            rest += part.children.reversed()
        }
        return found
    }

    /// An expression with the names that are bound around it.
    private struct Part {
        var expression: Expression
        var bound: Set<String>

        init(_ expression: Expression, _ bound: Set<String>) {
            self.expression = expression
            self.bound = bound
        }

        var children: [Part] {
            switch expression.kind {
            case .literal, .element, .variable: []
            case .template(let parts): inside(parts)
            case .wrapped(let inner), .parenthesized(let inner), .unary(_, let inner): inside([inner])
            case .access(let base, let steps):
                inside([base].filter { _ in expression.ownReference == nil } + Expression.keys(of: steps))
            case .splat(let source, let each): inside([source, each])
            case .call(_, _, let arguments, _): inside(arguments)
            case .operation(let first, let rest): inside([first] + rest.map(\.operand))
            case .conditional(let choices, let otherwise):
                inside(choices.flatMap { [$0.condition, $0.result] } + [otherwise])
            case .tuple(let elements): inside(elements)
            case .object(let items): inside(items.flatMap { [$0.key, $0.value] })
            case .forTuple(let clause, let body, let condition):
                inside([clause.collection]) + binding(clause).inside([body] + [condition].compactMap { $0 })
            case .forObject(let clause, let key, let value, let condition, _):
                inside([clause.collection]) + binding(clause).inside([key, value] + [condition].compactMap { $0 })
            }
        }

        private func binding(_ clause: ForClause) -> Part {
            Part(expression, bound.union([clause.valueName] + [clause.keyName].compactMap { $0 }))
        }

        private func inside(_ expressions: [Expression]) -> [Part] { expressions.map { Part($0, bound) } }

        private func inside(_ parts: [TemplatePart]) -> [Part] {
            parts.flatMap { part in
                switch part {
                case .text: [Part]()
                case .interpolation(let expression): inside([expression])
                case .conditional(let condition, let then, let otherwise):
                    inside([condition]) + inside(then) + inside(otherwise)
                case .loop(let clause, let body): inside([clause.collection]) + binding(clause).inside(body)
                }
            }
        }
    }

    /// The traversal that the expression begins with, if it begins with a variable.
    private var ownReference: Reference? {
        switch kind {
        case .variable(let name): return Reference(path: [name], range: range)
        case .access(let base, let steps):
            guard case .variable(let root) = base.kind else { return nil }
            let names = Self.leadingNames(steps)
            let end = names.last?.range ?? base.range
            return Reference(path: [root] + names.map(\.text), range: base.range.union(end))
        default: return nil
        }
    }

    static func keys(of steps: [Step]) -> [Expression] {
        steps.compactMap { if case .index(let key, _) = $0 { key } else { nil } }
    }

    /// The names of a plain traversal such as `var.name`; nil for anything else.
    public var traversal: [String]? {
        switch kind {
        case .variable(let name): [name]
        case .access(let base, let steps): Self.traversal(base, steps[...])
        default: nil
        }
    }

    static func traversal(_ base: Expression, _ steps: ArraySlice<Step>) -> [String]? {
        guard case .variable(let root) = base.kind else { return nil }
        let names = leadingNames(steps).map(\.text)
        return names.count == steps.count ? [root] + names : nil
    }

    /// The attributes before the first index.
    private static func leadingNames(_ steps: some Sequence<Step>) -> [(text: String, range: SourceRange)] {
        var names: [(text: String, range: SourceRange)] = []
        for case .attribute(let name, let range) in steps.prefix(while: \.isAttribute) { names.append((name, range)) }
        return names
    }
}

extension Expression.Step {
    var range: SourceRange {
        switch self {
        case .attribute(_, let range), .index(_, let range): range
        }
    }

    fileprivate var isAttribute: Bool { if case .attribute = self { true } else { false } }
}

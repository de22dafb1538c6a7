import Diagnostics

extension Expression {
    /// The variables that the expression uses, those of its own `for` left out, in order of appearance.
    public var references: [Reference] {
        var found: [Reference] = []
        collect(into: &found, bound: [])
        return found
    }

    private func collect(into found: inout [Reference], bound: Set<String>) {
        switch kind {
        case .literal, .element: break
        case .variable(let name):
            if !bound.contains(name) { found.append(Reference(path: [name], range: range)) }
        case .template(let parts): Self.collect(parts, into: &found, bound: bound)
        case .wrapped(let inner), .parenthesized(let inner), .unary(_, let inner):
            inner.collect(into: &found, bound: bound)
        case .access(let base, let steps):
            let names = Self.leadingNames(steps)
            if case .variable(let root) = base.kind, let last = names.last {
                if !bound.contains(root) {
                    found.append(Reference(path: [root] + names.map(\.text), range: base.range.union(last.range)))
                }
            } else {
                base.collect(into: &found, bound: bound)
            }
            for case .index(let key, _) in steps { key.collect(into: &found, bound: bound) }
        case .splat(let source, let each):
            source.collect(into: &found, bound: bound)
            each.collect(into: &found, bound: bound)
        case .call(_, _, let arguments, _): for argument in arguments { argument.collect(into: &found, bound: bound) }
        case .operation(let first, let rest):
            first.collect(into: &found, bound: bound)
            for operation in rest { operation.operand.collect(into: &found, bound: bound) }
        case .conditional(let choices, let otherwise):
            for choice in choices {
                choice.condition.collect(into: &found, bound: bound)
                choice.result.collect(into: &found, bound: bound)
            }
            otherwise.collect(into: &found, bound: bound)
        case .tuple(let elements): for element in elements { element.collect(into: &found, bound: bound) }
        case .object(let items):
            for item in items {
                item.key.collect(into: &found, bound: bound)
                item.value.collect(into: &found, bound: bound)
            }
        case .forTuple(let clause, let body, let condition):
            clause.collection.collect(into: &found, bound: bound)
            let inner = bound.union([clause.valueName] + (clause.keyName.map { [$0] } ?? []))
            body.collect(into: &found, bound: inner)
            condition?.collect(into: &found, bound: inner)
        case .forObject(let clause, let key, let value, let condition, _):
            clause.collection.collect(into: &found, bound: bound)
            let inner = bound.union([clause.valueName] + (clause.keyName.map { [$0] } ?? []))
            for part in [key, value] { part.collect(into: &found, bound: inner) }
            condition?.collect(into: &found, bound: inner)
        }
    }

    private static func collect(_ parts: [TemplatePart], into found: inout [Reference], bound: Set<String>) {
        for part in parts {
            switch part {
            case .text: break
            case .interpolation(let expression): expression.collect(into: &found, bound: bound)
            case .conditional(let condition, let then, let otherwise):
                condition.collect(into: &found, bound: bound)
                collect(then, into: &found, bound: bound)
                collect(otherwise, into: &found, bound: bound)
            case .loop(let clause, let body):
                clause.collection.collect(into: &found, bound: bound)
                collect(
                    body, into: &found, bound: bound.union([clause.valueName] + (clause.keyName.map { [$0] } ?? [])))
            }
        }
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

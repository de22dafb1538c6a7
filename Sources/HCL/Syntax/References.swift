extension Expression {
    /// The variables that the expression uses, those of its own `for` left out, in order of appearance.
    public var references: [Reference] {
        var found: [Reference] = []
        collect(into: &found, bound: [])
        return found
    }

    private func collect(into found: inout [Reference], bound: Set<String>) {
        if let path = traversal {
            if let root = path.first, !bound.contains(root) { found.append(Reference(path: path, range: range)) }
            return
        }
        switch kind {
        case .literal, .variable, .element: break
        case .template(let parts): Self.collect(parts, into: &found, bound: bound)
        case .wrapped(let inner), .parenthesized(let inner), .unary(_, let inner), .attribute(let inner, _, _):
            inner.collect(into: &found, bound: bound)
        case .index(let inner, let key):
            inner.collect(into: &found, bound: bound)
            key.collect(into: &found, bound: bound)
        case .splat(let source, let each):
            source.collect(into: &found, bound: bound)
            each.collect(into: &found, bound: bound)
        case .call(_, _, let arguments, _): for argument in arguments { argument.collect(into: &found, bound: bound) }
        case .binary(_, let left, let right):
            left.collect(into: &found, bound: bound)
            right.collect(into: &found, bound: bound)
        case .conditional(let condition, let yes, let no):
            for part in [condition, yes, no] { part.collect(into: &found, bound: bound) }
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
        var names: [String] = []
        var current = self
        while true {
            switch current.kind {
            case .variable(let name): return [name] + names.reversed()
            case .attribute(let inner, let name, _):
                names.append(name)
                current = inner
            default: return nil
            }
        }
    }
}

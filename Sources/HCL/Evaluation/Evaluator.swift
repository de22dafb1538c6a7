public import Diagnostics

extension Expression {
    /// The expression's value; unknown where a problem was reported.
    public func evaluate(in context: EvaluationContext) -> Diagnosed<Value> {
        var evaluator = Evaluator(context: context)
        let value = evaluator.value(of: self)
        return Diagnosed(value, evaluator.diagnostics)
    }
}

/// Walks an expression and collects what is wrong with it.
struct Evaluator {
    var context: EvaluationContext
    /// Names bound by `for`, innermost last.
    var bound: [(name: String, value: Value)] = []
    /// What `.element` stands for, innermost splat last.
    var elements: [Value] = []
    var diagnostics: [Diagnostic] = []
    /// Members visited so far: bounds nested loops.
    var iterations = 0
    static let mostIterations = 1_000_000
    static let longestText = 64 << 20

    mutating func report(_ diagnostic: Diagnostic) -> Value {
        diagnostics.append(diagnostic)
        return .unknown
    }

    mutating func value(of expression: Expression) -> Value {
        switch expression.kind {
        case .literal(let value): return value
        case .template(let parts):
            var text = ""
            return append(parts, to: &text) ? .string(text) : .unknown
        case .wrapped(let inner), .parenthesized(let inner): return value(of: inner)
        case .variable(let name): return variable(name, expression)
        case .attribute(let source, let name, let range):
            return attribute(name, range, of: value(of: source), source)
        case .index(let source, let key):
            let collection = value(of: source)
            return index(collection, value(of: key), expression, keyRange: key.range)
        case .element: return elements.last ?? .unknown
        case .splat(let source, let each): return splat(value(of: source), each)
        case .call(let name, let nameRange, let arguments, let expandsLast):
            return call(name, nameRange, arguments, expandsLast, expression)
        case .unary(let sign, let operand): return unary(sign, value(of: operand), operand.range)
        case .binary(let sign, let left, let right): return binary(sign, left, right, expression.range)
        case .conditional(let condition, let yes, let no): return conditional(condition, yes, no, expression.range)
        case .tuple(let members): return .tuple(members.map { value(of: $0) })
        case .object(let items): return object(items)
        case .forTuple(let clause, let body, let condition): return forTuple(clause, body, condition)
        case .forObject(let clause, let key, let value, let condition, let groups):
            return forObject(clause, key, value, condition, groups)
        }
    }

    private mutating func variable(_ name: String, _ expression: Expression) -> Value {
        if let local = bound.last(where: { $0.name == name }) { return local.value }
        if let value = context.variables[name] { return value }
        let known = bound.map(\.name) + context.variables.keys
        return report(.unknownVariable(name, known: known.sorted(), at: expression.range))
    }

    private mutating func attribute(_ name: String, _ range: SourceRange, of source: Value, _ expression: Expression)
        -> Value
    {
        switch source {
        case .unknown: return .unknown
        case .object(let attributes), .map(let attributes):
            if let value = attributes[name] { return value }
            let path = (expression.traversal ?? []).joined(separator: ".")
            var isMap = false
            if case .map = source { isMap = true }
            return report(
                .unsupportedAttribute(name, of: path, known: attributes.keys.sorted(), isMap: isMap, at: range))
        case .null: return report(.attributeOfNull(at: range))
        default: return report(.attributeOfOther(name, source.kind, at: range))
        }
    }

    private mutating func index(_ source: Value, _ key: Value, _ expression: Expression, keyRange: SourceRange) -> Value
    {
        if !source.isKnown || !key.isKnown { return .unknown }
        switch source {
        case .list(let values), .tuple(let values):
            guard case .success(.number(let number)) = key.converted(to: .number), !key.isNull else {
                return report(.invalidIndex("a list is indexed by a number, not by \(key.kind)", at: keyRange))
            }
            guard let position = number.int, values.indices.contains(position) else {
                let count = values.count == 1 ? "1 element" : "\(values.count) elements"
                return report(
                    .invalidIndex(
                        "the index \(number.text) is out of range: the list has \(count), counted from 0", at: keyRange)
                )
            }
            return values[position]
        case .map(let values), .object(let values):
            guard case .success(.string(let name)) = key.converted(to: .string), !key.isNull else {
                return report(.invalidIndex("a map is indexed by a string, not by \(key.kind)", at: keyRange))
            }
            if let value = values[name] { return value }
            let hint = suggestion(for: name, among: values.keys.sorted()).map { "; did you mean \"\($0)\"?" } ?? ""
            return report(.invalidIndex("there is no element with the key \"\(name)\"\(hint)", at: keyRange))
        case .null: return report(.invalidIndex("the value is null, so it has no elements", at: expression.range))
        default: return report(.invalidIndex("\(source.kind) has no elements", at: expression.range))
        }
    }

    private mutating func splat(_ source: Value, _ each: Expression) -> Value {
        if !source.isKnown { return .unknown }
        if source.isNull { return .tuple([]) }
        let members = source.elements ?? [source]
        var results: [Value] = []
        for member in members {
            guard countIteration(each.range) else { return .unknown }
            elements.append(member)
            results.append(value(of: each))
            elements.removeLast()
        }
        return .tuple(results)
    }

    mutating func conditional(_ condition: Expression, _ yes: Expression, _ no: Expression, _ range: SourceRange)
        -> Value
    {
        guard let flag = bool(condition, Diagnostic.conditionalType) else {
            // Which arm counts is not known, so neither arm's mistakes are told.
            return .unknown
        }
        // The arm not taken may be wrong; it still decides the common type.
        let chosen = value(of: flag ? yes : no)
        let count = diagnostics.count
        let other = value(of: flag ? no : yes)
        let otherFailed = diagnostics.count > count
        diagnostics.removeSubrange(count...)
        guard !otherFailed, chosen.isKnown, other.isKnown else { return chosen }
        switch (chosen, other) {
        case (.null, _), (_, .null): return chosen
        case (.tuple, .tuple), (.object, .object): if chosen.type == other.type { return chosen }
        default: break
        }
        guard let type = Value.unifiedType(of: [chosen, other]), case .success(let value) = chosen.converted(to: type)
        else {
            return report(.inconsistentConditional(chosen.kind, other.kind, at: range))
        }
        return value
    }

    /// A condition's value; nil after reporting what is wrong with it, and for unknown.
    mutating func bool(
        _ expression: Expression, _ problem: (String, SourceRange) -> Diagnostic
    ) -> Bool? {
        let value = value(of: expression)
        switch value {
        case .bool(let flag): return flag
        case .unknown: return nil
        default:
            if !value.isNull, case .success(.bool(let flag)) = value.converted(to: .bool) { return flag }
            _ = report(problem(value.kind, expression.range))
            return nil
        }
    }

    private mutating func object(_ items: [Expression.ObjectItem]) -> Value {
        var attributes: [String: Value] = [:]
        var isKnown = true
        for item in items {
            let key = value(of: item.key)
            let value = value(of: item.value)
            if !key.isKnown {
                isKnown = false
                continue
            }
            guard !key.isNull, case .success(.string(let name)) = key.converted(to: .string) else {
                _ = report(.invalidObjectKey(key.kind, at: item.key.range))
                isKnown = false
                continue
            }
            attributes[name] = value
        }
        return isKnown ? .object(attributes) : .unknown
    }

    mutating func countIteration(_ range: SourceRange) -> Bool {
        iterations += 1
        if iterations == Self.mostIterations { _ = report(.tooManyIterations(at: range)) }
        return iterations < Self.mostIterations
    }

    // MARK: Templates

    /// - Returns: Whether the text is whole: false when a part is unknown.
    private mutating func append(_ parts: [TemplatePart], to text: inout String) -> Bool {
        var isKnown = true
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .interpolation(let expression):
                let value = value(of: expression)
                switch value {
                case .unknown: isKnown = false
                case .string(let piece): text += piece
                case .number, .bool:
                    if case .success(.string(let piece)) = value.converted(to: .string) { text += piece }
                default:
                    _ = report(.invalidTemplateValue(value.kind, isNull: value.isNull, at: expression.range))
                    isKnown = false
                }
            case .conditional(let condition, let then, let otherwise):
                guard let flag = bool(condition, Diagnostic.conditionalType) else {
                    isKnown = false
                    continue
                }
                if !append(flag ? then : otherwise, to: &text) { isKnown = false }
            case .loop(let clause, let body):
                var inner = text
                let isWhole = forEach(clause) { evaluator in
                    if !evaluator.append(body, to: &inner) { isKnown = false }
                    return inner.utf8.count < Self.longestText
                }
                text = inner
                if !isWhole { isKnown = false }
            }
        }
        return isKnown
    }
}

public import Diagnostics

extension Expression {
    /// The expression's value; unknown where a problem was reported, and once the current task is cancelled.
    public func evaluate(in context: EvaluationContext) -> Diagnosed<Value> {
        var evaluator = Evaluator(context: context)
        let value = evaluator.value(of: self)
        if evaluator.isInterrupted { return Diagnosed(.unknown, [.interrupted(at: range)]) }
        return Diagnosed(value, evaluator.diagnostics)
    }
}

/// Walks an expression and collects what is wrong with it.
struct Evaluator {
    var context: EvaluationContext
    /// Names bound by `for`, innermost last.
    var bound: [(name: String, value: Value)] = []
    /// The values of `.element`, innermost splat last.
    var elements: [Value] = []
    var diagnostics: [Diagnostic] = []
    /// Members visited so far: bounds nested loops.
    var iterations = 0
    static let mostIterations = 250_000
    /// Bytes of text made so far: bounds what loops multiply.
    private var textBytes = 0
    private static let longestText = 64 << 20
    /// Expressions evaluated so far; every 256th looks whether the task is cancelled.
    private var steps = 0
    private var depth = 0
    private var stack = StackRoom()
    /// The task is cancelled: nothing is evaluated any more.
    private(set) var isInterrupted = false

    init(context: EvaluationContext) { self.context = context }

    mutating func report(_ diagnostic: Diagnostic) -> Value {
        diagnostics.append(diagnostic)
        return .unknown
    }

    mutating func value(of expression: Expression) -> Value {
        if steps & 0xFF == 0, Task.isCancelled { isInterrupted = true }
        steps &+= 1
        if isInterrupted { return .unknown }
        depth += 1
        defer { depth -= 1 }
        if depth > Parser.safeNesting, stack.isUsedUp() { return report(.tooDeep(at: expression.range)) }
        switch expression.kind {
        case .literal(let value): return value
        case .template(let parts):
            var text = ""
            var isSensitive = false
            let isKnown = append(parts, to: &text, &isSensitive)
            return (isKnown ? Value.string(normalized(text)) : .unknown).marked(isSensitive)
        case .wrapped(let inner), .parenthesized(let inner): return value(of: inner)
        case .variable(let name): return variable(name, expression)
        case .access(let base, let steps): return access(base, steps)
        case .element: return elements.last ?? .unknown
        case .splat(let source, let each): return splat(value(of: source), each)
        case .call(let name, let nameRange, let arguments, let expandsLast):
            return call(name, nameRange, arguments, expandsLast, expression)
        case .unary(let sign, let operand):
            let value = value(of: operand)
            return unary(sign, value.unwrapped, operand.range).marked(value.isSensitive)
        case .operation(let first, let rest): return operation(first, rest)
        case .conditional(let choices, let otherwise): return conditional(choices, otherwise)
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

    private mutating func access(_ base: Expression, _ steps: [Expression.Step]) -> Value {
        var result = value(of: base)
        for (position, step) in steps.enumerated() {
            switch step {
            case .attribute(let name, let range):
                result = attribute(name, range, of: result) { Expression.traversal(base, steps[..<position]) }
            case .index(let key, let range):
                result = index(result, value(of: key), base.range.union(range), keyRange: key.range)
            }
        }
        return result
    }

    /// - Parameter path: The names that lead to the source, if it is a plain traversal.
    private mutating func attribute(
        _ name: String, _ range: SourceRange, of source: Value, path: () -> [String]?
    ) -> Value {
        switch source {
        case .sensitive(let inner): return attribute(name, range, of: inner, path: path).marked(true)
        case .unknown: return .unknown
        case .object(let attributes), .map(let attributes):
            if let value = attributes[name] { return value }
            let path = (path() ?? []).joined(separator: ".")
            var isMap = false
            if case .map = source { isMap = true }
            return report(
                .unsupportedAttribute(name, of: path, known: attributes.keys.sorted(), isMap: isMap, at: range))
        case .null: return report(.attributeOfNull(at: range))
        default: return report(.attributeOfOther(name, source.kind, at: range))
        }
    }

    private mutating func index(_ source: Value, _ key: Value, _ range: SourceRange, keyRange: SourceRange) -> Value {
        if source.isSensitive || key.isSensitive {
            let result = index(
                source.unwrapped, key.unwrapped, range, keyRange: keyRange, hidesKey: key.isSensitive)
            return result.marked(true)
        }
        return index(source, key, range, keyRange: keyRange, hidesKey: false)
    }

    /// - Parameter hidesKey: The key must not be quoted.
    private mutating func index(
        _ source: Value, _ key: Value, _ range: SourceRange, keyRange: SourceRange, hidesKey: Bool
    ) -> Value {
        if !source.isKnown || !key.isKnown { return .unknown }
        switch source {
        case .list(let values), .tuple(let values):
            guard case .success(.number(let number)) = key.converted(to: .number), !key.isNull else {
                return report(.invalidIndex("a list is indexed by a number, not by \(key.kind)", at: keyRange))
            }
            guard let position = number.int, values.indices.contains(position) else {
                let count = values.count == 1 ? "1 element" : "\(values.count) elements"
                let shown = hidesKey ? "" : " \(number.text)"
                return report(
                    .invalidIndex(
                        "the index\(shown) is out of range: the list has \(count), counted from 0", at: keyRange)
                )
            }
            return values[position]
        case .map(let values), .object(let values):
            guard case .success(.string(let name)) = key.converted(to: .string), !key.isNull else {
                return report(.invalidIndex("a map is indexed by a string, not by \(key.kind)", at: keyRange))
            }
            if let value = values[name] { return value }
            if hidesKey { return report(.invalidIndex("there is no element with this key", at: keyRange)) }
            let hint = suggestion(for: name, among: values.keys.sorted()).map { "; did you mean \"\($0)\"?" } ?? ""
            return report(.invalidIndex("there is no element with the key \"\(name)\"\(hint)", at: keyRange))
        case .null: return report(.invalidIndex("the value is null, so it has no elements", at: range))
        default: return report(.invalidIndex("\(source.kind) has no elements", at: range))
        }
    }

    private mutating func splat(_ source: Value, _ each: Expression) -> Value {
        if case .sensitive(let inner) = source { return splat(inner, each).marked(true) }
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

    /// A condition's value; nil after reporting what is wrong with it, and for unknown.
    ///
    /// - Parameter isSensitive: Becomes true if the value is.
    mutating func bool(
        _ expression: Expression, _ problem: (String, SourceRange) -> Diagnostic, _ isSensitive: inout Bool
    ) -> Bool? {
        bool(value(of: expression), problem, expression.range, &isSensitive)
    }

    mutating func bool(
        _ marked: Value, _ problem: (String, SourceRange) -> Diagnostic, _ range: SourceRange,
        _ isSensitive: inout Bool
    ) -> Bool? {
        if marked.isSensitive { isSensitive = true }
        let value = marked.unwrapped
        switch value {
        case .bool(let flag): return flag
        case .unknown: return nil
        default:
            if !value.isNull, case .success(.bool(let flag)) = value.converted(to: .bool) { return flag }
            _ = report(problem(value.kind, range))
            return nil
        }
    }

    private mutating func object(_ items: [Expression.ObjectItem]) -> Value {
        var attributes: [String: Value] = [:]
        var isKnown = true
        var isSensitive = false
        for item in items {
            let marked = value(of: item.key)
            if marked.isSensitive { isSensitive = true }
            let key = marked.unwrapped
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
            if item.mustBeUnique, attributes[name] != nil {
                _ = report(.duplicateObjectKey(marked.isSensitive ? "(sensitive)" : name, at: item.key.range))
            }
            attributes[name] = value
        }
        return (isKnown ? Value.object(attributes) : .unknown).marked(isSensitive)
    }

    /// Text made so far is too much; reported.
    var isExhausted: Bool { textBytes > Self.longestText }

    private mutating func add(_ piece: String, to text: inout String, _ range: SourceRange) {
        guard !isExhausted else { return }
        count(bytes: piece.utf8.count, range)
        text += piece
    }

    /// Counts text that the expression makes, and reports when it becomes too much.
    mutating func count(bytes: Int, _ range: SourceRange) {
        guard !isExhausted else { return }
        textBytes += bytes
        if isExhausted { _ = report(.tooMuchText(at: range)) }
    }

    mutating func countIteration(_ range: SourceRange) -> Bool {
        iterations += 1
        if iterations == Self.mostIterations { _ = report(.tooManyIterations(at: range)) }
        return iterations < Self.mostIterations
    }

    // MARK: Templates

    /// - Returns: Whether the text is whole: false when a part is unknown.
    private mutating func append(_ parts: [TemplatePart], to text: inout String, _ isSensitive: inout Bool) -> Bool {
        var isKnown = true
        for part in parts {
            switch part {
            case .text(let piece): text += piece
            case .interpolation(let expression):
                let marked = value(of: expression)
                if marked.isSensitive { isSensitive = true }
                let value = marked.unwrapped
                switch value {
                case .unknown: isKnown = false
                case .string(let piece): add(piece, to: &text, expression.range)
                case .number, .bool:
                    if case .success(.string(let piece)) = value.converted(to: .string) { text += piece }
                default:
                    _ = report(.invalidTemplateValue(value.kind, isNull: value.isNull, at: expression.range))
                    isKnown = false
                }
            case .conditional(let condition, let then, let otherwise):
                guard let flag = bool(condition, Diagnostic.conditionalType, &isSensitive) else {
                    isKnown = false
                    continue
                }
                if !append(flag ? then : otherwise, to: &text, &isSensitive) { isKnown = false }
            case .loop(let clause, let body):
                // What is appended to moves into the closure and back, so that it is not copied in every round.
                var inner = text
                text = ""
                var innerSensitive = false
                let isWhole = forEach(clause, &isSensitive) { evaluator in
                    if !evaluator.append(body, to: &inner, &innerSensitive) { isKnown = false }
                    return !evaluator.isExhausted
                }
                text = inner
                if innerSensitive { isSensitive = true }
                if !isWhole { isKnown = false }
            }
        }
        return isKnown
    }
}

import Diagnostics

extension Evaluator {
    mutating func call(
        _ name: String, _ nameRange: SourceRange, _ arguments: [Expression], _ expandsLast: Bool,
        _ expression: Expression
    ) -> Value {
        guard let function = context.functions[name] else {
            return report(.unknownFunction(name, known: context.functions.keys.sorted(), at: nameRange))
        }
        switch function.kind {
        case .tryEach: return tryEach(arguments, expression)
        case .can: return can(arguments, nameRange)
        case .convert: return convert(arguments, nameRange)
        case .plain(let body):
            guard let (values, ranges) = evaluate(arguments, expandsLast) else { return .unknown }
            guard function.accepts(values.count) else {
                return report(.wrongArgumentCount(name, function.arity, given: values.count, at: expression.range))
            }
            return apply(function, body, name, values, ranges, expression.range)
        }
    }

    /// A reason might quote what must not be shown.
    private static let withheld = "the reason is not shown, because an argument is sensitive"

    private mutating func apply(
        _ function: Function, _ body: Function.Body, _ name: String, _ values: [Value], _ ranges: [SourceRange],
        _ range: SourceRange
    ) -> Value {
        var converted: [Value] = []
        var isKnown = true
        let isSensitive = values.contains(where: \.containsSensitive)
        for (index, marked) in values.enumerated() {
            let value = isSensitive ? marked.revealed : marked
            let type = function.parameters[min(index, function.parameters.count - 1)]
            if !function.takesAnything {
                if function.takesPartlyUnknown ? !value.isKnown : !value.isWhollyKnown {
                    isKnown = false
                    continue
                }
                if value.isNull {
                    return report(.functionError(name, "argument \(index + 1) must not be null", at: ranges[index]))
                }
            }
            switch value.converted(to: type) {
            case .success(let value): converted.append(value)
            case .failure(let problem):
                let reason = isSensitive ? Self.withheld : problem.description
                return report(.functionError(name, "argument \(index + 1): \(reason)", at: ranges[index]))
            }
        }
        guard isKnown else { return Value.unknown.marked(isSensitive) }
        do throws(FunctionError) {
            let result = try body(converted)
            if case .string(let text) = result { count(bytes: text.utf8.count, range) }
            return result.marked(isSensitive)
        } catch {
            let place = error.argument.flatMap { ranges.indices.contains($0) ? ranges[$0] : nil } ?? range
            return report(.functionError(name, isSensitive ? Self.withheld : error.message, at: place))
        }
    }

    /// The arguments' values, the last one spread out if asked for; nil after a problem.
    private mutating func evaluate(_ arguments: [Expression], _ expandsLast: Bool) -> ([Value], [SourceRange])? {
        let count = diagnostics.count
        var values: [Value] = []
        var ranges: [SourceRange] = []
        for (index, argument) in arguments.enumerated() {
            let value = value(of: argument)
            guard expandsLast, index == arguments.count - 1 else {
                values.append(value)
                ranges.append(argument.range)
                continue
            }
            if !value.isKnown { return nil }
            guard let members = value.unwrapped.elements?.map({ $0.marked(value.isSensitive) }) else {
                _ = report(.invalidExpansion(value.kind, at: argument.range))
                return nil
            }
            values += members
            ranges += members.map { _ in argument.range }
        }
        return diagnostics.count > count ? nil : (values, ranges)
    }

    private mutating func tryEach(_ arguments: [Expression], _ expression: Expression) -> Value {
        var problems: [Diagnostic] = []
        let count = diagnostics.count
        for argument in arguments {
            let value = value(of: argument)
            if diagnostics.count == count {
                return value.isWhollyKnown ? value : Value.unknown.marked(value.containsSensitive)
            }
            problems += diagnostics[count...]
            diagnostics.removeSubrange(count...)
        }
        let reasons = problems.map { "- \($0.summary): \($0.detail)" }.joined(separator: "\n")
        return report(.functionError("try", "no expression succeeded:\n\(reasons)", at: expression.range))
    }

    private mutating func can(_ arguments: [Expression], _ range: SourceRange) -> Value {
        guard arguments.count == 1 else {
            return report(.wrongArgumentCount("can", "1", given: arguments.count, at: range))
        }
        let count = diagnostics.count
        let value = value(of: arguments[0])
        let succeeded = diagnostics.count == count
        diagnostics.removeSubrange(count...)
        return succeeded && !value.isWhollyKnown ? .unknown : .bool(succeeded)
    }

    private mutating func convert(_ arguments: [Expression], _ range: SourceRange) -> Value {
        guard arguments.count == 2 else {
            return report(.wrongArgumentCount("convert", "2", given: arguments.count, at: range))
        }
        let type = HCLType.parse(arguments[1])
        diagnostics += type.diagnostics
        let value = value(of: arguments[0])
        guard !type.diagnostics.hasErrors, value.isKnown else { return Value.unknown.marked(value.isSensitive) }
        switch value.converted(to: type.value) {
        case .success(let converted): return converted
        case .failure(let problem):
            return report(.functionError("convert", problem.description, at: arguments[0].range))
        }
    }
}

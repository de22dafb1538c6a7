import Diagnostics

extension Evaluator {
    /// A condition that is known, and the result beside it.
    private struct Arm {
        var isChosen: Bool
        var isSensitive: Bool
        var result: Outcome
        var range: SourceRange
    }

    private struct Outcome {
        var value: Value
        var problems: [Diagnostic]
    }

    /// The first result whose condition is true.
    ///
    /// Each `condition ? result : rest` converts its two sides to their common type, so all are evaluated; mistakes
    /// count on the side that is taken only. From the last to the first, since a chain can be long.
    mutating func conditional(_ choices: [Expression.Choice], _ otherwise: Expression) -> Value {
        let start = diagnostics.count
        var arms: [Arm] = []
        var unknown: Outcome?
        for choice in choices {
            var isSensitive = false
            guard let flag = bool(choice.condition, Diagnostic.conditionalType, &isSensitive) else {
                // Which side counts is not known, so the mistakes of neither side are reported.
                unknown = outcome(Value.unknown.marked(isSensitive), since: start)
                break
            }
            let value = value(of: choice.result)
            arms.append(
                Arm(
                    isChosen: flag, isSensitive: isSensitive, result: outcome(value, since: start),
                    range: choice.condition.range.union(otherwise.range)))
        }
        var rest = unknown ?? outcome(value(of: otherwise), since: start)
        while let arm = arms.popLast() { rest = combined(arm, rest) }
        diagnostics += rest.problems
        return rest.value
    }

    /// A value with what was reported about it, which is taken back.
    private mutating func outcome(_ value: Value, since start: Int) -> Outcome {
        let problems = Array(diagnostics[start...])
        diagnostics.removeSubrange(start...)
        return Outcome(value: value, problems: problems)
    }

    private func combined(_ arm: Arm, _ rest: Outcome) -> Outcome {
        var (chosen, other) = arm.isChosen ? (arm.result, rest) : (rest, arm.result)
        chosen.value = chosen.value.marked(arm.isSensitive)
        guard other.problems.isEmpty, chosen.value.isKnown, other.value.isKnown else { return chosen }
        if chosen.value.isNull || other.value.isNull || chosen.value.type == other.value.type { return chosen }
        if let type = Value.unifiedType(of: [chosen.value, other.value]),
            case .success(let value) = chosen.value.converted(to: type)
        {
            chosen.value = value
        } else {
            chosen.problems.append(.inconsistentConditional(chosen.value.kind, other.value.kind, at: arm.range))
            chosen.value = .unknown
        }
        return chosen
    }
}

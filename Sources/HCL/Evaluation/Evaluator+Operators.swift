import Diagnostics

extension Evaluator {
    mutating func unary(_ sign: UnaryOperator, _ operand: Value, _ range: SourceRange) -> Value {
        switch sign {
        case .negate:
            guard let number = number(operand, range) else { return .unknown }
            return .number(-number)
        case .not:
            guard operand.isKnown else { return .unknown }
            guard !operand.isNull, case .success(.bool(let flag)) = operand.converted(to: .bool) else {
                return report(.invalidOperand("a bool is required, not \(operand.kind)", at: range))
            }
            return .bool(!flag)
        }
    }

    /// Operators of one precedence, from left to right.
    mutating func operation(_ first: Expression, _ rest: [Expression.Operation]) -> Value {
        let start = diagnostics.count
        var left = value(of: first)
        var range = first.range
        for operation in rest {
            let (sign, operand) = (operation.sign, operation.operand)
            let whole = range.union(operand.range)
            switch sign {
            case .and, .or: left = logical(sign, left, range, operand, since: start)
            case .equal, .notEqual: left = equality(sign, left, value(of: operand))
            default: left = arithmetic(sign, left, range, value(of: operand), operand.range, whole)
            }
            range = whole
        }
        return left
    }

    private func equality(_ sign: BinaryOperator, _ a: Value, _ b: Value) -> Value {
        let isSensitive = a.containsSensitive || b.containsSensitive
        guard a.isWhollyKnown, b.isWhollyKnown else { return Value.unknown.marked(isSensitive) }
        return Value.bool((a.revealed == b.revealed) == (sign == .equal)).marked(isSensitive)
    }

    private mutating func arithmetic(
        _ sign: BinaryOperator, _ x: Value, _ leftRange: SourceRange, _ y: Value, _ rightRange: SourceRange,
        _ range: SourceRange
    ) -> Value {
        let isSensitive = x.isSensitive || y.isSensitive
        let a = number(x.unwrapped, leftRange)
        let b = number(y.unwrapped, rightRange)
        guard let a, let b else { return Value.unknown.marked(isSensitive) }
        return arithmetic(sign, a, b, range, rightRange).marked(isSensitive)
    }

    private mutating func arithmetic(
        _ sign: BinaryOperator, _ a: Number, _ b: Number, _ range: SourceRange, _ divisor: SourceRange
    ) -> Value {
        guard a.isReasonable, b.isReasonable else {
            return report(.invalidOperand("the number is too large to reckon with", at: range))
        }
        switch sign {
        case .add: return .number(a + b)
        case .subtract: return .number(a - b)
        case .multiply: return .number(a * b)
        case .divide: return a.divided(by: b).map { .number($0) } ?? report(.divisionByZero(at: divisor))
        // The reference gives the dividend for a division by zero here.
        case .modulo: return .number(a.remainder(dividingBy: b) ?? a)
        case .greater: return .bool(a > b)
        case .greaterOrEqual: return .bool(a >= b)
        case .less: return .bool(a < b)
        case .lessOrEqual: return .bool(a <= b)
        case .equal, .notEqual, .and, .or: return .unknown
        }
    }

    /// Both sides are evaluated; a side that decides alone makes the other's mistakes unimportant.
    ///
    /// - Parameter start: How many problems there were before the left side.
    private mutating func logical(
        _ sign: BinaryOperator, _ left: Value, _ leftRange: SourceRange, _ right: Expression, since start: Int
    ) -> Value {
        let deciding = sign == .or
        var isSensitive = false
        let a = bool(left, Diagnostic.logicalType, leftRange, &isSensitive)
        let b = bool(right, Diagnostic.logicalType, &isSensitive)
        if a == deciding || b == deciding {
            diagnostics.removeSubrange(start...)
            return Value.bool(deciding).marked(isSensitive)
        }
        guard a != nil, b != nil else { return Value.unknown.marked(isSensitive) }
        return Value.bool(!deciding).marked(isSensitive)
    }

    private mutating func number(_ value: Value, _ range: SourceRange) -> Number? {
        switch value {
        case .number(let number): return number
        case .unknown: return nil
        default:
            if !value.isNull, case .success(.number(let number)) = value.converted(to: .number) { return number }
            _ = report(.invalidOperand("a number is required, not \(value.kind)", at: range))
            return nil
        }
    }
}

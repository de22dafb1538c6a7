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

    mutating func binary(_ sign: BinaryOperator, _ left: Expression, _ right: Expression, _ range: SourceRange) -> Value
    {
        switch sign {
        case .and, .or: return logical(sign, left, right)
        case .equal, .notEqual:
            let (a, b) = (value(of: left), value(of: right))
            guard a.isWhollyKnown, b.isWhollyKnown else { return .unknown }
            return .bool((a == b) == (sign == .equal))
        default: return arithmetic(sign, left, right, range)
        }
    }

    private mutating func arithmetic(
        _ sign: BinaryOperator, _ left: Expression, _ right: Expression, _ range: SourceRange
    ) -> Value {
        let a = number(value(of: left), left.range)
        let b = number(value(of: right), right.range)
        guard let a, let b else { return .unknown }
        guard a.isReasonable, b.isReasonable else {
            return report(.invalidOperand("the number is too large to reckon with", at: range))
        }
        switch sign {
        case .add: return .number(a + b)
        case .subtract: return .number(a - b)
        case .multiply: return .number(a * b)
        case .divide: return a.divided(by: b).map { .number($0) } ?? report(.divisionByZero(at: right.range))
        case .modulo: return a.remainder(dividingBy: b).map { .number($0) } ?? report(.divisionByZero(at: right.range))
        case .greater: return .bool(a > b)
        case .greaterOrEqual: return .bool(a >= b)
        case .less: return .bool(a < b)
        case .lessOrEqual: return .bool(a <= b)
        case .equal, .notEqual, .and, .or: return .unknown
        }
    }

    /// Both sides are evaluated; a side that decides alone makes the other's mistakes unimportant.
    private mutating func logical(_ sign: BinaryOperator, _ left: Expression, _ right: Expression) -> Value {
        let deciding = sign == .or
        let start = diagnostics.count
        let a = bool(left, Diagnostic.logicalType)
        if a == deciding {
            diagnostics.removeSubrange(start...)
            return .bool(deciding)
        }
        let b = bool(right, Diagnostic.logicalType)
        if b == deciding {
            diagnostics.removeSubrange(start...)
            return .bool(deciding)
        }
        guard a != nil, b != nil else { return .unknown }
        return .bool(!deciding)
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

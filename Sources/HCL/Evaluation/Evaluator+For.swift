import Diagnostics

extension Evaluator {
    /// Runs `body` for each member with the clause's names bound, until it gives false.
    ///
    /// - Returns: Whether there was something to go through; false after a problem, and for unknown.
    mutating func forEach(
        _ clause: Expression.ForClause, _ isSensitive: inout Bool, _ body: (inout Evaluator) -> Bool
    ) -> Bool {
        let marked = value(of: clause.collection)
        if marked.isSensitive { isSensitive = true }
        let collection = marked.unwrapped
        if !collection.isKnown { return false }
        guard let members = collection.members else {
            _ = report(.invalidForCollection(collection.kind, at: clause.collection.range))
            return false
        }
        for (key, value) in members {
            guard countIteration(clause.collection.range) else { return false }
            let count = bound.count
            if let name = clause.keyName { bound.append((name, key)) }
            bound.append((clause.valueName, value))
            let goesOn = body(&self)
            bound.removeSubrange(count...)
            if !goesOn { return false }
        }
        return true
    }

    mutating func forTuple(_ clause: Expression.ForClause, _ body: Expression, _ condition: Expression?) -> Value {
        var results: [Value] = []
        var isKnown = true
        var isSensitive = false
        var conditionSensitive = false
        let isWhole = forEach(clause, &isSensitive) { evaluator in
            switch evaluator.passes(condition, &conditionSensitive) {
            case true?: results.append(evaluator.value(of: body))
            case false?: break
            case nil: isKnown = false
            }
            // One report about the body is enough: the next round would only repeat it.
            return isKnown && !evaluator.diagnostics.hasErrors
        }
        return (isWhole && isKnown ? Value.tuple(results) : .unknown).marked(isSensitive || conditionSensitive)
    }

    mutating func forObject(
        _ clause: Expression.ForClause, _ keyExpression: Expression, _ valueExpression: Expression,
        _ condition: Expression?, _ groups: Bool
    ) -> Value {
        var results: [String: Value] = [:]
        var grouped: [String: [Value]] = [:]
        var isKnown = true
        var isSensitive = false
        var innerSensitive = false
        let isWhole = forEach(clause, &isSensitive) { evaluator in
            guard let passes = evaluator.passes(condition, &innerSensitive) else {
                isKnown = false
                return false
            }
            if !passes { return true }
            let markedKey = evaluator.value(of: keyExpression)
            if markedKey.isSensitive { innerSensitive = true }
            let key = markedKey.unwrapped
            let value = evaluator.value(of: valueExpression)
            guard key.isKnown else {
                isKnown = false
                return false
            }
            guard !key.isNull, case .success(.string(let name)) = key.converted(to: .string) else {
                _ = evaluator.report(.invalidObjectKey(key.kind, at: keyExpression.range))
                return false
            }
            if groups {
                grouped[name, default: []].append(value)
            } else if results.updateValue(value, forKey: name) != nil {
                let shown = innerSensitive ? "(sensitive)" : name
                _ = evaluator.report(.duplicateObjectKey(shown, at: keyExpression.range))
                return false
            }
            return !evaluator.diagnostics.hasErrors
        }
        guard isWhole, isKnown else { return Value.unknown.marked(isSensitive || innerSensitive) }
        let object = Value.object(groups ? grouped.mapValues { .tuple($0) } : results)
        return object.marked(isSensitive || innerSensitive)
    }

    private mutating func passes(_ condition: Expression?, _ isSensitive: inout Bool) -> Bool? {
        guard let condition else { return true }
        return bool(condition, Diagnostic.conditionalType, &isSensitive)
    }
}

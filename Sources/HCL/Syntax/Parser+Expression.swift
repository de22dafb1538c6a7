import Diagnostics

extension Parser {
    mutating func parseLoneExpression() -> Expression {
        newlinesAreSpace = true
        do throws(Abandoned) {
            skipSpace()
            let expression = try parseExpression()
            skipSpace()
            if position < bytes.count { report(.extraCharacters(at: nextWord)) }
            return expression
        } catch {
            return Expression(.literal(.unknown), range(from: 0))
        }
    }

    mutating func parseExpression() throws(Abandoned) -> Expression {
        try nested { parser throws(Abandoned) in try parser.parseConditional() }
    }

    private mutating func parseConditional() throws(Abandoned) -> Expression {
        var choices: [Expression.Choice] = []
        while true {
            let expression = try parseBinary(above: 0)
            skipSpace()
            guard byte == UInt8(ascii: "?") else {
                guard let first = choices.first else { return expression }
                return try make(
                    .conditional(choices, otherwise: expression), first.condition.range.union(expression.range),
                    choices.flatMap { [$0.condition, $0.result] } + [expression])
            }
            position += 1
            skipSpace()
            choices.append(Expression.Choice(condition: expression, result: try parseExpression()))
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw fail(.missingColon(at: nextWord)) }
            position += 1
            skipSpace()
        }
    }

    private mutating func parseBinary(above limit: Int) throws(Abandoned) -> Expression {
        var left = try parseUnary()
        var chain: [Expression.Operation] = []
        while true {
            skipSpace()
            let found = binaryOperator.flatMap { $0.precedence > limit ? $0 : nil }
            if let last = chain.last, last.sign.precedence != found?.precedence {
                left = try make(
                    .operation(left, chain), left.range.union(last.operand.range), [left] + chain.map(\.operand))
                chain = []
            }
            guard let found else { return left }
            position += found.rawValue.utf8.count
            skipSpace()
            let right = try nested { parser throws(Abandoned) in try parser.parseBinary(above: found.precedence) }
            chain.append(Expression.Operation(sign: found, operand: right))
        }
    }

    private var binaryOperator: BinaryOperator? {
        guard let first = byte else { return nil }
        let next = byte(at: 1)
        switch first {
        case UInt8(ascii: "*"): return .multiply
        case UInt8(ascii: "/"): return .divide
        case UInt8(ascii: "%"): return .modulo
        case UInt8(ascii: "+"): return .add
        case UInt8(ascii: "-"): return .subtract
        case UInt8(ascii: ">"): return next == UInt8(ascii: "=") ? .greaterOrEqual : .greater
        case UInt8(ascii: "<"): return next == UInt8(ascii: "=") ? .lessOrEqual : .less
        case UInt8(ascii: "="): return next == UInt8(ascii: "=") ? .equal : nil
        case UInt8(ascii: "!"): return next == UInt8(ascii: "=") ? .notEqual : nil
        case UInt8(ascii: "&"): return next == UInt8(ascii: "&") ? .and : nil
        case UInt8(ascii: "|"): return next == UInt8(ascii: "|") ? .or : nil
        default: return nil
        }
    }

    private mutating func parseUnary() throws(Abandoned) -> Expression {
        let start = position
        let sign: UnaryOperator
        switch byte {
        case UInt8(ascii: "-"): sign = .negate
        case UInt8(ascii: "!") where byte(at: 1) != UInt8(ascii: "="): sign = .not
        default: return try parseSteps(of: try parseTerm())
        }
        position += 1
        skipSpace()
        let operand = try nested { parser throws(Abandoned) in try parser.parseUnary() }
        return try make(.unary(sign, operand), range(from: start), [operand])
    }

    // MARK: What follows a term

    private mutating func parseSteps(of term: Expression) throws(Abandoned) -> Expression {
        var current = term
        var steps: [Expression.Step] = []
        while true {
            // A step may not begin on a new line, except where newlines are space.
            let before = position
            skipSpace()
            guard byte == UInt8(ascii: ".") && byte(at: 1) != UInt8(ascii: ".") || byte == UInt8(ascii: "[") else {
                position = before
                return try access(current, steps)
            }
            if isAt(".*") {
                current = try access(current, steps)
                steps = []
                position += 2
                let each = try parseAttributeSteps(of: Expression(.element, range(from: before)))
                current = try make(
                    .splat(current, each: each), current.range.union(range(from: before)), [current, each])
            } else if isFullSplat {
                current = try access(current, steps)
                steps = []
                let element = Expression(.element, range(from: before))
                let each = try nested { parser throws(Abandoned) in try parser.parseSteps(of: element) }
                current = try make(
                    .splat(current, each: each), current.range.union(range(from: before)), [current, each])
            } else if byte == UInt8(ascii: ".") {
                steps.append(try parseDotStep())
            } else {
                steps.append(try parseIndex())
            }
        }
    }

    private mutating func access(_ base: Expression, _ steps: [Expression.Step]) throws(Abandoned) -> Expression {
        guard let last = steps.last else { return base }
        return try make(
            .access(base, steps), base.range.union(last.range), [base] + Expression.keys(of: steps))
    }

    /// Takes `[*]` if it is here.
    private var isFullSplat: Bool {
        mutating get {
            guard byte == UInt8(ascii: "[") else { return false }
            var probe = position + 1
            while probe < bytes.count, bytes[probe] == 0x20 { probe += 1 }
            guard probe < bytes.count, bytes[probe] == UInt8(ascii: "*") else { return false }
            probe += 1
            while probe < bytes.count, bytes[probe] == 0x20 { probe += 1 }
            guard probe < bytes.count, bytes[probe] == UInt8(ascii: "]") else { return false }
            position = probe + 1
            return true
        }
    }

    /// After `.*` come attributes, and indexes in the old form, only.
    private mutating func parseAttributeSteps(of element: Expression) throws(Abandoned) -> Expression {
        var steps: [Expression.Step] = []
        while true {
            let before = position
            skipSpace()
            guard byte == UInt8(ascii: "."), !isAt("...") else {
                position = before
                return try access(element, steps)
            }
            if isAt(".*") { throw fail(.nestedSplat(at: nextWord)) }
            steps.append(try parseDotStep())
        }
    }

    private mutating func parseDotStep() throws(Abandoned) -> Expression.Step {
        position += 1
        skipSpace()
        if let name = identifier() { return .attribute(name.text, name.range) }
        let start = position
        while let byte, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start, let number = Number(text(from: start, to: position)) else {
            throw fail(.invalidAttributeName(at: nextWord))
        }
        if byte == UInt8(ascii: "."), let next = byte(at: 1), (0x30...0x39).contains(next) {
            throw fail(.chainedLegacyIndex(at: range(from: start)))
        }
        let key = Expression(.literal(.number(number)), range(from: start))
        return .index(key, range: key.range)
    }

    private mutating func parseIndex() throws(Abandoned) -> Expression.Step {
        let start = position
        open()
        let key = try parseExpression()
        skipSpace()
        guard byte == UInt8(ascii: "]") else {
            throw fail(.missingBracket("]", opened: range(start, start + 1), isIndex: true, at: nextWord))
        }
        close()
        return .index(key, range: range(from: start))
    }

    // MARK: Brackets

    /// Steps over an opening bracket, inside which newlines are space.
    mutating func open() {
        position += 1
        openBrackets += 1
        outerNewlines.append(newlinesAreSpace)
        newlinesAreSpace = true
        skipSpace()
    }

    mutating func close() {
        position += 1
        openBrackets -= 1
        newlinesAreSpace = outerNewlines.popLast() ?? false
    }
}

import Diagnostics

extension Parser {
    mutating func parseTerm() throws(Abandoned) -> Expression {
        guard let first = byte else { throw fail(.missingExpression(at: nextWord)) }
        switch first {
        case UInt8(ascii: "\""): return try parseQuoted()
        case UInt8(ascii: "<") where byte(at: 1) == UInt8(ascii: "<"): return try parseHeredoc()
        case UInt8(ascii: "("): return try parseParentheses()
        case UInt8(ascii: "["): return try parseTuple()
        case UInt8(ascii: "{"): return try parseObject()
        case 0x30...0x39: return try parseNumber()
        case UInt8(ascii: "'"): throw fail(.singleQuotes(at: nextWord))
        case 0x0A, 0x0D: throw fail(.missingExpression(at: nextWord))
        default: break
        }
        guard let name = identifier() else { throw fail(.invalidExpression(scalar, at: nextWord)) }
        // Blanks may be between a function's name and its parenthesis.
        var blanks = 0
        while byte(at: blanks) == UInt8(ascii: " ") || byte(at: blanks) == UInt8(ascii: "\t") { blanks += 1 }
        if byte(at: blanks) == UInt8(ascii: "(") { position += blanks }
        if byte == UInt8(ascii: "(") || isAt("::") { return try parseCall(name) }
        switch name.text {
        case "true": return Expression(.literal(.bool(true)), name.range)
        case "false": return Expression(.literal(.bool(false)), name.range)
        case "null": return Expression(.literal(.null), name.range)
        default: return Expression(.variable(name.text), name.range)
        }
    }

    private mutating func parseNumber() throws(Abandoned) -> Expression {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        while isDigit(byte) { position += 1 }
        if byte == UInt8(ascii: "."), isDigit(byte(at: 1)) {
            position += 1
            while isDigit(byte) { position += 1 }
        }
        if let letter = byte, letter | 0x20 == UInt8(ascii: "e") {
            let hasSign = byte(at: 1) == UInt8(ascii: "+") || byte(at: 1) == UInt8(ascii: "-")
            if isDigit(byte(at: hasSign ? 2 : 1)) {
                position += hasSign ? 2 : 1
                while isDigit(byte) { position += 1 }
            }
        }
        guard let number = Number(text(from: start, to: position)) else {
            throw fail(.numberTooLarge(at: range(from: start)))
        }
        return Expression(.literal(.number(number)), range(from: start))
    }

    private mutating func parseParentheses() throws(Abandoned) -> Expression {
        let start = position
        open()
        let inner = try parseExpression()
        skipSpace()
        guard byte == UInt8(ascii: ")") else {
            throw fail(.missingBracket(")", opened: range(start, start + 1), at: nextWord))
        }
        close()
        return try make(.parenthesized(inner), range(from: start), [inner])
    }

    private mutating func parseCall(_ name: (text: String, range: SourceRange)) throws(Abandoned) -> Expression {
        var name = name
        while isAt("::") {
            position += 2
            guard let part = identifier() else { throw fail(.invalidExpression(at: nextWord)) }
            name = (name.text + "::" + part.text, name.range.union(part.range))
        }
        guard byte == UInt8(ascii: "(") else { throw fail(.invalidExpression(at: nextWord)) }
        let parenthesis = position
        var arguments: [Expression] = []
        var expandsLast = false
        open()
        while byte != UInt8(ascii: ")") {
            arguments.append(try parseExpression())
            skipSpace()
            if isAt("...") {
                position += 3
                expandsLast = true
                skipSpace()
                if byte == UInt8(ascii: ",") {
                    position += 1
                    skipSpace()
                }
                break
            }
            guard byte == UInt8(ascii: ",") else { break }
            position += 1
            skipSpace()
        }
        guard byte == UInt8(ascii: ")") else {
            throw fail(.missingBracket(")", opened: range(parenthesis, parenthesis + 1), at: nextWord))
        }
        close()
        let kind = Expression.Kind.call(
            name: name.text, nameRange: name.range, arguments: arguments, expandsLast: expandsLast)
        return try make(kind, name.range.union(range(from: parenthesis)), arguments)
    }

    private mutating func parseTuple() throws(Abandoned) -> Expression {
        let start = position
        open()
        if isFor { return try parseFor(start, isObject: false) }
        var elements: [Expression] = []
        while byte != UInt8(ascii: "]") {
            elements.append(try parseExpression())
            skipSpace()
            guard byte == UInt8(ascii: ",") else { break }
            position += 1
            skipSpace()
        }
        guard byte == UInt8(ascii: "]") else {
            throw fail(
                byte == nil
                    ? .missingBracket("]", opened: range(start, start + 1), at: nextWord) : .missingComma(at: nextWord))
        }
        close()
        return try make(.tuple(elements), range(from: start), elements)
    }

    private mutating func parseObject() throws(Abandoned) -> Expression {
        let start = position
        open()
        if isFor { return try parseFor(start, isObject: true) }
        newlinesAreSpace = false
        var items: [Expression.ObjectItem] = []
        while let byte, byte != UInt8(ascii: "}") {
            let key = try parseObjectKey()
            skipSpace()
            guard self.byte == UInt8(ascii: "=") || self.byte == UInt8(ascii: ":") else {
                throw fail(.missingKeyValueSeparator(at: nextWord))
            }
            position += 1
            skipSpace()
            items.append(Expression.ObjectItem(key: key, value: try parseExpression()))
            skipSpace()
            let separator = self.byte
            if separator == UInt8(ascii: ",") { position += 1 }
            skipNewlines()
            let isSeparated = [UInt8(ascii: ","), 0x0A, 0x0D].contains(separator)
            guard isSeparated || self.byte == UInt8(ascii: "}") else { break }
        }
        guard byte == UInt8(ascii: "}") else {
            throw fail(
                byte == nil
                    ? .missingBracket("}", opened: range(start, start + 1), at: nextWord)
                    : .missingObjectSeparator(at: nextWord))
        }
        close()
        return try make(.object(items), range(from: start), items.flatMap { [$0.key, $0.value] })
    }

    private mutating func skipNewlines() {
        skipSpace()
        while byte == 0x0A || byte == 0x0D {
            position += 1
            skipSpace()
        }
    }

    /// A bare word is literal text, unless it goes on as an expression.
    private mutating func parseObjectKey() throws(Abandoned) -> Expression {
        let start = position
        if let name = identifier() {
            let afterName = position
            skipSpace()
            if byte == UInt8(ascii: "=") && byte(at: 1) != UInt8(ascii: "=") || byte == UInt8(ascii: ":") {
                return Expression(.literal(.string(name.text)), name.range)
            }
            position = afterName
        }
        position = start
        return try parseExpression()
    }

    // MARK: for

    /// As the first word inside brackets `for` is never a name.
    private var isFor: Bool {
        isAt("for") && !continuesIdentifier(at: position + 3)
    }

    private mutating func parseFor(_ start: Int, isObject: Bool) throws(Abandoned) -> Expression {
        let clause = try parseForClause()
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw fail(.missingForColon(at: nextWord)) }
        position += 1
        skipSpace()
        let first = try parseExpression()
        skipSpace()
        var second: Expression?
        var groups = false
        if isObject {
            guard isAt("=>") else { throw fail(.missingArrow(at: nextWord)) }
            position += 2
            skipSpace()
            second = try parseExpression()
            skipSpace()
            if isAt("...") {
                position += 3
                groups = true
                skipSpace()
            }
        } else if isAt("=>") {
            throw fail(.arrowInTuple(at: nextWord))
        }
        var condition: Expression?
        if isAt("if"), !continuesIdentifier(at: position + 2) {
            position += 2
            skipSpace()
            condition = try parseExpression()
            skipSpace()
        }
        let end: UInt8 = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        guard byte == end else {
            throw fail(.missingBracket(isObject ? "}" : "]", opened: range(start, start + 1), at: nextWord))
        }
        close()
        let children = [clause.collection, first] + [second, condition].compactMap { $0 }
        let kind: Expression.Kind =
            if let second {
                .forObject(clause, key: first, value: second, condition: condition, groups: groups)
            } else {
                .forTuple(clause, first, condition: condition)
            }
        return try make(kind, range(from: start), children)
    }

    /// `for k, v in collection`, up to the collection's end.
    mutating func parseForClause() throws(Abandoned) -> Expression.ForClause {
        position += 3
        skipSpace()
        guard let first = identifier() else { throw fail(.invalidForVariable(at: nextWord)) }
        skipSpace()
        var names = [first.text]
        if byte == UInt8(ascii: ",") {
            position += 1
            skipSpace()
            guard let second = identifier() else { throw fail(.invalidForVariable(at: nextWord)) }
            names.append(second.text)
            skipSpace()
        }
        guard isAt("in"), !continuesIdentifier(at: position + 2) else {
            throw fail(.missingIn(at: nextWord))
        }
        position += 2
        skipSpace()
        let collection = try parseExpression()
        return Expression.ForClause(
            keyName: names.count == 2 ? names[0] : nil, valueName: names[names.count - 1], collection: collection)
    }
}

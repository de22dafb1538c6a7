import Diagnostics

extension Parser {
    mutating func parseFile() -> Body {
        var body = parseBody(isFile: true, isOneLine: false)
        // A stray brace ends the body early; what follows it is still read.
        while position < bytes.count {
            report(.strayBrace(at: nextWord))
            position += 1
            let rest = parseBody(isFile: true, isOneLine: false)
            body.attributes += rest.attributes
            body.blocks += rest.blocks
        }
        return body
    }

    /// Reads items up to the closing brace or the end of the file.
    private mutating func parseBody(isFile: Bool, isOneLine: Bool) -> Body {
        let start = position
        var attributes: [Attribute] = []
        var blocks: [Block] = []
        var names: [String: SourceRange] = [:]
        while true {
            skipSpace()
            guard let byte else { break }
            if byte == UInt8(ascii: "}") { break }
            if byte == 0x0A || byte == 0x0D {
                if isOneLine { break }
                position += 1
                continue
            }
            let itemStart = position
            do throws(Abandoned) {
                switch try parseItem(isOneLine: isOneLine) {
                case .attribute(let attribute):
                    if let first = names[attribute.name] {
                        report(.duplicateAttribute(attribute.name, at: attribute.nameRange, first: first))
                    } else {
                        names[attribute.name] = attribute.nameRange
                        attributes.append(attribute)
                    }
                case .block(let block): blocks.append(block)
                }
            } catch {
                recover(from: itemStart)
            }
            if position == itemStart, !isFile || self.byte != UInt8(ascii: "}") { position += 1 }
        }
        return Body(attributes: attributes, blocks: blocks, range: range(from: start))
    }

    private enum Item {
        case attribute(Attribute)
        case block(Block)
    }

    private mutating func parseItem(isOneLine: Bool) throws(Abandoned) -> Item {
        let start = position
        guard let name = identifier() else {
            if isAt("<<<<<<<") || isAt("=======") || isAt(">>>>>>>") {
                throw giveUp(.mergeMark(at: range(start, start + 7)))
            }
            throw fail(.expectedItem(byte, at: nextWord))
        }
        skipSpace()
        if byte == UInt8(ascii: "="), byte(at: 1) != UInt8(ascii: "=") {
            position += 1
            skipSpace()
            let expression = try parseExpression()
            let attribute = Attribute(
                name: name.text, nameRange: name.range, expression: expression, range: range(from: start))
            try endItem(isOneLine: isOneLine, isIf: expression.kind == .variable("if"))
            return .attribute(attribute)
        }
        if isOneLine {
            let word = nextWord
            throw fail(.blockInOneLine(at: word.start < word.end ? name.range.union(word) : name.range))
        }
        return .block(try parseBlock(name, start))
    }

    /// The byte before the blanks that were skipped.
    private var lastWritten: UInt8? {
        bytes[..<position].last { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    }

    /// What must follow an attribute: the end of the line, or the brace of a one-line block.
    private mutating func endItem(isOneLine: Bool, isIf: Bool) throws(Abandoned) {
        skipSpace()
        switch byte {
        case nil: return
        case 0x0A, 0x0D: if !isOneLine { return }
        case UInt8(ascii: "}"): if isOneLine { return }
        default: break
        }
        throw fail(
            isOneLine
                ? .oneLineBlock(at: nextWord)
                : .missingNewline(after: lastWritten, next: byte, isIf: isIf, at: nextWord))
    }

    private mutating func parseBlock(
        _ type: (text: String, range: SourceRange), _ start: Int
    ) throws(Abandoned) -> Block {
        var labels: [Block.Label] = []
        var header = type.range
        var isBare = false
        while true {
            skipSpace()
            if let label = identifier() {
                labels.append(Block.Label(text: label.text, range: label.range))
                isBare = true
            } else if byte == UInt8(ascii: "\"") {
                labels.append(try parseLabel())
                isBare = false
            } else {
                break
            }
            if let last = labels.last { header = header.union(last.range) }
        }
        if byte != UInt8(ascii: "{") {
            report(
                .invalidBlock(
                    type.text, label: labels.last?.text, count: labels.count, isBare: isBare, next: byte,
                    quote: Diagnostic.typographicQuotes.contains(scalar),
                    at: position < bytes.count ? nextWord : header))
            guard !labels.isEmpty, skipToBraceOnNextLine() else { throw Abandoned() }
        }
        let brace = position
        let problems = diagnostics.count
        position += 1
        let body = try nested { parser throws(Abandoned) in
            parser.skipSpace()
            let isOneLine = parser.byte != nil && parser.byte != 0x0A && parser.byte != 0x0D
            return parser.parseBody(isFile: false, isOneLine: isOneLine)
        }
        guard byte == UInt8(ascii: "}") else {
            let opening = range(brace, brace + 1)
            if byte == nil {
                // What went wrong inside may have swallowed its brace.
                if diagnostics.count > problems { throw Abandoned() }
                throw fail(.unclosedBlock(type.text, at: opening))
            }
            report(.oneLineBlock(at: nextWord))
            skipToClosingBrace()
            throw Abandoned()
        }
        position += 1
        let block = Block(
            type: type.text, typeRange: type.range, labels: labels, body: body, headerRange: header,
            range: range(from: start))
        skipSpace()
        if let byte, byte != 0x0A, byte != 0x0D, byte != UInt8(ascii: "}") {
            report(.missingNewlineAfterBlock(at: nextWord))
            recover(from: position)
        }
        return block
    }

    /// Goes to a brace alone on the next line; false if there is none.
    private mutating func skipToBraceOnNextLine() -> Bool {
        guard byte == 0x0A || byte == 0x0D else { return false }
        var next = position
        while next < bytes.count, [0x0A, 0x0D, 0x20, 0x09].contains(bytes[next]) { next += 1 }
        guard next < bytes.count, bytes[next] == UInt8(ascii: "{") else { return false }
        position = next
        return true
    }

    private mutating func parseLabel() throws(Abandoned) -> Block.Label {
        let start = position
        let expression = try parseQuoted()
        guard case .literal(.string(let text)) = expression.kind else {
            throw fail(.templateInLabel(at: expression.range))
        }
        return Block.Label(text: text, range: range(from: start))
    }
}

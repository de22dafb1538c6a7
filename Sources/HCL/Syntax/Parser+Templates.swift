import Diagnostics

/// A template as a flat list, before conditions and loops are put together.
enum TemplateToken {
    /// In a heredoc and a template file no longer than a line.
    case text(String)
    case interpolation(Expression, Strip)
    case ifStart(Expression, Strip, SourceRange)
    case elseMark(Strip, SourceRange)
    case ifEnd(Strip, SourceRange)
    case forStart(Expression.ForClause, Strip, SourceRange)
    case forEnd(Strip, SourceRange)

    /// On which sides white space is to go.
    struct Strip {
        var before = false
        var after = false
    }

    var strip: Strip {
        switch self {
        case .text: Strip()
        case .interpolation(_, let strip), .ifStart(_, let strip, _), .elseMark(let strip, _), .ifEnd(let strip, _),
            .forStart(_, let strip, _), .forEnd(let strip, _):
            strip
        }
    }
}

extension Parser {
    mutating func parseTemplateFile() -> Expression {
        let start = position
        do throws(Abandoned) {
            var tokens: [TemplateToken] = []
            try readTemplate(.bare, into: &tokens)
            return try template(from: stripped(tokens), range(from: start))
        } catch {
            return Expression(.literal(.unknown), range(from: start))
        }
    }

    mutating func parseQuoted() throws(Abandoned) -> Expression {
        let start = position
        position += 1
        var tokens: [TemplateToken] = []
        try readTemplate(.quoted, into: &tokens)
        guard byte == UInt8(ascii: "\"") else {
            let quote = range(start, start + 1)
            throw fail(byte == nil ? .unterminated("string", at: quote) : .newlineInString(at: range(from: start)))
        }
        position += 1
        return try template(from: stripped(tokens), range(from: start))
    }

    /// Goes to the end of the line that holds the word alone; stays where there is none.
    private mutating func skipHeredoc(_ word: String) {
        let blanks: Set<UInt8> = [0x20, 0x09, 0x0D]
        var line = bytes[min(position, bytes.count)...]
        while let end = line.firstIndex(of: 0x0A) {
            line = line[(end + 1)...]
            let text = line.prefix { $0 != 0x0A }
            if text.drop(while: blanks.contains).starts(with: word.utf8),
                text.count(where: { !blanks.contains($0) }) == word.utf8.count
            {
                position = text.endIndex
                return
            }
        }
    }

    mutating func parseHeredoc() throws(Abandoned) -> Expression {
        let start = position
        position += 2
        let isIndented = byte == UInt8(ascii: "-")
        if isIndented { position += 1 }
        guard let delimiter = identifier() else {
            let problem = fail(.invalidHeredoc(at: nextWord))
            position += 1
            if let word = identifier() { skipHeredoc(word.text) }
            throw problem
        }
        if byte == 0x0D { position += 1 }
        guard byte == 0x0A else {
            let problem = fail(.invalidHeredoc(at: nextWord))
            skipHeredoc(delimiter.text)
            throw problem
        }
        position += 1
        var tokens: [TemplateToken] = []
        try readTemplate(.heredoc(Array(delimiter.text.utf8)), into: &tokens)
        guard position < bytes.count || endsHeredoc(Array(delimiter.text.utf8)) else {
            throw fail(.unterminatedHeredoc(delimiter.text, at: range(start, start + 2).union(delimiter.range)))
        }
        while byte == 0x20 || byte == 0x09 { position += 1 }
        position += delimiter.text.utf8.count
        let end = position
        while byte == 0x20 || byte == 0x09 { position += 1 }
        return try template(from: stripped(tokens), range(start, end), dedents: isIndented)
    }

    /// Whether the line that begins here holds the delimiter and blanks only.
    private func endsHeredoc(_ delimiter: [UInt8]) -> Bool {
        var index = position
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
        guard index + delimiter.count <= bytes.count,
            bytes[index..<index + delimiter.count].elementsEqual(delimiter)
        else { return false }
        index += delimiter.count
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0D { index += 1 }
        return index == bytes.count || bytes[index] == 0x0A
    }

    enum TemplateForm {
        case quoted
        /// Up to a line that holds only this.
        case heredoc([UInt8])
        /// Up to the end of the text.
        case bare
    }

    /// Reads text, interpolations and directives up to `limit`, or in a string up to its closing quote.
    private mutating func readTemplate(
        _ form: TemplateForm, into tokens: inout [TemplateToken]
    ) throws(Abandoned) {
        var text: [UInt8] = []
        var startsLine = true
        var isQuoted = false
        if case .quoted = form { isQuoted = true }
        func flush(_ tokens: inout [TemplateToken], _ text: inout [UInt8]) {
            if !text.isEmpty { tokens.append(.text(String(decoding: text, as: UTF8.self))) }
            text = []
        }
        while let current = byte {
            if startsLine, case .heredoc(let delimiter) = form, endsHeredoc(delimiter) { break }
            startsLine = false
            if isQuoted && current == UInt8(ascii: "\"") { break }
            if isQuoted && (current == 0x0A || current == 0x0D) { break }
            if isQuoted && current == UInt8(ascii: "\\") {
                try readEscape(into: &text)
            } else if isAt("$${") || isAt("%%{") {
                text += [current, UInt8(ascii: "{")]
                position += 3
            } else if isAt("${") {
                flush(&tokens, &text)
                tokens.append(try readInterpolation())
            } else if isAt("%{") {
                flush(&tokens, &text)
                tokens.append(try readDirective())
            } else {
                text.append(current)
                position += 1
                // Each line is a piece of its own: a strip marker reaches no further.
                if current == 0x0A, !isQuoted {
                    flush(&tokens, &text)
                    startsLine = true
                }
            }
        }
        flush(&tokens, &text)
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(Abandoned) {
        let start = position
        position += 1
        guard let letter = byte else { return }
        position += 1
        switch letter {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(letter)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let count = letter == UInt8(ascii: "u") ? 4 : 8
            let digits = bytes[position..<min(position + count, bytes.count)]
            guard digits.count == count, let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw fail(.invalidEscape(at: range(from: start))) }
            position += count
            text += Array(String(scalar).utf8)
        default:
            // A character of several bytes is shown whole.
            while let byte, byte & 0xC0 == 0x80 { position += 1 }
            throw fail(.invalidEscape(at: range(from: start)))
        }
    }

    private mutating func openMarker() -> Bool {
        open()
        position += 1  // `open` skipped the first of the two characters, and stopped at the brace.
        let strips = byte == UInt8(ascii: "~")
        if strips { position += 1 }
        skipSpace()
        return strips
    }

    private mutating func closeMarker(_ start: Int) throws(Abandoned) -> Bool {
        skipSpace()
        let strips = byte == UInt8(ascii: "~")
        if strips { position += 1 }
        guard byte == UInt8(ascii: "}") else {
            throw fail(
                byte == nil
                    ? .unterminated("interpolation", at: range(start, start + 2))
                    : .extraInTemplate(at: nextWord))
        }
        close()
        return strips
    }

    private mutating func readInterpolation() throws(Abandoned) -> TemplateToken {
        let start = position
        let before = openMarker()
        let expression = try parseExpression()
        let after = try closeMarker(start)
        return .interpolation(expression, .init(before: before, after: after))
    }

    private mutating func readDirective() throws(Abandoned) -> TemplateToken {
        let start = position
        let before = openMarker()
        let wordStart = position
        guard let word = identifier() else { throw fail(.invalidDirective(at: nextWord)) }
        skipSpace()
        switch word.text {
        case "if":
            let condition = try parseExpression()
            let after = try closeMarker(start)
            return .ifStart(condition, .init(before: before, after: after), range(from: start))
        case "for":
            position = wordStart
            let clause = try parseForClause()
            let after = try closeMarker(start)
            return .forStart(clause, .init(before: before, after: after), range(from: start))
        case "else": return .elseMark(.init(before: before, after: try closeMarker(start)), range(from: start))
        case "endif": return .ifEnd(.init(before: before, after: try closeMarker(start)), range(from: start))
        case "endfor": return .forEnd(.init(before: before, after: try closeMarker(start)), range(from: start))
        default: throw fail(.unknownDirective(word.text, at: word.range))
        }
    }
}

/// A word of a Go template's action, or a piece of text between actions.
struct GoToken: Hashable {
    enum Kind: Hashable {
        case text(String)
        case open
        case close
        case identifier(String)
        /// `.Name`, without the dot.
        case field(String)
        case dot
        /// `$name`, without the `$`.
        case variable(String)
        case string(String)
        case number(GoValue)
        case declare
        case assign
        case comma
        case pipe
        case leftParen
        case rightParen
        case end
    }

    var kind: Kind
    /// UTF-8 bytes from the start of the template.
    var offset: Int
    var hasSpaceBefore = false
}

/// Cuts a Go template into tokens, with the trim markers already applied.
struct GoTemplateLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var tokens: [GoToken] = []

    static func tokens(of text: String) throws(GoTemplateError) -> [GoToken] {
        var lexer = GoTemplateLexer(bytes: Array(text.utf8))
        try lexer.run()
        return lexer.tokens
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private func starts(with text: StaticString, at index: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[index + $0] == (text.utf8Start + $0).pointee }
    }

    private static func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private static func isWord(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            || byte == 0x5F || byte >= 0x80
    }

    private mutating func run() throws(GoTemplateError) {
        var trimsStart = false
        while true {
            let start = position
            while position < bytes.count, !starts(with: "{{", at: position) { position += 1 }
            let isLast = position >= bytes.count
            let trimsEnd = !isLast && byte(position + 2) == 0x2D && Self.isSpace(byte(position + 3))
            var text = bytes[start..<position]
            if trimsStart { text = text.drop(while: Self.isSpace) }
            if trimsEnd { while let last = text.last, Self.isSpace(last) { text.removeLast() } }
            if !text.isEmpty {
                tokens.append(GoToken(kind: .text(String(decoding: text, as: UTF8.self)), offset: start))
            }
            if isLast { break }
            let open = position
            position += trimsEnd ? 3 : 2
            trimsStart = try action(from: open)
        }
        tokens.append(GoToken(kind: .end, offset: bytes.count))
    }

    /// One action up to its `}}`. Gives whether the text after it is to be trimmed.
    private mutating func action(from open: Int) throws(GoTemplateError) -> Bool {
        var inner = position
        while Self.isSpace(byte(inner)) { inner += 1 }
        if starts(with: "/*", at: inner) { return try comment(from: open, at: inner) }
        tokens.append(GoToken(kind: .open, offset: open))
        var depth = 0
        while true {
            let spaceStart = position
            while Self.isSpace(byte(position)) { position += 1 }
            let hasSpace = position > spaceStart
            if hasSpace, starts(with: "-}}", at: position) {
                tokens.append(GoToken(kind: .close, offset: position))
                position += 3
                return true
            }
            if starts(with: "}}", at: position) {
                tokens.append(GoToken(kind: .close, offset: position))
                position += 2
                return false
            }
            guard position < bytes.count else {
                throw GoTemplateError("the action that begins with {{ is never closed with }}", at: open)
            }
            let offset = position
            let kind = try token()
            if kind == .leftParen { depth += 1 }
            if kind == .rightParen { depth -= 1 }
            if depth > 100 { throw GoTemplateError("parentheses are nested too deeply", at: offset) }
            tokens.append(GoToken(kind: kind, offset: offset, hasSpaceBefore: hasSpace))
        }
    }

    private mutating func comment(from open: Int, at start: Int) throws(GoTemplateError) -> Bool {
        position = start + 2
        while position < bytes.count, !starts(with: "*/", at: position) { position += 1 }
        guard position < bytes.count else { throw GoTemplateError("the comment is never closed with */", at: open) }
        position += 2
        let spaceStart = position
        while Self.isSpace(byte(position)) { position += 1 }
        if position > spaceStart, starts(with: "-}}", at: position) {
            position += 3
            return true
        }
        guard starts(with: "}}", at: position) else {
            throw GoTemplateError("a comment must end with */}}", at: position)
        }
        position += 2
        return false
    }

    private mutating func token() throws(GoTemplateError) -> GoToken.Kind {
        let start = position
        let first = bytes[start]
        position += 1
        switch first {
        case UInt8(ascii: "|"): return .pipe
        case UInt8(ascii: ","): return .comma
        case UInt8(ascii: "("): return .leftParen
        case UInt8(ascii: ")"): return .rightParen
        case UInt8(ascii: "="): return .assign
        case UInt8(ascii: ":"):
            guard byte(position) == UInt8(ascii: "=") else { throw GoTemplateError("expected :=", at: start) }
            position += 1
            return .declare
        case UInt8(ascii: "\""): return .string(try quoted(from: start))
        case UInt8(ascii: "`"): return .string(try rawString(from: start))
        case UInt8(ascii: "'"): return try character(from: start)
        case UInt8(ascii: "$"): return .variable(word())
        case UInt8(ascii: ".") where !(byte(position).map { (0x30...0x39).contains($0) } ?? false):
            return Self.isWord(byte(position)) ? .field(word()) : .dot
        default:
            position = start
            if (0x30...0x39).contains(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
                || first == UInt8(ascii: ".")
            {
                return try number()
            }
            if Self.isWord(first) { return .identifier(word()) }
            throw GoTemplateError(
                "unexpected \(String(decoding: [first], as: UTF8.self)) in an action", at: start)
        }
    }

    private mutating func word() -> String {
        let start = position
        while Self.isWord(byte(position)) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func number() throws(GoTemplateError) -> GoToken.Kind {
        let start = position
        position += 1
        while let next = byte(position),
            Self.isWord(next) || next == UInt8(ascii: ".")
                || (next == UInt8(ascii: "-") || next == UInt8(ascii: "+"))
                    && (bytes[position - 1] | 0x20) == UInt8(ascii: "e")
        { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self).filter { $0 != "_" }
        if let value = Int64(text) { return .number(.int(value)) }
        if text.lowercased().hasPrefix("0x"), let value = Int64(text.dropFirst(2), radix: 16) {
            return .number(.int(value))
        }
        if let value = Double(text), value.isFinite { return .number(.float(value)) }
        throw GoTemplateError("\(text) is not a number", at: start)
    }

    private mutating func rawString(from start: Int) throws(GoTemplateError) -> String {
        let textStart = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "`") { position += 1 }
        guard position < bytes.count else { throw GoTemplateError("the text is never closed with `", at: start) }
        defer { position += 1 }
        return String(decoding: bytes[textStart..<position], as: UTF8.self)
    }

    private mutating func character(from start: Int) throws(GoTemplateError) -> GoToken.Kind {
        let text = try quoted(from: start, by: UInt8(ascii: "'"))
        guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 else {
            throw GoTemplateError("single quotes hold exactly one character; write text in \"…\" or `…`", at: start)
        }
        return .number(.int(Int64(scalar.value)))
    }

    private mutating func quoted(from start: Int, by quote: UInt8 = UInt8(ascii: "\"")) throws(GoTemplateError)
        -> String
    {
        var out: [UInt8] = []
        while let next = byte(position) {
            position += 1
            switch next {
            case quote: return String(decoding: out, as: UTF8.self)
            case 0x0A: throw GoTemplateError("the text is not closed before the end of the line", at: start)
            case UInt8(ascii: "\\"): try escape(into: &out)
            default: out.append(next)
            }
        }
        throw GoTemplateError("the text is never closed with \(quote == 0x27 ? "'" : "\"")", at: start)
    }

    private mutating func escape(into out: inout [UInt8]) throws(GoTemplateError) {
        let start = position - 1
        guard let letter = byte(position) else { throw GoTemplateError("the text ends in a backslash", at: start) }
        position += 1
        switch letter {
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "a"): out.append(0x07)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "v"): out.append(0x0B)
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): out.append(letter)
        case UInt8(ascii: "x"): out.append(UInt8(truncatingIfNeeded: try digits(2, from: start)))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let value = try digits(letter == UInt8(ascii: "u") ? 4 : 8, from: start)
            guard let scalar = Unicode.Scalar(value) else {
                throw GoTemplateError("the escape is not a character", at: start)
            }
            out += Array(String(Character(scalar)).utf8)
        default: throw GoTemplateError("unknown escape \\\(String(decoding: [letter], as: UTF8.self))", at: start)
        }
    }

    private mutating func digits(_ count: Int, from start: Int) throws(GoTemplateError) -> UInt32 {
        guard position + count <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<(position + count)], as: UTF8.self), radix: 16)
        else { throw GoTemplateError("the escape needs \(count) hexadecimal digits", at: start) }
        position += count
        return value
    }
}

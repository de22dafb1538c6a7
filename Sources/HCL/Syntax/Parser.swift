public import Diagnostics

/// Parses a file of attributes and blocks. All problems are reported at once; what could be read is in the value.
public func parse(_ file: SourceFile) -> Diagnosed<Body> {
    var parser = Parser(file)
    let body = parser.parseFile()
    return Diagnosed(body, parser.diagnostics)
}

/// Parses one expression, which may run over several lines.
public func parseExpression(_ file: SourceFile) -> Diagnosed<Expression> {
    var parser = Parser(file)
    let expression = parser.parseLoneExpression()
    return Diagnosed(expression, parser.diagnostics)
}

/// Parses a whole file as a template, as `templatefile` does.
public func parseTemplate(_ file: SourceFile) -> Diagnosed<Expression> {
    var parser = Parser(file)
    let expression = parser.parseTemplateFile()
    return Diagnosed(expression, parser.diagnostics)
}

/// The place after a problem that was reported; caught where the next item can begin.
struct Abandoned: Error {}

/// A recursive-descent parser over the bytes of a file.
struct Parser {
    let file: String
    let bytes: [UInt8]
    private let base: Int
    private let offsets: [Int]?
    var position = 0
    var diagnostics: [Diagnostic] = []
    /// Inside brackets and interpolations newlines are space; in object constructors and bodies they are not.
    var newlinesAreSpace = false
    /// What it was outside each open bracket.
    var outerNewlines: [Bool] = []
    /// Brackets that the current item has opened.
    var openBrackets = 0
    /// Bounds recursion, and with it the stack.
    private var nesting = 0
    /// Nothing more is said: what is not closed, for instance, is only because the rest was not read.
    private var isGivenUp = false
    private static let deepestNesting = 120
    private var stack = StackRoom()
    /// So few levels fit onto every stack.
    static let safeNesting = 8
    private static let mostDiagnostics = 1000
    /// How far the end of a broken item is looked for.
    private static let longestRecovery = 20_000
    /// Of a file, in bytes.
    private static let largestFile = 64 << 20

    init(_ file: SourceFile) {
        self.file = file.name
        bytes = Array(file.text.utf8)
        base = 0
        offsets = nil
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if bytes.count > Self.largestFile {
            report(.tooLarge(at: SourceRange(file: file.name, start: 0, end: 1)))
            position = bytes.count
        }
    }

    /// A parser of text that is inside another file, such as a string of JSON.
    ///
    /// - Parameters:
    ///   - base: Where the text begins in the file.
    ///   - offsets: Where each byte is in the file, and the end; nil where they follow one another from `base`.
    init(file: String, bytes: [UInt8], base: Int, offsets: [Int]?) {
        self.file = file
        self.bytes = bytes
        self.base = base
        self.offsets = offsets
    }

    // MARK: Bytes

    var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    func byte(at offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    func isAt(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    func range(from start: Int) -> SourceRange { range(start, position) }

    /// Where bytes of this parser are in the file.
    func range(_ start: Int, _ end: Int) -> SourceRange {
        guard let offsets, !offsets.isEmpty else {
            return SourceRange(file: file, start: base + start, end: base + end)
        }
        let last = offsets.count - 1
        return SourceRange(file: file, start: offsets[min(start, last)], end: offsets[min(end, last)])
    }

    func text(from start: Int, to end: Int) -> String { String(decoding: bytes[start..<end], as: UTF8.self) }

    /// Whether the byte, or for a scalar of several bytes the scalar there, can begin an identifier.
    func startsIdentifier(at index: Int) -> Bool { identifierLength(at: index, isFirst: true) > 0 }

    func continuesIdentifier(at index: Int) -> Bool { identifierLength(at: index, isFirst: false) > 0 }

    /// How many bytes of an identifier are here: ID_Start, ID_Continue, `_` at the start and `-` inside.
    private func identifierLength(at index: Int, isFirst: Bool) -> Int {
        guard index < bytes.count else { return 0 }
        let byte = bytes[index]
        if byte < 0x80 {
            if byte == UInt8(ascii: "_") || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) { return 1 }
            return !isFirst && (byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte)) ? 1 : 0
        }
        let length = scalarLength(at: index)
        guard length > 1, let scalar = text(from: index, to: index + length).unicodeScalars.first else { return 0 }
        let properties = scalar.properties
        return (isFirst ? properties.isIDStart : properties.isIDContinue) ? length : 0
    }

    /// Bytes of the scalar that begins here.
    private func scalarLength(at index: Int) -> Int {
        let first = bytes[index]
        let length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        return min(length, bytes.count - index)
    }

    /// Skips blanks and comments; newlines too where they are space.
    mutating func skipSpace() {
        while let byte {
            switch byte {
            case 0x20, 0x09: position += 1
            case 0x0A, 0x0D:
                // A carriage return belongs to the newline after it.
                if byte == 0x0D, self.byte(at: 1) != 0x0A {
                    position += 1
                } else if newlinesAreSpace {
                    position += byte == 0x0D ? 2 : 1
                } else {
                    return
                }
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "/") where self.byte(at: 1) == UInt8(ascii: "/"): skipLine()
            case UInt8(ascii: "/") where self.byte(at: 1) == UInt8(ascii: "*"): skipComment()
            default: return
            }
        }
    }

    mutating func skipLine() {
        while let byte, byte != 0x0A { position += 1 }
        if position > 0, position < bytes.count, bytes[position - 1] == 0x0D { position -= 1 }
    }

    private mutating func skipComment() {
        let start = position
        position += 2
        while position < bytes.count {
            if isAt("*/") {
                position += 2
                return
            }
            position += 1
        }
        report(.unterminated("comment", at: range(start, start + 2)))
    }

    mutating func identifier() -> (text: String, range: SourceRange)? {
        let start = position
        position += identifierLength(at: position, isFirst: true)
        guard position > start else { return nil }
        while true {
            let length = identifierLength(at: position, isFirst: false)
            if length == 0 { break }
            position += length
        }
        return (text(from: start, to: position), range(from: start))
    }

    // MARK: Problems

    /// Adds a diagnostic, unless one is at the same byte already.
    ///
    /// After a thousand the rest of the file is given up.
    mutating func report(_ diagnostic: Diagnostic) {
        if isGivenUp { return }
        guard diagnostics.count < Self.mostDiagnostics else { return giveUp() }
        if let last = diagnostics.last, last.subject?.start == diagnostic.subject?.start { return }
        diagnostics.append(diagnostic)
    }

    mutating func fail(_ diagnostic: Diagnostic) -> Abandoned {
        report(diagnostic)
        return Abandoned()
    }

    /// Reports a problem after which nothing in the file can be trusted.
    mutating func giveUp(_ diagnostic: Diagnostic) -> Abandoned {
        report(diagnostic)
        giveUp()
        return Abandoned()
    }

    private mutating func giveUp() {
        position = bytes.count
        isGivenUp = true
    }

    /// The next word or sign, to point at.
    var nextWord: SourceRange {
        var end = position
        while case let length = identifierLength(at: end, isFirst: false), length > 0 { end += length }
        if end == position, position < bytes.count {
            let isNewline = bytes[position] == 0x0D && byte(at: 1) == 0x0A
            end += isNewline ? 2 : scalarLength(at: position)
        }
        return range(position, end)
    }

    /// The scalar that begins here.
    var scalar: String {
        position < bytes.count ? text(from: position, to: position + scalarLength(at: position)) : ""
    }

    mutating func nested<Value>(_ body: (inout Parser) throws(Abandoned) -> Value) throws(Abandoned) -> Value {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.safeNesting || nesting <= Self.deepestNesting && !stack.isUsedUp() else {
            throw giveUp(.tooDeep(at: nextWord))
        }
        return try body(&self)
    }

    /// An expression node, unless the tree would become too deep to walk.
    mutating func make(
        _ kind: Expression.Kind, _ range: SourceRange, _ children: [Expression]
    ) throws(Abandoned) -> Expression {
        let expression = Expression(kind, range, children: children)
        guard expression.depth <= Expression.largestDepth else { throw fail(.tooDeep(at: range)) }
        return expression
    }

    /// Goes on after a problem: to the end of the line that closes what the item opened.
    mutating func recover(from start: Int) {
        let problem = max(position, start)
        position = problem
        var depth = openBrackets
        newlinesAreSpace = false
        outerNewlines = []
        openBrackets = 0
        while let byte, position - problem < Self.longestRecovery {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth = max(0, depth - 1)
            case UInt8(ascii: "}"):
                if depth == 0 { return }
                depth -= 1
            case UInt8(ascii: "\""):
                skipQuoted()
                continue
            case UInt8(ascii: "#"):
                skipLine()
                continue
            case 0x0A where depth == 0: return
            default: break
            }
            position += 1
        }
        // Nothing closes it: give up the rest of this line only.
        if depth > 0 {
            position = problem
            skipLine()
        }
    }

    /// Goes behind the brace that closes the block in which the parser is; to the end of the line if there is none.
    mutating func skipToClosingBrace() {
        openBrackets = 1
        recover(from: position)
        openBrackets = 0
    }

    private mutating func skipQuoted() {
        position += 1
        while let byte, byte != 0x0A {
            position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { break }
        }
        position = min(position, bytes.count)
    }
}

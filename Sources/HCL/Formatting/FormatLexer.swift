/// Cuts a file into tokens, all bytes of it but blanks; what is not HCL becomes a token too.
package struct FormatLexer {
    /// What surrounds the place that is read.
    enum Surroundings {
        case file
        /// In `${…}` or `%{…}`, with the number of braces open in there.
        case template(braces: Int)
        case quote
        case heredoc(marker: [UInt8])
    }

    let bytes: [UInt8]
    var position = 0
    var tokens: [FormatToken] = []
    /// Innermost last; a list and not recursion, so that no nesting is too deep.
    var surroundings: [Surroundings] = [.file]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The tokens of the whole file.
    package mutating func read() -> [FormatToken] {
        while position < bytes.count {
            switch surroundings.last ?? .file {
            case .file: readCode(braces: nil)
            case .template(let braces): readCode(braces: braces)
            case .quote: readQuoted()
            case .heredoc(let marker): readHeredoc(marker)
            }
        }
        return tokens
    }

    func byte(at offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    func isAt(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    /// Adds the token that ends `length` bytes on.
    mutating func add(_ kind: FormatToken.Kind, _ length: Int) {
        let end = min(position + length, bytes.count)
        let width = String(decoding: bytes[position..<end], as: UTF8.self).count
        tokens.append(FormatToken(kind: kind, range: position..<end, width: width))
        position = end
    }

    /// Bytes up to and with the next newline, or to the end of the file.
    var restOfLine: Int {
        let end = bytes[position...].firstIndex(of: 0x0A).map { $0 + 1 } ?? bytes.count
        return end - position
    }

    /// Letters beyond ASCII are not looked at closely: what is not an identifier does not parse.
    static func startsIdentifier(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
    }

    static func continuesIdentifier(_ byte: UInt8) -> Bool {
        startsIdentifier(byte) || byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte)
    }

    // MARK: Outside strings

    private mutating func readCode(braces: Int?) {
        let byte = bytes[position]
        switch byte {
        case 0x20, 0x09: position += 1
        case 0x0A: add(.newline, 1)
        case 0x0D where self.byte(at: 1) == 0x0A: add(.newline, 2)
        case UInt8(ascii: "#"): add(.lineComment, restOfLine)
        case UInt8(ascii: "/") where self.byte(at: 1) == byte: add(.lineComment, restOfLine)
        case UInt8(ascii: "/") where self.byte(at: 1) == UInt8(ascii: "*"): add(.inlineComment, lengthOfComment)
        case UInt8(ascii: "\""):
            add(.openQuote, 1)
            surroundings.append(.quote)
        case UInt8(ascii: "<") where self.byte(at: 1) == byte: readHeredocStart()
        case UInt8(ascii: "{"):
            add(.openBrace, 1)
            if let braces { replaceBraces(braces + 1) }
        case UInt8(ascii: "}"): readClosingBrace(braces, length: 1)
        case UInt8(ascii: "~") where braces == 0 && self.byte(at: 1) == UInt8(ascii: "}"):
            readClosingBrace(braces, length: 2)
        case 0x30...0x39: add(.number, lengthOfNumber)
        case _ where Self.startsIdentifier(byte):
            let word = bytes[position...].prefix(while: Self.continuesIdentifier)
            add(word.elementsEqual("in".utf8) ? .wordIn : .identifier, word.count)
        default: readSign(byte)
        }
    }

    private mutating func readClosingBrace(_ braces: Int?, length: Int) {
        if braces == 0 {
            add(.closeTemplate, length)
            surroundings.removeLast()
        } else {
            add(.closeBrace, 1)
            if let braces { replaceBraces(braces - 1) }
        }
    }

    private mutating func replaceBraces(_ braces: Int) {
        surroundings[surroundings.count - 1] = .template(braces: braces)
    }

    private var lengthOfComment: Int {
        var end = position + 2
        while end + 1 < bytes.count {
            if bytes[end] == UInt8(ascii: "*"), bytes[end + 1] == UInt8(ascii: "/") { return end + 2 - position }
            end += 1
        }
        return bytes.count - position
    }

    private var lengthOfNumber: Int {
        func digits(from start: Int) -> Int {
            start < bytes.count ? bytes[start...].prefix { (0x30...0x39).contains($0) }.count : 0
        }
        var end = position + digits(from: position)
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            let fraction = digits(from: end + 1)
            if fraction > 0 { end += 1 + fraction }
        }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            var start = end + 1
            if start < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[start]) { start += 1 }
            let exponent = digits(from: start)
            if exponent > 0 { end = start + exponent }
        }
        return end - position
    }

    private mutating func readSign(_ byte: UInt8) {
        if isAt("...") { return add(.ellipsis, 3) }
        if isAt("=>") { return add(.arrow, 2) }
        for sign: StaticString in ["&&", "||", "==", "!=", "<=", ">="] where isAt(sign) {
            return add(.operation, 2)
        }
        switch byte {
        case UInt8(ascii: "("): add(.openParenthesis, 1)
        case UInt8(ascii: ")"): add(.closeParenthesis, 1)
        case UInt8(ascii: "["): add(.openBracket, 1)
        case UInt8(ascii: "]"): add(.closeBracket, 1)
        case UInt8(ascii: "="): add(.equal, 1)
        case UInt8(ascii: ","): add(.comma, 1)
        case UInt8(ascii: "."): add(.dot, 1)
        case UInt8(ascii: "-"): add(.minus, 1)
        case UInt8(ascii: "!"): add(.not, 1)
        case UInt8(ascii: "*"): add(.star, 1)
        case UInt8(ascii: ":"): add(.colon, 1)
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "%"), UInt8(ascii: "<"), UInt8(ascii: ">"),
            UInt8(ascii: "?"):
            add(.operation, 1)
        default: add(.invalid, 1)
        }
    }
}

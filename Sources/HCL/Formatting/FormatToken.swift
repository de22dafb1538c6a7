/// A piece of a file that the formatter moves but never changes.
package struct FormatToken: Hashable {
    /// What the token is, as far as spacing depends on it.
    package enum Kind: Hashable {
        case identifier, number
        /// The identifier `in`, of a `for` or not.
        case wordIn
        case openBrace, closeBrace, openParenthesis, closeParenthesis, openBracket, closeBracket
        case equal, comma, dot, ellipsis, minus, not, star, colon
        /// Any other operator.
        case operation
        /// `=>`.
        case arrow
        /// From `#` or `//` to the end of the line, newline included.
        case lineComment
        /// From `/*` to `*/`, over lines too.
        case inlineComment
        case newline
        case openQuote, closeQuote
        /// Text of a string or of a line of a heredoc.
        case literal
        /// `${` or `%{`, with its `~`.
        case openTemplate
        /// The `}` or `~}` of an interpolation or a directive.
        case closeTemplate
        /// `<<NAME` with its newline.
        case openHeredoc
        /// The closing name with the blanks around it.
        case closeHeredoc
        /// What is not HCL.
        case invalid

        var isWord: Bool { self == .identifier || self == .wordIn }
    }

    package var kind: Kind
    /// Bytes of the file.
    package var range: Range<Int>
    /// User-perceived characters, newlines among them.
    var width: Int
    /// Blanks to write before it.
    var spaces = 0

    /// The brackets that are open after it and did not before, or the other way round.
    var nesting: Int {
        switch kind {
        case .openBrace, .openParenthesis, .openBracket, .openTemplate: 1
        case .closeBrace, .closeParenthesis, .closeBracket, .closeTemplate: -1
        default: 0
        }
    }
}

extension Sequence<FormatToken> {
    var nesting: Int { reduce(0) { $0 + $1.nesting } }
}

/// A piece of a file that the formatter moves but never changes.
struct FormatToken: Hashable {
    enum Kind: Hashable {
        case identifier, number
        case openBrace, closeBrace, openParenthesis, closeParenthesis, openBracket, closeBracket
        case equal, comma, dot, ellipsis, minus, not, star, colon
        /// Any other operator, and `=>`.
        case operation
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
        /// The closing name with the space before it.
        case closeHeredoc
        /// What is no HCL.
        case invalid
    }

    var kind: Kind
    /// Bytes of the file.
    var range: Range<Int>
    /// User-perceived characters, newlines among them.
    var width: Int
    /// Blanks to write before it.
    var spaces = 0

    /// The brackets that stand open after it and did not before, or the other way round.
    var nesting: Int {
        switch kind {
        case .openBrace, .openParenthesis, .openBracket, .openTemplate: 1
        case .closeBrace, .closeParenthesis, .closeBracket, .closeTemplate: -1
        default: 0
        }
    }
}

extension FormatLine {
    /// Sets the blanks between the tokens; those of the first one are the indentation.
    mutating func space() {
        for index in tokens.indices.dropFirst() {
            tokens[index].spaces = isSpaced(index) ? 1 : 0
        }
    }

    /// Whether a blank is before the token at `index`, which is not the first.
    private func isSpaced(_ index: Int) -> Bool {
        let before = tokens[index - 1]
        let token = tokens[index]
        let stoodApart = before.range.upperBound < token.range.lowerBound
        switch (before.kind, token.kind) {
        case (.invalid, _), (_, .invalid): return stoodApart
        // Joined they would become one token.
        case (.dot, .dot), (.dot, .ellipsis), (.ellipsis, .dot), (.openTemplate, .closeTemplate): return stoodApart
        case (.number, .dot) where index + 1 < tokens.count && tokens[index + 1].kind == .number: return stoodApart
        case (.dot, .number) where index > 1 && tokens[index - 2].kind == .number: return stoodApart
        case (_, .newline): return false
        case (.openQuote, _), (.literal, _), (.openHeredoc, _), (_, .literal), (_, .closeQuote), (_, .closeHeredoc):
            return false
        case (_, .openTemplate): return false
        case (_, .comma), (_, .ellipsis), (_, .dot), (.dot, _): return false
        case (_, .openParenthesis) where before.kind.isWord: return false
        case (.comma, _): return true
        // The word of a `for` is after a name; what follows it is not an index.
        case (.wordIn, _) where index > 1 && tokens[index - 2].kind.isWord: return true
        case (.openTemplate, .openBrace), (.closeBrace, .closeTemplate): return true
        case (.openTemplate, _), (_, .closeTemplate): return false
        case (.openParenthesis, _), (.openBracket, _), (_, .closeParenthesis), (_, .closeBracket): return false
        case (.openBrace, .closeBrace): return false
        case (.minus, _): return !isSign(index - 1)
        case (_, .openBracket): return !isIndexed(index - 1)
        default: return true
        }
    }

    /// Whether a bracket after the token is an index into it.
    private func isIndexed(_ index: Int) -> Bool {
        switch tokens[index].kind {
        case .identifier, .wordIn, .number, .closeBracket, .closeParenthesis, .closeBrace: true
        default: false
        }
    }

    /// Whether the minus belongs to the number behind it.
    private func isSign(_ index: Int) -> Bool {
        guard index > 0 else { return true }
        switch tokens[index - 1].kind {
        case .equal, .comma, .openParenthesis, .openBracket, .openBrace, .operation, .minus, .not, .star, .colon:
            return true
        default: return false
        }
    }
}

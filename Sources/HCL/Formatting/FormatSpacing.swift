extension FormatLine {
    /// Sets the blanks between the tokens; those of the first one are the indentation.
    mutating func space() {
        for index in tokens.indices.dropFirst() {
            tokens[index].spaces = isSpaced(index) ? 1 : 0
        }
    }

    /// Whether a blank stands before the token at `index`, which is not the first.
    private func isSpaced(_ index: Int) -> Bool {
        let before = tokens[index - 1]
        let token = tokens[index]
        switch (before.kind, token.kind) {
        case (_, .newline): return false
        case (.openQuote, _), (.literal, _), (.openHeredoc, _), (_, .literal), (_, .closeQuote), (_, .closeHeredoc):
            return false
        case (_, .openTemplate): return false
        case (.openTemplate, .openBrace), (.closeBrace, .closeTemplate): return true
        case (.openTemplate, _), (_, .closeTemplate): return false
        case (_, .comma), (_, .ellipsis), (_, .dot), (.dot, _): return false
        case (.comma, _): return true
        case (.openParenthesis, _), (.openBracket, _), (_, .closeParenthesis), (_, .closeBracket): return false
        case (.openBrace, .closeBrace): return false
        case (.identifier, .openParenthesis): return false
        case (_, .openBracket): return !isIndexed(index - 1)
        case (.minus, _): return !isSign(index - 1)
        default: return true
        }
    }

    /// Whether a bracket after the token is an index into it.
    private func isIndexed(_ index: Int) -> Bool {
        switch tokens[index].kind {
        case .identifier, .closeBracket, .closeParenthesis, .closeBrace: true
        default: false
        }
    }

    /// Whether the minus belongs to the number behind it.
    private func isSign(_ index: Int) -> Bool {
        guard index > 0 else { return true }
        switch tokens[index - 1].kind {
        case .equal, .comma, .openParenthesis, .openBracket, .operation, .minus, .star, .colon: return true
        default: return false
        }
    }
}

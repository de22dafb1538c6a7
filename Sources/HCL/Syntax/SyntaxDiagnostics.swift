import Diagnostics

/// What can be wrong with the syntax, one function for each message.
extension Diagnostic {
    private static func syntax(
        _ id: String, _ summary: String, _ detail: String, _ range: SourceRange, _ notes: [Note] = []
    ) -> Diagnostic {
        Diagnostic(id: "hcl/" + id, summary: summary, detail: detail, subject: range, notes: notes)
    }

    static func arrowInTuple(at range: SourceRange) -> Self {
        syntax(
            "arrow-in-tuple", "A list has no keys", "Write [for v in … : value], or use { } to make an object with =>.",
            range)
    }
    static func blockInOneLine(at range: SourceRange) -> Self {
        syntax(
            "one-line-block", "A block on one line holds one argument at most",
            "Put what is inside on lines of its own.", range)
    }
    static func chainedLegacyIndex(at range: SourceRange) -> Self {
        syntax(
            "legacy-index", "Invalid legacy index syntax",
            "Two indexes in a row cannot be written with dots. Use brackets: [0][1].", range)
    }
    static func duplicateAttribute(_ name: String, at range: SourceRange, first: SourceRange) -> Self {
        syntax(
            "duplicate-attribute", "Attribute redefined", "The argument \"\(name)\" is set twice; remove one of them.",
            range,
            [Note("first set here", at: first)])
    }
    static func expectedItem(_ next: UInt8?, at range: SourceRange) -> Self {
        let hint =
            switch next {
            case UInt8(ascii: "\""):
                " Here names have no quotes; names in quotes belong in a map: NAME = { \"…\" = … }."
            case UInt8(ascii: "]"), UInt8(ascii: ")"): " There is no open bracket for this one to close."
            case UInt8(ascii: "="): " The name before the equals sign is missing."
            case UInt8(ascii: ","), UInt8(ascii: ";"): " Remove this; arguments are separated by line breaks alone."
            case let digit? where (0x30...0x39).contains(digit): " A name begins with a letter or _."
            default: ""
            }
        return syntax(
            "expected-item", "Argument or block definition required",
            "A line begins with the name of an argument or block.\(hint)", range)
    }
    static func extraCharacters(at range: SourceRange) -> Self {
        syntax("extra-characters", "Extra characters after expression", "The expression ends before this.", range)
    }
    static func extraInTemplate(at range: SourceRange) -> Self {
        syntax(
            "extra-in-template", "Extra characters after interpolation expression",
            "Expected a closing brace to end the ${ … } or %{ … }. A literal ${ is written $${.", range)
    }
    static func invalidAttributeName(at range: SourceRange) -> Self {
        syntax("invalid-attribute-name", "Invalid attribute name", "A dot is followed by a name, a number or *.", range)
    }
    /// - Parameters:
    ///   - label: The last one; nil if there is none.
    ///   - count: Of all labels.
    ///   - isBare: The last label has no quotes.
    ///   - quote: A typographic quote is next.
    static func invalidBlock(
        _ type: String, label: String?, count: Int, isBare: Bool, next: UInt8?, quote: Bool, at range: SourceRange
    ) -> Self {
        let hasLabels = label != nil
        if quote { return syntax("invalid-block", "Invalid block definition", straightQuotes, range) }
        let detail =
            switch (next, hasLabels) {
            case (UInt8(ascii: "="), true) where isBare && count > 1:
                "What is set in a block belongs between its braces: \(type) … { \(label ?? "") = … }."
            case (UInt8(ascii: "="), true) where isBare: "A name has no blanks: write \(type)_\(label ?? "") = …"
            case (UInt8(ascii: "="), true) where type == "variable" || type == "local":
                "Its value belongs in its block: \(type) \"\(label ?? "")\" { \(type == "local" ? "expression" : "default") = … }."
            case (UInt8(ascii: "="), true): "Remove the equals sign: a block goes on with its opening brace."
            case (UInt8(ascii: ":"), false): "Write an equals sign instead of the colon: \(type) = …"
            case (UInt8(ascii: "."), false):
                "A name has no dots. What belongs to \"\(type)\" is set inside its braces."
            case (UInt8(ascii: "["), false):
                "An element cannot be set by itself. Write the whole list: \(type) = [ … ]."
            case (0x0A, true), (0x0D, true): "The opening brace belongs on the line of the block's name: \(type) … {"
            case (_, true): "After its labels a block goes on with an opening brace."
            case (_, false):
                "After \"\(type)\" expected an equals sign to set an argument, or labels and a brace to open a block."
            }
        return syntax("invalid-block", "Invalid block definition", detail, range)
    }
    static func invalidDirective(at range: SourceRange) -> Self {
        syntax(
            "invalid-directive", "Invalid template directive",
            "%{ is followed by if, else, endif, for or endfor. A literal %{ is written %%{.", range)
    }
    static func invalidEscape(at range: SourceRange) -> Self {
        syntax(
            "invalid-escape", "Invalid escape sequence",
            "Known are \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN. A literal backslash is written \\\\.", range)
    }
    static let typographicQuotes: Set<String> = ["“", "”", "„", "«", "»", "‘", "’"]
    private static let straightQuotes =
        "These are quotes of a word processor. Use straight double quotes (\") to enclose strings."

    static func mergeMark(at range: SourceRange) -> Self {
        syntax(
            "merge-mark", "Mark of a merge",
            "A merge left this line behind. Keep one of the two sides, and remove the marks.",
            range)
    }
    static func invalidExpression(_ found: String = "", at range: SourceRange) -> Self {
        let hint =
            switch found {
            case _ where typographicQuotes.contains(found): straightQuotes
            case "`": "Use double quotes (\") to enclose strings, or a heredoc (<<EOF) for several lines."
            case "$", "%": "Outside of a string write the name alone, without \(found){ }."
            case "/", "~", ".": "A path is text, and is written in double quotes."
            case "<":
                "A placeholder is to be replaced by a value; text is written in double quotes. A heredoc begins with <<."
            case ",", ")", "]", "}": "A value is missing before this."
            case "=": "Only one equals sign sets an argument."
            case "@", "*", "&": "Text is written in double quotes."
            default: "A value is expected here: text in double quotes, a number, true, false, a list or a name."
            }
        return syntax("invalid-expression", "Invalid expression", hint, range)
    }
    static func invalidForVariable(at range: SourceRange) -> Self {
        syntax(
            "invalid-for", "Invalid 'for' expression",
            "For is followed by one or two names: for v in …, or for k, v in ….", range)
    }
    static func invalidHeredoc(at range: SourceRange) -> Self {
        syntax(
            "invalid-heredoc", "Invalid heredoc",
            "<< is followed by a word without quotes, such as EOF, and a new line.", range)
    }
    static func missingArrow(at range: SourceRange) -> Self {
        syntax("invalid-for", "Invalid 'for' expression", "An object needs a key: {for v in … : key => value}.", range)
    }
    static func missingBracket(
        _ bracket: String, opened: SourceRange, isIndex: Bool = false, at range: SourceRange
    ) -> Self {
        syntax(
            "missing-bracket", "Missing \"\(bracket)\"",
            isIndex
                ? "What follows a value in brackets is an index. If it is meant as the next element of a list, put a comma before it."
                : "What was opened must be closed before this.", range,
            [Note("opened here", at: opened)])
    }
    static func missingColon(at range: SourceRange) -> Self {
        syntax(
            "missing-colon", "Missing false expression in conditional",
            "The conditional operator (...?...:...) requires a false expression, delimited by a colon.", range)
    }
    static func missingComma(at range: SourceRange) -> Self {
        syntax(
            "missing-comma", "Missing item separator",
            "Expected a comma to mark the beginning of the next item, or a closing bracket.", range)
    }
    static func missingExpression(at range: SourceRange) -> Self {
        syntax(
            "missing-expression", "Missing expression",
            "A value is expected here, on the same line. An expression goes on over lines inside parentheses.", range)
    }
    static func missingForColon(at range: SourceRange) -> Self {
        syntax(
            "invalid-for", "Invalid 'for' expression", "The collection is followed by a colon: for v in … : ….", range)
    }
    static func missingIn(at range: SourceRange) -> Self {
        syntax(
            "invalid-for", "Invalid 'for' expression",
            "The names are followed by \"in\" and the collection: for v in ….", range)
    }
    static func missingKeyValueSeparator(at range: SourceRange) -> Self {
        syntax("missing-separator", "Missing attribute value", "A key is followed by = or : and its value.", range)
    }
    /// - Parameters:
    ///   - last: The byte before.
    ///   - next: The byte at fault.
    ///   - isIf: The value is the word `if`.
    static func missingNewline(after last: UInt8?, next: UInt8?, isIf: Bool, at range: SourceRange) -> Self {
        let hint =
            switch (last, next) {
            case _ where isIf: " A choice is written CONDITION ? VALUE : OTHER."
            case (_, UInt8(ascii: ",")): " Remove the comma."
            case (_, UInt8(ascii: ";")): " Remove the semicolon."
            case (_, UInt8(ascii: "=")): " To compare write ==."
            case (_, UInt8(ascii: "]")), (_, UInt8(ascii: ")")): " There is no open bracket for this one to close."
            case (_, UInt8(ascii: "}")): " Put the closing brace on a line of its own."
            case (UInt8(ascii: "\""), _):
                " The text ended at the quote before this; a quote in text is written \\\", and inside {{ }} backquotes do as well."
            case (_, UInt8(ascii: "\"")): " A quote may be missing before this, or an operator."
            case (let digit?, _) where (0x30...0x39).contains(digit):
                " What has a unit, or is not a plain number, is text, and is written in double quotes."
            default: " Text of several words is written in double quotes."
            }
        return syntax(
            "missing-newline", "Missing newline after argument", "An argument ends at the end of its line.\(hint)",
            range)
    }
    static func missingNewlineAfterBlock(at range: SourceRange) -> Self {
        syntax(
            "missing-newline", "Missing newline after block definition", "A block ends at the end of its line.", range)
    }
    static func missingObjectSeparator(at range: SourceRange) -> Self {
        syntax(
            "missing-separator", "Missing attribute separator",
            "Expected a newline or comma to mark the beginning of the next attribute.", range)
    }
    static func nestedSplat(at range: SourceRange) -> Self {
        syntax(
            "nested-splat", "Nested splat expression not allowed",
            "After .* come plain attributes. Use [*] to go through lists inside lists.", range)
    }
    static func newlineInString(at range: SourceRange) -> Self {
        syntax(
            "newline-in-string", "Invalid multi-line string",
            "A quoted string ends on its line. Use \\n, or a heredoc (<<EOF) for text of several lines.", range)
    }
    static func numberTooLarge(at range: SourceRange) -> Self {
        syntax(
            "number-too-large", "Number too large",
            "A number has at most 10000 digits, and an exponent of at most 10000.", range)
    }
    static func oneLineBlock(at range: SourceRange) -> Self {
        syntax(
            "one-line-block", "Invalid single-argument block definition",
            "A block on one line holds one argument and its closing brace. Put what is inside on lines of its own.",
            range)
    }
    static func singleQuotes(at range: SourceRange) -> Self {
        syntax(
            "single-quotes", "Invalid character",
            "Single quotes are not valid. Use double quotes (\") to enclose strings.", range)
    }
    static func strayBrace(at range: SourceRange) -> Self {
        syntax("stray-brace", "Unexpected closing brace", "There is no open block for it to close.", range)
    }
    static func strayDirective(_ name: String, at range: SourceRange) -> Self {
        syntax("stray-directive", "Unexpected %{ \(name) }", "There is nothing open that it belongs to.", range)
    }
    static func templateInLabel(at range: SourceRange) -> Self {
        syntax("template-in-label", "Invalid string literal", "A label is plain text, without ${ } and %{ }.", range)
    }
    static func tooDeep(at range: SourceRange) -> Self {
        syntax("too-deep", "Nested too deeply", "Split this up, for instance with locals.", range)
    }
    static func tooLarge(at range: SourceRange) -> Self {
        syntax("too-large", "The file is too large", "At most 64 MiB are read.", range)
    }
    static func unclosedBlock(_ type: String, at range: SourceRange) -> Self {
        syntax(
            "unclosed-block", "Unclosed configuration block",
            "There is no closing brace for this \(type) block before the end of the file.", range)
    }
    static func unclosedDirective(_ name: String, at range: SourceRange) -> Self {
        syntax("unclosed-directive", "Unclosed %{ \(name) }", "It needs a %{ end\(name) }.", range)
    }
    static func unknownDirective(_ name: String, at range: SourceRange) -> Self {
        let hint =
            suggestion(for: name, among: ["if", "else", "endif", "for", "endfor"]).map { "Did you mean \"\($0)\"? " }
            ?? ""
        return syntax(
            "unknown-directive", "Invalid template directive", hint + "Known are if, else, endif, for and endfor.",
            range)
    }
    static func unterminated(_ what: String, at range: SourceRange) -> Self {
        syntax("unterminated", "Unterminated \(what)", "It is not closed before the end of the file.", range)
    }
    static func unterminatedHeredoc(_ word: String, at range: SourceRange) -> Self {
        syntax(
            "unterminated", "Unterminated heredoc",
            "There is no line that holds only \(word) before the end of the file.", range)
    }
}

import GoTemplates

/// A Go template cut into text and actions, as they are written.
struct GoTemplateParts {
    enum Part {
        case text(String)
        case action(Action)
    }

    /// `{{ … }}`, braces included.
    struct Action {
        /// A function with the literal behind it, or anything between such.
        struct Word {
            var name: String?
            var argument: String?
            var text: String
        }

        var text: String

        private var content: Substring { text.dropFirst(2).dropLast(2) }

        /// A keyword, a variable, a comment, or something that trims the blanks around it.
        var isControl: Bool {
            let content = content
            if content.hasPrefix("-") || content.hasSuffix("-") || content.contains("$") { return true }
            let word = content.drop(while: \.isWhitespace).prefix { $0.isLetter || $0 == "_" || $0 == "/" }
            return [
                "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "/",
            ].contains(String(word))
        }

        /// nil if it is not one, or uses a name that is not a function of the engine.
        var pipeline: GoPipeline? {
            // What does not parse stays as it is; loading says what is wrong with it.
            guard let nodes = try? GoTemplateParser.parse(text, functions: GoFunctions.names), nodes.count == 1,
                case .action(let pipeline) = nodes[0]
            else { return nil }
            return pipeline
        }

        var words: [Word] {
            var words: [Word] = []
            var rest = text[...]
            var before: Character = " "
            while let character = rest.first {
                if let end = GoTemplateParts.endOfQuoted(rest) {
                    words.append(Word(text: String(rest[..<end])))
                    rest = rest[end...]
                    before = character
                } else if character.isLetter || character == "_", before != ".", before != "$" {
                    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                    rest = rest[name.endIndex...]
                    let behind = rest.drop(while: \.isWhitespace)
                    var word = Word(name: String(name), text: String(name))
                    if ["user", "env", "build"].contains(word.text), let quote = behind.first, quote != "'",
                        let end = GoTemplateParts.endOfQuoted(behind)
                    {
                        let quoted = behind[..<end]
                        let argument = String(quoted.dropFirst().dropLast())
                        if quote == "`" || !argument.contains("\\") {
                            word.argument = argument
                            word.text = String(name) + rest[..<behind.startIndex] + quoted
                            rest = rest[end...]
                        }
                    }
                    words.append(word)
                    before = " "
                } else {
                    words.append(Word(text: String(character)))
                    // A field's name goes on after its first letter.
                    before = character.isLetter || character.isNumber ? "." : character
                    rest.removeFirst()
                }
            }
            return words
        }
    }

    private(set) var parts: [Part] = []

    init(_ text: String) {
        var rest = text[...]
        while let start = rest.firstRange(of: "{{") {
            guard let end = Self.endOfAction(rest[start.upperBound...]) else { break }
            if start.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<start.lowerBound]))) }
            parts.append(.action(Action(text: String(rest[start.lowerBound..<end]))))
            rest = rest[end...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
    }

    private static func endOfAction(_ text: Substring) -> Substring.Index? {
        var rest = text
        while !rest.isEmpty {
            if rest.hasPrefix("}}") { return rest.index(rest.startIndex, offsetBy: 2) }
            if let end = endOfQuoted(rest) { rest = rest[end...] } else { rest.removeFirst() }
        }
        return nil
    }

    /// The end of the quoted text or comment that begins here.
    static func endOfQuoted(_ text: Substring) -> Substring.Index? {
        guard let quote = text.first else { return nil }
        if text.hasPrefix("/*") { return text.dropFirst(2).firstRange(of: "*/")?.upperBound }
        guard quote == "`" || quote == "\"" || quote == "'" else { return nil }
        var index = text.index(after: text.startIndex)
        while index < text.endIndex {
            if text[index] == quote { return text.index(after: index) }
            if text[index] == "\\", quote != "`" { text.formIndex(after: &index) }
            if index < text.endIndex { text.formIndex(after: &index) }
        }
        return nil
    }
}

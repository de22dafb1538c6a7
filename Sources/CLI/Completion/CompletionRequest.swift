/// A shell's request to complete a word of a command line.
package struct CompletionRequest: Sendable {
    /// The words between the program's name and the word at the cursor.
    package var preceding: [String]
    /// The word at the cursor, or its part before the cursor.
    package var word: String
    /// The words after the cursor.
    package var following: [String]
    /// The part of the word that the shell keeps: answers leave it out.
    package var kept: String

    /// - Parameters:
    ///   - words: The whole line, with the program's name.
    ///   - cursor: The index of the word to complete; it may be one past the last.
    ///   - joins: Whether the shell splits words at `=` and `:`, as bash does.
    package init(words: [String], cursor: Int, joins: Bool = false) {
        let words = words.map(Self.unquoted)
        let cursor = min(max(cursor, 1), max(words.count, 1))
        let line = joins ? Self.joined(words, cursor) : (words: words, cursor: cursor, kept: "")
        preceding = Array(line.words.prefix(line.cursor).dropFirst())
        word = line.words.indices.contains(line.cursor) ? line.words[line.cursor] : ""
        following = Array(line.words.dropFirst(line.cursor + 1))
        kept = line.kept
    }

    /// Joins words that were split at `=` and `:`.
    private static func joined(_ words: [String], _ cursor: Int) -> (words: [String], cursor: Int, kept: String) {
        var result: [String] = []
        var place: Int?
        var kept = ""
        var isOpen = false
        for (position, word) in words.enumerated() {
            let isBreak = !word.isEmpty && word.allSatisfy { $0 == "=" || $0 == ":" }
            if position > 1, isOpen || isBreak, let last = result.popLast() {
                if position == cursor { kept = isBreak ? last + word : last }
                result.append(last + word)
            } else {
                result.append(word)
            }
            isOpen = isBreak
            if position == cursor { place = result.count - 1 }
        }
        return (result, place ?? result.count, kept)
    }

    /// Without the quotes and backslashes of a shell.
    private static func unquoted(_ word: String) -> String {
        if let quote = word.first, quote == "\"" || quote == "'" {
            let inner = word.dropFirst()
            return String(inner.last == quote ? inner.dropLast() : inner)
        }
        var result = ""
        var isEscaped = false
        for character in word {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }
}

/// The possible completions of a word.
package struct CompletionAnswer: Hashable, Sendable {
    /// A possible completion.
    package struct Candidate: Hashable, Sendable {
        /// The whole word, including the part that was typed.
        package var text: String
        /// A description on one line; may be empty.
        package var meaning: String

        package init(_ text: String, _ meaning: String = "") {
            self.text = text
            self.meaning = meaning
        }
    }

    /// Whether the candidates are file names, which shells show and quote in their own way.
    package var areFiles: Bool
    /// The possible completions, in the order to show them.
    package var candidates: [Candidate]

    package init(areFiles: Bool = false, candidates: [Candidate] = []) {
        self.areFiles = areFiles
        self.candidates = candidates
    }

    /// The answer as the completion scripts read it: its kind, then one candidate per line.
    package func text(without kept: String) -> String {
        let lines = candidates.map { candidate in
            let text = candidate.text.hasPrefix(kept) ? String(candidate.text.dropFirst(kept.count)) : candidate.text
            return candidate.meaning.isEmpty ? text : text + "\t" + candidate.meaning
        }
        // A name with a line break or a tab would look like two candidates.
        let sound = lines.filter { line in !line.contains(where: \.isNewline) && line.count { $0 == "\t" } < 2 }
        return ([areFiles ? "files" : "words"] + sound).map { $0 + "\n" }.joined()
    }
}

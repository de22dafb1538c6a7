/// Draws diagnostics as text, with the source line and the words underlined.
public struct DiagnosticRenderer {
    /// The files that ranges point into, by name.
    public var files: [String: SourceFile]
    public var usesColor: Bool

    public init(files: [SourceFile], usesColor: Bool = false) {
        self.files = Dictionary(files.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.usesColor = usesColor
    }

    /// One diagnostic as several lines, ending in a newline.
    public func render(_ diagnostic: Diagnostic) -> String {
        let isError = diagnostic.severity == .error
        var out = styled(isError ? "Error: " : "Warning: ", isError ? "1;31" : "1;33")
        out += styled(diagnostic.summary.printable, "1") + "\n"
        if let subject = diagnostic.subject {
            out += "\n" + drawn(subject, mark: isError ? "1;31" : "1;33")
        }
        for note in diagnostic.notes {
            out += "\n  " + note.message.printable + ":\n" + drawn(note.range, mark: "1;34")
        }
        if !diagnostic.detail.isEmpty { out += "\n" + diagnostic.detail.printable + "\n" }
        return out
    }

    /// The line and column (both from 1, columns in characters) where a range starts.
    public func position(of range: SourceRange) -> (line: Int, column: Int)? {
        guard let file = files[range.file] else { return nil }
        let excerpt = Excerpt(range, in: file)
        return (excerpt.line, excerpt.column)
    }

    private func drawn(_ range: SourceRange, mark: String) -> String {
        guard let file = files[range.file] else { return "  on \(range.file.printable)\n" }
        let excerpt = Excerpt(range, in: file)
        let number = String(excerpt.line)
        let gutter = String(repeating: " ", count: number.count)
        var out = "  on \(range.file.printable) line \(number), column \(excerpt.column):\n"
        out += "  \(gutter) |\n"
        out += "  \(number) | \(excerpt.text)\n"
        let padding = String(repeating: " ", count: excerpt.padding)
        out += "  \(gutter) | \(padding)" + styled(String(repeating: "^", count: excerpt.width), mark) + "\n"
        return out
    }

    private func styled(_ text: String, _ code: String) -> String {
        usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

extension String {
    /// Control characters of a hostile file must not reach the terminal.
    fileprivate var printable: String { String(map { $0 == "\n" ? $0 : $0.printable }) }
}

extension Character {
    /// The replacement character for what would move the cursor or turn the text's direction.
    var printable: Character {
        guard let scalar = unicodeScalars.first else { return self }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return "\u{FFFD}"
        case .format: return scalar.isDirectionMark ? "\u{FFFD}" : self
        default: return self
        }
    }

    /// Terminal cells; wide scripts take two, marks without a letter none.
    var columns: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        let value = scalar.value
        let wide =
            (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
            || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
            || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
            || (0x1F300...0x1FAFF).contains(value)
        if wide { return 2 }
        if value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .format, .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isDirectionMark: Bool {
        (0x200E...0x200F).contains(value) || (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
    }
}

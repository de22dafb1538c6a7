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
        out += styled(diagnostic.summary, "1") + "\n"
        if let subject = diagnostic.subject {
            out += "\n" + excerpt(subject, mark: isError ? "1;31" : "1;33")
        }
        for note in diagnostic.notes {
            out += "\n  " + note.message + ":\n" + excerpt(note.range, mark: "1;34")
        }
        if !diagnostic.detail.isEmpty { out += "\n" + diagnostic.detail + "\n" }
        return out
    }

    /// The line and column (both from 1, columns in characters) where a range starts.
    public func position(of range: SourceRange) -> (line: Int, column: Int)? {
        guard let file = files[range.file] else { return nil }
        let place = Place(range, in: file)
        return (place.line, place.column)
    }

    private func excerpt(_ range: SourceRange, mark: String) -> String {
        guard let file = files[range.file] else { return "  on \(range.file)\n" }
        let place = Place(range, in: file)
        let number = String(place.line)
        let gutter = String(repeating: " ", count: number.count)
        var out = "  on \(range.file) line \(number), column \(place.column):\n"
        out += "  \(gutter) |\n"
        out += "  \(number) | \(place.text)\n"
        let padding = place.before.map { $0 == "\t" ? "\t" : String(repeating: " ", count: columns(of: $0)) }.joined()
        let width = max(1, place.marked.reduce(0) { $0 + columns(of: $1) })
        out += "  \(gutter) | \(padding)" + styled(String(repeating: "^", count: width), mark) + "\n"
        return out
    }

    private func styled(_ text: String, _ code: String) -> String {
        usesColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Terminal cells of one character; wide scripts take two.
    private func columns(of character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first?.value else { return 0 }
        let wide =
            (0x1100...0x115F).contains(scalar) || (0x2E80...0xA4CF).contains(scalar)
            || (0xAC00...0xD7A3).contains(scalar) || (0xF900...0xFAFF).contains(scalar)
            || (0xFE30...0xFE6F).contains(scalar) || (0xFF00...0xFF60).contains(scalar)
            || (0x1F300...0x1FAFF).contains(scalar)
        return wide ? 2 : 1
    }
}

/// Where a range starts, and its first line cut in three.
private struct Place {
    var line: Int
    var column: Int
    var text: String
    var before: String
    var marked: String

    init(_ range: SourceRange, in file: SourceFile) {
        let bytes = Array(file.text.utf8)
        let start = min(range.start, bytes.count)
        line = 1 + bytes[..<start].count { $0 == UInt8(ascii: "\n") }
        let lineStart = bytes[..<start].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        var lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        if lineEnd > lineStart, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
        let markEnd = min(max(range.end, start), max(lineEnd, start))
        text = Self.clean(bytes[lineStart..<max(lineEnd, lineStart)])
        before = Self.clean(bytes[lineStart..<start])
        marked = Self.clean(bytes[start..<markEnd])
        column = before.count + 1
    }

    /// Control characters of a hostile file must not reach the terminal.
    private static func clean(_ bytes: ArraySlice<UInt8>) -> String {
        String(
            String(decoding: bytes, as: UTF8.self).map { character in
                guard let scalar = character.unicodeScalars.first, character != "\t" else { return character }
                return scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : character
            })
    }
}

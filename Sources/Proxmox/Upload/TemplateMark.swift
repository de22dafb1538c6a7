package import Foundation

/// A line in the notes of a template that marks it as made by Ingot; a comment of Markdown, so it is not shown.
package struct TemplateMark: Sendable, Equatable {
    /// The template's name without the label of its version.
    package var family: String
    /// Seconds since 1970.
    package var made: Int64

    package init(family: String, made: Date) {
        self.family = family
        self.made = Int64(max(0, min(made.timeIntervalSince1970, 1e12)))
    }

    package var text: String { "\(Self.opening)\(family) \(made)\(Self.closing)" }

    /// The last mark in a description.
    package init?(in description: String) {
        for line in description.split(whereSeparator: \.isNewline).reversed() {
            let line = line.trimmingCharacters(in: .whitespaces)
            guard line.hasPrefix(Self.opening), line.hasSuffix(Self.closing) else { continue }
            let words = line.dropFirst(Self.opening.count).dropLast(Self.closing.count).split(separator: " ")
            guard words.count == 2, let made = Int64(words[1]) else { continue }
            family = String(words[0])
            self.made = made
            return
        }
        return nil
    }

    /// A description with this mark at its end.
    package func added(to description: String) -> String {
        description.isEmpty ? text : description + "\n\n" + text
    }

    private static let opening = "<!-- ingot template "
    private static let closing = " -->"
}

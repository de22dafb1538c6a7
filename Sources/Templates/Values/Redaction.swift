import Diagnostics
import Scopes

/// Collects the texts that must not be shown.
struct SecretCollection: Sendable {
    private var texts: Set<String> = []

    /// The text whole, with plain line ends, and each of its lines.
    mutating func insert(_ text: String) {
        guard !text.isEmpty else { return }
        texts.insert(text)
        let normalized = text.replacing("\r\n", with: "\n")
        texts.insert(normalized)
        for line in normalized.split(separator: "\n") where !line.allSatisfy(\.isWhitespace) {
            texts.insert(String(line))
        }
    }

    mutating func formUnion(_ other: SecretCollection) { texts.formUnion(other.texts) }

    /// Longest first, so that a secret that contains another is replaced whole.
    var ordered: [String] { texts.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) } }

    var sensitive: [Sensitive<String>] { ordered.map { Sensitive($0) } }

    /// The diagnostics without secrets in their words. What the words have in common with the template's own text that they point at
    /// stays: it is drawn anyway, and a user called like the password should still be told which option is wrong.
    func redacted(_ diagnostics: [Diagnostic], files: [SourceFile]) -> [Diagnostic] {
        let ordered = ordered
        guard !ordered.isEmpty else { return diagnostics }
        let texts = Dictionary(files.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })
        return diagnostics.map { diagnostic in
            let place = diagnostic.subject.flatMap { range in
                texts[range.file].map {
                    String(
                        decoding: Array($0.utf8.dropFirst(range.start).prefix(range.end - range.start)), as: UTF8.self)
                }
            }
            let secrets = ordered.filter { !(place?.contains($0) ?? false) }
            var diagnostic = diagnostic
            diagnostic.summary = Self.redacted(diagnostic.summary, secrets)
            diagnostic.detail = Self.redacted(diagnostic.detail, secrets)
            for index in diagnostic.notes.indices {
                diagnostic.notes[index].message = Self.redacted(diagnostic.notes[index].message, secrets)
            }
            return diagnostic
        }
    }

    private static func redacted(_ text: String, _ secrets: [String]) -> String {
        secrets.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "<sensitive>") : $0 }
    }
}

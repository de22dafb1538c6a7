import Foundation
package import Scopes

/// Replaces secrets in text that people or files get to see, as Packer does: every occurrence, by `<sensitive>`.
package struct Redactor: Sendable {
    private let secrets: [Sensitive<String>]

    /// - Parameter secrets: Whole values; the lines of a secret of several lines count on their own as well.
    package init(_ secrets: [Sensitive<String>]) {
        var words: Set<String> = []
        for secret in secrets {
            let text = secret.reveal()
            words.insert(text)
            words.formUnion(text.split(whereSeparator: \.isNewline).map(String.init))
        }
        words.remove("")
        // Longest first, so that a secret that contains another disappears whole.
        self.secrets = words.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }.map { Sensitive($0) }
    }

    package func redact(_ text: String) -> String {
        var text = text
        for secret in secrets where text.contains(secret.reveal()) {
            text = text.replacing(secret.reveal(), with: "<sensitive>")
        }
        return text
    }

    package func adding(_ other: Redactor) -> Redactor { adding(other.secrets) }

    package func adding(_ more: [Sensitive<String>]) -> Redactor {
        Redactor(secrets + more)
    }
}

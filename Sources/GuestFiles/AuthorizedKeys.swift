import Foundation

/// The text of an authorized_keys file.
package struct AuthorizedKeys: Hashable {
    package var text: String

    package init(text: String) { self.text = text }

    private static let kinds = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"]

    /// A line's key, by kind and base64, without options and comment; nil for what is none.
    static func key(of line: Substring) -> String? {
        let words = line.split { $0 == " " || $0 == "\t" }
        guard let first = words.first, !first.hasPrefix("#") else { return nil }
        // Options may stand before it and may hold quoted blanks, so the first word that looks like a kind counts.
        for (index, word) in words.enumerated() where index + 1 < words.count {
            let isKind = kinds.contains { word.hasPrefix($0) }
            if isKind, words[index + 1].hasPrefix("AAAA") { return "\(word) \(words[index + 1])" }
        }
        return nil
    }

    package var keys: [String] { text.split(whereSeparator: \.isNewline).compactMap(Self.key) }

    /// The comments of the keys, which people know them by; the kind where there is none.
    package var names: [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            guard let key = Self.key(of: line), let blob = key.split(separator: " ").last,
                let range = line.range(of: blob)
            else { return nil }
            let comment = line[range.upperBound...].drop { $0 == " " || $0 == "\t" }
            return comment.isEmpty ? String(key.prefix { $0 != " " }) : String(comment)
        }
    }

    /// Without the entries for the given keys. Nil when there were none.
    package func removing(_ lines: [String]) -> AuthorizedKeys? {
        let unwanted = Set(lines.compactMap { Self.key(of: $0[...]) })
        var isChanged = false
        let kept = text.lines.filter { line in
            guard let key = Self.key(of: line.last == "\r" ? line.dropLast() : line), unwanted.contains(key) else {
                return true
            }
            isChanged = true
            return false
        }
        return isChanged ? AuthorizedKeys(text: kept.joined(separator: "\n")) : nil
    }

    /// With a key, unless it is there.
    package func adding(_ line: String) -> AuthorizedKeys {
        if let key = Self.key(of: line[...]), keys.contains(key) { return self }
        return AuthorizedKeys(text: text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line + "\n")
    }

    var isBlank: Bool { text.allSatisfy(\.isWhitespace) }
}

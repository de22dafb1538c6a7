import Foundation

/// The text of an authorized_keys file.
package struct AuthorizedKeys: Hashable {
    /// The contents of the file.
    package var text: String

    package init(text: String) { self.text = text }

    private static let kinds = ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"]

    /// The key of a line, type and base64, without options and comment; nil if the line has no key.
    static func key(of line: Substring) -> String? {
        let words = line.split { $0 == " " || $0 == "\t" }
        guard let first = words.first, !first.hasPrefix("#") else { return nil }
        // Options may precede it and may contain quoted blanks, so this takes the first word that looks like a type.
        for (index, word) in words.enumerated() where index + 1 < words.count {
            let isKind = kinds.contains { word.hasPrefix($0) }
            if isKind, words[index + 1].hasPrefix("AAAA") { return "\(word) \(words[index + 1])" }
        }
        return nil
    }

    /// The keys, type and base64.
    package var keys: [String] { text.split(whereSeparator: \.isNewline).compactMap(Self.key) }

    /// The comments of the keys, by which people recognise them, or the type of a key without a comment.
    package var names: [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            guard let key = Self.key(of: line), let blob = key.split(separator: " ").last,
                let range = line.range(of: blob)
            else { return nil }
            let comment = line[range.upperBound...].drop { $0 == " " || $0 == "\t" }
            return comment.isEmpty ? String(key.prefix { $0 != " " }) : String(comment)
        }
    }

    /// The text without the entries of the given keys; nil if there are none.
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

    /// The text with a key appended, unless it is there already.
    package func adding(_ line: String) -> AuthorizedKeys {
        if let key = Self.key(of: line[...]), keys.contains(key) { return self }
        return AuthorizedKeys(text: text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line + "\n")
    }

    var isBlank: Bool { text.allSatisfy(\.isWhitespace) }
}

import Diagnostics
import Scopes

/// Collects the texts that must not be shown, and the parts of files that must not be drawn.
struct SecretCollection: Sendable {
    private var texts: Set<String> = []
    /// By the name of the file.
    private var hidden: [String: [Range<Int>]] = [:]

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

    /// A part of a file that is not drawn.
    mutating func hide(_ range: SourceRange) {
        guard range.start < range.end else { return }
        hidden[range.file, default: []].append(range.start..<range.end)
    }

    mutating func hide(_ ranges: some Sequence<SourceRange>) { for range in ranges { hide(range) } }

    mutating func formUnion(_ other: SecretCollection) {
        texts.formUnion(other.texts)
        hidden.merge(other.hidden) { $0 + $1 }
    }

    /// Longest first, so that a secret that contains another is replaced whole.
    var ordered: [String] { texts.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) } }

    var sensitive: [Sensitive<String>] { ordered.map { Sensitive($0) } }

    /// The files as they may be drawn.
    func masked(_ files: [SourceFile]) -> [SourceFile] {
        hidden.isEmpty
            ? files
            : files.map { file in
                var file = file
                file.hidden = Self.merged(file.hidden + hidden[file.name, default: []])
                return file
            }
    }

    private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var merged: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        return merged
    }

    /// The diagnostics without secrets in their words. What the words have in common with the template's own text that they point at
    /// stays: it is drawn anyway, and a user called like the password should still see which option is wrong.
    func redacted(_ diagnostics: [Diagnostic], files: [SourceFile]) -> [Diagnostic] {
        let ordered = ordered
        guard !ordered.isEmpty || !hidden.isEmpty else { return diagnostics }
        let files = Dictionary(
            masked(files).map { ($0.name, (bytes: Array($0.text.utf8), hidden: $0.hidden)) },
            uniquingKeysWith: { first, _ in first })
        return diagnostics.map { diagnostic in
            let place = diagnostic.subject.flatMap { range in
                files[range.file].map { Place(range, in: $0.bytes, hidden: $0.hidden) }
            }
            let secrets = ordered.filter { !(place?.drawn.contains($0) ?? false) }
            func redacted(_ text: String) -> String {
                let text = place.map { Self.withoutQuotes(of: $0.hidden, in: text) } ?? text
                return secrets.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "<sensitive>") : $0 }
            }
            var diagnostic = diagnostic
            diagnostic.summary = redacted(diagnostic.summary)
            diagnostic.detail = redacted(diagnostic.detail)
            for index in diagnostic.notes.indices {
                diagnostic.notes[index].message = redacted(diagnostic.notes[index].message)
            }
            return diagnostic
        }
    }

    /// The text that a diagnostic points at: what is drawn of it, and what is hidden.
    private struct Place {
        var drawn = ""
        var hidden = ""

        /// How far around the place hidden text is looked at, in bytes: a message may quote more than it points at.
        static let reach = 4096

        init(_ range: SourceRange, in bytes: [UInt8], hidden parts: [Range<Int>]) {
            var position = min(range.start, bytes.count)
            let end = min(range.end, bytes.count)
            // What touches it, too: a message about the end of a line may quote the line.
            for part in parts where part.upperBound >= position && part.lowerBound <= end {
                if part.lowerBound > position {
                    drawn += String(decoding: bytes[position..<part.lowerBound], as: UTF8.self)
                }
                let near = max(0, position - Self.reach)..<min(bytes.count, position + Self.reach)
                hidden += String(decoding: bytes[part.clamped(to: near)], as: UTF8.self) + "\n"
                position = max(position, part.upperBound)
            }
            if position < end { drawn += String(decoding: bytes[position..<end], as: UTF8.self) }
        }
    }

    /// What a message quotes of hidden text is blanked out, though it is not a secret that is known.
    private static func withoutQuotes(of hidden: String, in message: String) -> String {
        guard !hidden.isEmpty else { return message }
        var message = message
        for (opening, closing) in [("“", "”"), ("\"", "\"")] {
            var result = ""
            var rest = message[...]
            while let start = rest.firstRange(of: opening), let end = rest[start.upperBound...].firstRange(of: closing)
            {
                let quoted = rest[start.upperBound..<end.lowerBound]
                result += rest[..<start.upperBound]
                // What closes nothing that is hidden may open what is.
                rest = rest[start.upperBound...]
                if !quoted.isEmpty, quoted.utf8.count > Place.reach || hidden.contains(quoted) {
                    result += "<sensitive>" + closing
                    rest = rest[end.upperBound...]
                }
            }
            message = result + rest
        }
        return message
    }
}

import Foundation

/// A commit as git stores it: headers, an empty line, and the message (gitformat-pack, git-cat-file).
struct GitCommit {
    struct Signature {
        /// `NAME <ADDRESS>`.
        var person = ""
        /// RFC 3339, in the zone of the signature.
        var time = ""
    }

    private(set) var tree = ""
    private(set) var parents: [String] = []
    private(set) var author = Signature()
    private(set) var committer = Signature()
    /// In ASCII armour; empty if the commit is not signed.
    private(set) var signature = ""
    private(set) var message: String

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        var isSignature = false
        while let line = lines.popFirst(), !line.isEmpty {
            if line.hasPrefix(" ") {
                if isSignature { signature += line.dropFirst() + "\n" }
                continue
            }
            let words = line.split(separator: " ", maxSplits: 1)
            let value = words.count > 1 ? String(words[1]) : ""
            isSignature = words.first == "gpgsig" || words.first == "gpgsig-sha256"
            switch words.first {
            case "tree": tree = value
            case "parent": parents.append(value)
            case "author": author = Signature(value)
            case "committer": committer = Signature(value)
            case "gpgsig", "gpgsig-sha256": signature = value + "\n"
            default: break
            }
        }
        message = lines.joined(separator: "\n")
    }
}

extension GitCommit.Signature {
    /// `NAME <ADDRESS> SECONDS +HHMM`.
    fileprivate init(_ text: String) {
        guard let end = text.lastIndex(of: ">") else {
            person = text
            return
        }
        person = String(text[...end])
        let words = text[text.index(after: end)...].split(separator: " ")
        guard let seconds = words.first.flatMap({ Int64($0) }), let zone = words.last, words.count == 2 else { return }
        let digits = zone.drop { $0 == "+" || $0 == "-" }
        guard digits.count == 4, let hours = Int(digits.prefix(2)), let minutes = Int(digits.suffix(2)) else { return }
        let offset = (zone.hasPrefix("-") ? -1 : 1) * (hours * 60 + minutes) * 60
        // Beyond this a date has no four digits for its year.
        guard abs(seconds) < 250_000_000_000 else { return }
        let style = Date.ISO8601FormatStyle(timeZone: .gmt)
        let shown = Date(timeIntervalSince1970: Double(seconds) + Double(offset)).formatted(style)
        time = offset == 0 ? shown : String(shown.dropLast()) + "\(zone.prefix(3)):\(zone.suffix(2))"
    }
}

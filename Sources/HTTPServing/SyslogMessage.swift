/// A message of the installer's log.
package struct SyslogMessage: Sendable, Equatable {
    /// The most bytes of a message that are read.
    static let largest = 8192

    /// From 0 (emergency) to 7 (debug); nil if the message has none.
    package var severity: Int?
    /// The program, as in `anna[1234]`.
    package var tag: String
    /// The message without its header.
    package var text: String

    /// Parses `<PRI>TAG: TEXT` with or without the time and host of RFC 3164; anything else is text as a whole.
    package init(_ line: String) {
        var rest = line[...]
        severity = nil
        if rest.first == "<", let end = rest.prefix(5).firstIndex(of: ">"),
            let number = Int(rest[rest.index(after: rest.startIndex)..<end])
        {
            severity = number & 7
            rest = rest[rest.index(after: end)...]
        }
        if let match = rest.prefixMatch(of: #/[A-Z][a-z][a-z] +\d+ \d\d:\d\d:\d\d /#) {
            rest = rest[match.range.upperBound...]
        }
        let cleaned = String(String.UnicodeScalarView(rest.unicodeScalars.filter { !$0.isControl }))
        let words = cleaned.split(separator: ": ", maxSplits: 1).map(String.init)
        if words.count == 2, words[0].count <= 64 {
            // A host name may precede the program.
            tag = words[0].split(separator: " ").last.map(String.init) ?? words[0]
            text = words[1]
        } else {
            tag = "installer"
            text = cleaned
        }
    }

    /// Parses the messages of a datagram or a frame, one per line.
    static func all(in bytes: some Collection<UInt8>) -> [SyslogMessage] {
        let text = String(decoding: bytes.prefix(largest), as: UTF8.self)
        return text.split { $0.isNewline || $0 == "\0" }.map { SyslogMessage(String($0)) }
    }
}

/// A text whose parts of the form `{{ .Anything }}` are hidden, since the component that uses the value fills them in.
struct MaskedTemplate {
    private(set) var text = ""
    private var hidden: [String] = []

    /// Around the number of a hidden part: characters of the private use area, which no template is written in.
    private static let (opening, closing): (Unicode.Scalar, Unicode.Scalar) = ("\u{F8FE}", "\u{F8FF}")

    init(_ original: String) {
        guard original.contains("{{") else {
            text = original
            return
        }
        var rest = Substring(original)
        while let start = rest.firstRange(of: "{{") {
            let after = rest[start.upperBound...]
            let content = after.first?.isWhitespace == true ? after.dropFirst() : after
            guard content.first == ".", let end = after.firstRange(of: "}}") else {
                text += rest[..<start.upperBound]
                rest = after
                continue
            }
            text += rest[..<start.lowerBound] + "\(Self.opening)\(hidden.count)\(Self.closing)"
            hidden.append(String(rest[start.lowerBound..<end.upperBound]))
            rest = rest[end.upperBound...]
        }
        text += rest
    }

    /// The rendered text with the hidden parts in their places.
    func restored(_ rendered: String) -> String {
        guard !hidden.isEmpty else { return rendered }
        var restored = ""
        let pieces = rendered.unicodeScalars.split(separator: Self.opening, omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            if index > 0, let end = piece.firstIndex(of: Self.closing), let number = Int(String(piece[..<end])),
                hidden.indices.contains(number)
            {
                restored += hidden[number] + String(piece[piece.index(after: end)...])
            } else {
                restored += (index > 0 ? String(Self.opening) : "") + String(piece)
            }
        }
        return restored
    }
}

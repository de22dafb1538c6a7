/// An XML element, for domain descriptions.
struct XML {
    private var text: String

    /// - Parameter attributes: Those whose value is nil are left out.
    init(_ name: String, _ attributes: [(String, String?)] = [], _ children: [XML] = []) {
        text = Self.opening(name, attributes)
        if children.isEmpty {
            text += "/>"
        } else {
            let inner = children.map(\.text).joined(separator: "\n").replacing("\n", with: "\n  ")
            text += ">\n  \(inner)\n</\(name)>"
        }
    }

    init(_ name: String, _ attributes: [(String, String?)] = [], text content: String) {
        text = Self.opening(name, attributes) + ">\(Self.escaped(content))</\(name)>"
    }

    var document: String { text + "\n" }

    /// Text or an attribute's value without its escapes.
    static func unescaped(_ text: some StringProtocol) -> String {
        [("&lt;", "<"), ("&gt;", ">"), ("&apos;", "'"), ("&quot;", "\""), ("&amp;", "&")].reduce(String(text)) {
            $0.replacing($1.0, with: $1.1)
        }
    }

    private static func opening(_ name: String, _ attributes: [(String, String?)]) -> String {
        "<" + name
            + attributes.compactMap { key, value in value.map { " \(key)='\(escaped($0))'" } }.joined()
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "'": result += "&apos;"
            case "\"": result += "&quot;"
            // XML has no place for other control characters, escaped or not.
            case _ where scalar.value < 0x20 && scalar.value != 0x9 && scalar.value != 0xA: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

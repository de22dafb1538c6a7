/// Text of an HCL template in the making: literal parts and expressions between them.
struct HCLText {
    enum Piece: Hashable {
        case literal(String)
        /// An HCL expression.
        case expression(String)
    }

    private(set) var pieces: [Piece] = []

    init(_ pieces: [Piece] = []) {
        for piece in pieces { append(piece) }
    }

    mutating func append(_ piece: Piece) {
        guard case .literal(let new) = piece else { return pieces.append(piece) }
        guard !new.isEmpty else { return }
        if case .literal(let old)? = pieces.last {
            pieces[pieces.count - 1] = .literal(old + new)
        } else {
            pieces.append(piece)
        }
    }

    /// The text, if nothing is to be evaluated.
    var literal: String? {
        if pieces.isEmpty { return "" }
        if pieces.count == 1, case .literal(let text) = pieces[0] { return text }
        return nil
    }

    /// The expression that makes up all of it.
    var expression: String? {
        if pieces.count == 1, case .expression(let text) = pieces[0] { return text }
        return nil
    }

    /// As an HCL expression: a quoted template, or the only expression by itself.
    var hcl: String {
        if let expression { return expression }
        var text = "\""
        for (index, piece) in pieces.enumerated() {
            switch piece {
            case .expression(let expression): text += "${\(expression)}"
            case .literal(let literal):
                // A dollar or percent sign in front of `${` would make the two an escape.
                let isBefore = index + 1 < pieces.count
                if isBefore, let last = literal.last, last == "$" || last == "%" {
                    text += Self.escaped(String(literal.dropLast())) + "${\"\(last)\"}"
                } else {
                    text += Self.escaped(literal)
                }
            }
        }
        return text + "\""
    }

    static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}", "\u{FEFF}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case "$" where index + 1 < scalars.count && scalars[index + 1] == "{": result += "$$"
            case "%" where index + 1 < scalars.count && scalars[index + 1] == "{": result += "%%"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The key of an object.
    static func key(_ name: String) -> String { isIdentifier(name) ? name : quoted(name) }
}

import HCL

extension JSONNode {
    /// Indented by two blanks, names sorted: the form in which `packer fix` prints.
    var sortedText: String {
        var text = ""
        write(to: &text, indentation: "\n")
        return text
    }

    private func write(to text: inout String, indentation: String) {
        let inner = indentation + "  "
        switch kind {
        case .null: text += "null"
        case .bool(let flag): text += String(flag)
        case .number(let digits): text += Self.printedNumber(digits)
        case .string(let string): text += Self.quoted(string)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? inner : "," + inner
                element.write(to: &text, indentation: inner)
            }
            text += elements.isEmpty ? "]" : indentation + "]"
        case .object(let members):
            text += "{"
            let sorted = members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            for (index, member) in sorted.enumerated() {
                text += (index == 0 ? inner : "," + inner) + Self.quoted(member.name) + ": "
                member.value.write(to: &text, indentation: inner)
            }
            text += members.isEmpty ? "}" : indentation + "}"
        }
    }

    /// The ampersand and the two line separators are written as escapes, as Packer prints them.
    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "&", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// Go's way with JSON numbers: 64-bit floats in the fewest digits, with an exponent from 1e21 and below 1e-6.
    static func printedNumber(_ written: String) -> String {
        guard let value = Double(written), value.isFinite else { return written }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        return ShortestDecimal(value).text(plain: 1e-6..<1e21, exponentDigits: 1)
    }
}

extension [JSONNode.Member] {
    /// The value of the first member with the name; nil takes the member away.
    subscript(name: String) -> JSONNode? {
        get { first { $0.name == name }?.value }
        set {
            guard let newValue else { return removeAll { $0.name == name } }
            if let index = firstIndex(where: { $0.name == name }) {
                self[index].value = newValue
            } else {
                append(JSONNode.Member(name: name, nameRange: newValue.range, value: newValue))
            }
        }
    }

    /// Removes the member; nil if there is none.
    mutating func take(_ name: String) -> JSONNode? {
        guard let value = self[name] else { return nil }
        self[name] = nil
        return value
    }

    /// Gives a member another name; a member that has this name already wins.
    mutating func rename(_ old: String, _ new: String) {
        guard let value = take(old), self[new] == nil else { return }
        self[new] = value
    }

    /// As `rename`, but the renamed member wins.
    mutating func replace(_ new: String, with old: String) {
        if let value = take(old) { self[new] = value }
    }
}

extension JSONNode {
    /// The same value in the form of another kind.
    func with(_ kind: Kind) -> JSONNode { JSONNode(kind: kind, range: range) }

    /// Every text in it changed, however deep.
    func mappingTexts(_ change: (String) -> String) -> JSONNode {
        switch kind {
        case .string(let text): with(.string(change(text)))
        case .array(let elements): with(.array(elements.map { $0.mappingTexts(change) }))
        case .object(let members):
            with(
                .object(
                    members.map {
                        Member(name: $0.name, nameRange: $0.nameRange, value: $0.value.mappingTexts(change))
                    }))
        default: self
        }
    }
}

extension JSONNode {
    /// Every object with the last of each name's members only.
    var withoutDuplicates: JSONNode {
        switch kind {
        case .array(let elements): return with(.array(elements.map(\.withoutDuplicates)))
        case .object(let members):
            var unique: [String: Member] = [:]
            for member in members { unique[member.name] = member }
            return with(
                .object(
                    members.filter { unique[$0.name] == $0 }.map {
                        Member(name: $0.name, nameRange: $0.nameRange, value: $0.value.withoutDuplicates)
                    }))
        default: return self
        }
    }
}

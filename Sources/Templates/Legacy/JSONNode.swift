import ComponentModel
import Diagnostics
import HCL

extension JSONNode {
    var text: String? {
        if case .string(let text) = kind { return text }
        return nil
    }

    var elements: [JSONNode]? {
        if case .array(let elements) = kind { return elements }
        return nil
    }

    var members: [Member]? {
        if case .object(let members) = kind { return members }
        return nil
    }

    /// For messages.
    var kindName: String {
        switch kind {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The place of a byte of the text; the whole string where escapes make the two differ.
    func range(ofOffset offset: Int?) -> SourceRange {
        guard let offset, case .string(let text) = kind, offset < text.utf8.count,
            range.end - range.start == text.utf8.count + 2
        else { return range }
        return SourceRange(file: range.file, start: range.start + 1 + offset, end: range.end - 1)
    }

    /// Numbers as Go's decoder gives them to plugins: 64-bit floats in their shortest decimal form.
    static func goNumber(_ written: String) -> String {
        if written.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "-" }) { return written }
        guard let value = Double(written) else { return written }
        if value == value.rounded(), abs(value) < 9e15 { return String(Int64(value)) }
        return String(value)
    }
}

extension OptionValue {
    /// The value as it is written; nothing is rendered.
    init(_ node: JSONNode) {
        switch node.kind {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .number(let digits): self = .number(JSONNode.goNumber(digits))
        case .string(let text): self = .string(text)
        case .array(let elements): self = .list(elements.map { OptionValue($0) })
        case .object(let members):
            self = .map(members.map { Entry(key: $0.name, value: OptionValue($0.value)) }.sorted { $0.key < $1.key })
        }
    }
}

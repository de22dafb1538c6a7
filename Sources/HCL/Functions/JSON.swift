import Diagnostics

/// A value as compact JSON: keys sorted, `< > &` escaped as the reference does. What is sensitive is not shown.
public func encodeJSON(_ value: Value) -> String {
    switch value {
    case .null, .unknown: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .number(let number): return number.text
    case .string(let text): return quotedJSON(text)
    case .sensitive: return quotedJSON("<sensitive>")
    case .list(let values), .set(let values), .tuple(let values):
        return "[" + values.map(encodeJSON).joined(separator: ",") + "]"
    case .map, .object:
        let members = (value.members ?? []).map { quotedJSON($0.key.stringValue ?? "") + ":" + encodeJSON($0.value) }
        return "{" + members.joined(separator: ",") + "}"
    }
}

private func quotedJSON(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "<", ">", "&", "\u{2028}", "\u{2029}": result += escape(scalar)
        case _ where scalar.value < 0x20: result += escape(scalar)
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

private func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
}

/// JSON as a value: objects and tuples, numbers exact, of a property that is repeated the last.
///
/// - Throws: For text that is not one JSON value, and for more than 120 levels of nesting.
public func decodeJSON(_ text: String) throws(FunctionError) -> Value {
    let read = readJSON(SourceFile(name: "", text: text))
    if let value = read.value?.value, read.diagnostics.isEmpty { return value }
    let problem = read.diagnostics.first
    let before = text.utf8.prefix(problem?.subject?.start ?? 0)
    let line = 1 + before.count { $0 == 0x0A }
    let column = 1 + before.reversed().prefix { $0 != 0x0A }.count
    let summary = problem?.summary ?? "It cannot be read"
    let isWord = summary.dropFirst().first?.isUppercase != true
    let reason = isWord ? summary.prefix(1).lowercased() + summary.dropFirst() : summary
    throw FunctionError("invalid JSON in line \(line), column \(column): \(reason)", argument: 0)
}

extension JSONNode {
    fileprivate var value: Value {
        switch kind {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .number(let digits): Number(digits).map { .number($0) } ?? .unknown
        case .string(let text): .string(normalized(text))
        case .array(let elements): .tuple(elements.map(\.value))
        case .object(let members):
            .object(Dictionary(members.map { (normalized($0.name), $0.value.value) }) { $1 })
        }
    }
}

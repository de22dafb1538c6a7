import Yams

func decodeYAML(_ text: String) throws(FunctionError) -> Value {
    guard text.utf8.count <= 4 << 20 else { throw FunctionError("the text is larger than 4 MiB", argument: 0) }
    do {
        guard let node = try Yams.compose(yaml: text) else {
            throw FunctionError("the YAML contains no document", argument: 0)
        }
        var budget = 1_000_000
        return try value(of: node, depth: 0, &budget)
    } catch let error as FunctionError {
        throw error
    } catch {
        throw FunctionError("invalid YAML: \(reason(error))", argument: 0)
    }
}

/// In one line, without the excerpt that the parser draws.
private func reason(_ error: any Error) -> String {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        "line \(mark.line), column \(mark.column): \(problem)"
    case .reader(let problem, _, _, _): problem
    case .duplicatedKeysInMapping: "a key is written twice"
    default: "it cannot be read"
    }
}

/// - Parameter budget: Nodes left; anchors that name anchors can multiply without end.
private func value(of node: Node, depth: Int, _ budget: inout Int) throws(FunctionError) -> Value {
    budget -= 1
    guard depth < 100, budget > 0 else { throw FunctionError("the YAML is too deep or too large", argument: 0) }
    switch node {
    case .scalar(let scalar): return try value(of: scalar)
    case .sequence(let sequence):
        var values: [Value] = []
        for node in sequence { values.append(try value(of: node, depth: depth + 1, &budget)) }
        return .tuple(values)
    case .mapping(let mapping):
        var members: [String: Value] = [:]
        for (key, node) in mapping {
            guard case .scalar(let name) = key, !(try value(of: name).isNull),
                case .success(.string(let text)) = try value(of: name).converted(to: .string)
            else { throw FunctionError("a key is not text", argument: 0) }
            let member = try value(of: node, depth: depth + 1, &budget)
            if name.string == "<<", name.style == .plain, let merged = member.attributes {
                members.merge(merged) { old, _ in old }
            } else {
                members[text] = member
            }
        }
        return .object(members)
    case .alias: throw FunctionError("an alias names nothing", argument: 0)
    }
}

private func value(of scalar: Node.Scalar) throws(FunctionError) -> Value {
    // Empty for what has no tag of its own.
    let tag = scalar.tag.description
    let text = normalized(scalar.string)
    let prefix = "tag:yaml.org,2002:"
    switch tag {
    case "", prefix + "int", prefix + "float", prefix + "bool", prefix + "null", prefix + "timestamp",
        prefix + "merge", prefix + "value":
        break
    case prefix + "str", prefix + "binary": return .string(text)
    default: throw FunctionError("the tag \(tag) is not known", argument: 0)
    }
    guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE": return .bool(true)
    case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
        throw FunctionError("\(text) is too large or too small a number", argument: 0)
    default: break
    }
    guard let first = text.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
        return .string(text)
    }
    let digits = text.filter { $0 != "_" }
    if digits.hasPrefix("0b"), let number = Int(digits.dropFirst(2), radix: 2) { return .number(Number(number)) }
    if let number = Number(digits) { return .number(number) }
    if let moment = date(text) { return .string(moment.rfc3339) }
    return .string(text)
}

/// A date, with or without a time.
private func date(_ text: String) -> Moment? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 8, bytes.count <= 40, bytes[4] == 0x2D else { return nil }
    let isDay = bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2D }
    // What is not a date stays text.
    return try? Moment(isDay ? text + "T00:00:00Z" : text, argument: 0, allowsSpace: true)
}

/// A value as a YAML document: block style, keys sorted, strings quoted, or literal where they have lines.
func encodeYAML(_ value: Value) -> String {
    switch value {
    // What has no mark of its own ends with the mark of the document's end.
    case .number, .bool, .null: return encodeJSON(value) + "\n...\n"
    case .string: return scalar(value, indentation: "", isTop: true) + "\n"
    default: return block(value, indentation: "") + "\n"
    }
}

private func block(_ value: Value, indentation: String) -> String {
    if let members = value.attributes.flatMap({ $0.isEmpty ? nil : value.members }) {
        return members.map { key, member in
            indentation + quoted(key.stringValue ?? "") + ":" + nested(member, indentation)
        }.joined(separator: "\n")
    }
    if let elements = value.elements, !elements.isEmpty {
        return elements.map { element in
            // The first line of what is inside is behind the dash.
            guard isBlock(element) else { return indentation + "- " + scalar(element, indentation: indentation) }
            return indentation + "- "
                + block(element, indentation: indentation + "  ").dropFirst(indentation.utf8.count + 2)
        }.joined(separator: "\n")
    }
    return indentation + scalar(value, indentation: indentation)
}

private func isBlock(_ value: Value) -> Bool {
    (value.attributes.map { !$0.isEmpty } ?? false) || (value.elements.map { !$0.isEmpty } ?? false)
}

private func nested(_ value: Value, _ indentation: String) -> String {
    guard isBlock(value) else { return " " + scalar(value, indentation: indentation) }
    // Lists are under their key without further indentation.
    return "\n" + block(value, indentation: value.elements == nil ? indentation + "  " : indentation)
}

private func scalar(_ value: Value, indentation: String, isTop: Bool = false) -> String {
    if let elements = value.elements, elements.isEmpty { return "[]" }
    if let attributes = value.attributes, attributes.isEmpty { return "{}" }
    guard case .string(let text) = value else { return encodeJSON(value) }
    let bytes = Array(text.utf8)
    let hasSpaceAtLineEnd = zip(bytes, bytes.dropFirst() + [0x0A]).contains { $0 == 0x20 && $1 == 0x0A }
    guard bytes.contains(0x0A), !hasSpaceAtLineEnd, text.unicodeScalars.allSatisfy({ $0 == "\n" || isPrintable($0) })
    else { return quoted(text) }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var header = "|"
    if bytes[0] == 0x20 || bytes[0] == 0x0A { header += "2" }
    if bytes.last != 0x0A {
        header += "-"
    } else {
        lines.removeLast()
        if bytes.count == 1 || bytes[bytes.count - 2] == 0x0A { header += "+" }
    }
    return header + "\n" + lines.map { $0.isEmpty ? "" : indentation + "  " + $0 }.joined(separator: "\n")
}

private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD: true
    default: false
    }
}

private func quoted(_ text: String) -> String {
    let known: [Unicode.Scalar: String] = [
        "\"": "\\\"", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\u{7}": "\\a",
        "\u{8}": "\\b", "\u{B}": "\\v", "\u{C}": "\\f", "\u{1B}": "\\e", "\u{85}": "\\N", "\u{2028}": "\\L",
        "\u{2029}": "\\P",
    ]
    var result = "\""
    for scalar in text.unicodeScalars {
        if let escape = known[scalar] {
            result += escape
        } else if isPrintable(scalar) {
            result.unicodeScalars.append(scalar)
        } else {
            let digits = String(scalar.value, radix: 16, uppercase: true)
            let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
            result += "\\\(letter)" + String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
    }
    return result + "\""
}

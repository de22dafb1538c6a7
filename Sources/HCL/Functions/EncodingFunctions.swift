import CCrypt
import Crypto
import FoundationEssentials
import Yams

let encodingFunctions: [String: Function] = [
    "base64encode": Function(.string) { arguments throws(FunctionError) in
        .string(Data(try arguments.string(0).utf8).base64EncodedString())
    },
    "base64decode": Function(.string) { arguments throws(FunctionError) in
        guard let data = Data(base64Encoded: try arguments.string(0)),
            let text = String(validating: data, as: UTF8.self)
        else {
            throw FunctionError("this is not base64 of UTF-8 text", argument: 0)
        }
        return .string(text)
    },
    "urlencode": Function(.string) { arguments throws(FunctionError) in
        var result = ""
        for byte in try arguments.string(0).utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte == 0x20 {
                result += "+"
            } else if byte < 0x80, character.isLetter || character.isNumber || "-_.~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return .string(result)
    },
    "jsonencode": Function(.any, takesAnything: true) { arguments throws(FunctionError) in
        arguments[0].isWhollyKnown ? .string(encodeJSON(arguments[0])) : .unknown
    },
    "jsondecode": Function(.string) { arguments throws(FunctionError) in try decodeJSON(try arguments.string(0)) },
    "yamlencode": Function(.any, takesAnything: true) { arguments throws(FunctionError) in
        arguments[0].isWhollyKnown ? .string(encodeYAML(arguments[0], indentation: "") + "\n") : .unknown
    },
    "yamldecode": Function(.string) { arguments throws(FunctionError) in try decodeYAML(try arguments.string(0)) },
    "csvdecode": Function(.string) { arguments throws(FunctionError) in try decodeCSV(try arguments.string(0)) },
    "md5": digest(Insecure.MD5.self), "sha1": digest(Insecure.SHA1.self), "sha256": digest(SHA256.self),
    "sha512": digest(SHA512.self),
    "bcrypt": Function(.string, .number, optional: 1) { arguments throws(FunctionError) in
        let cost = arguments.count == 2 ? try arguments.int(1) : 10
        guard (4...31).contains(cost) else { throw FunctionError("the cost is between 4 and 31", argument: 1) }
        return .string(try bcrypt(try arguments.string(0), cost: cost))
    },
    "uuidv4": Function { _ throws(FunctionError) in .string(UUID().uuidString.lowercased()) },
]

private func digest<Digest: HashFunction>(_ type: Digest.Type) -> Function {
    Function(.string) { arguments throws(FunctionError) in
        let bytes = Digest.hash(data: Data(try arguments.string(0).utf8))
        return .string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}

/// bcrypt by the system's libcrypt, in the form `$2a$` that the reference gives.
private func bcrypt(_ text: String, cost: Int) throws(FunctionError) -> String {
    let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    // 21 characters carry 126 bits and the last one two more: its lower four bits must be zero.
    let salt =
        String((0..<21).map { _ in alphabet[Int.random(in: 0..<64)] })
        + String(alphabet[[0, 16, 32, 48][Int.random(in: 0..<4)]])
    let setting = "$2a$\(cost < 10 ? "0" : "")\(cost)$\(salt)"
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    data.initialize(to: crypt_data())
    defer { data.deallocate() }
    guard let hash = crypt_r(text, setting, data).map({ String(cString: $0) }), hash.hasPrefix("$2a$") else {
        throw FunctionError("the system's libcrypt has no bcrypt")
    }
    return hash
}

// MARK: YAML

private func decodeYAML(_ text: String) throws(FunctionError) -> Value {
    guard text.utf8.count <= 4 << 20 else { throw FunctionError("the text is larger than 4 MiB", argument: 0) }
    do {
        guard let node = try Yams.compose(yaml: text) else { return .null }
        var budget = 1_000_000
        return try value(of: node, depth: 0, &budget)
    } catch let error as FunctionError {
        throw error
    } catch {
        throw FunctionError("invalid YAML: \(error)", argument: 0)
    }
}

/// - Parameter budget: Nodes left; anchors that name anchors can multiply without end.
private func value(of node: Node, depth: Int, _ budget: inout Int) throws(FunctionError) -> Value {
    budget -= 1
    guard depth < 100, budget > 0 else { throw FunctionError("the YAML is too deep or too large", argument: 0) }
    switch node {
    case .scalar(let scalar):
        if scalar.style != .plain && scalar.style != .any { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: return Number(scalar.string).map { .number($0) } ?? .string(scalar.string)
        }
    case .sequence(let sequence):
        var values: [Value] = []
        for node in sequence { values.append(try value(of: node, depth: depth + 1, &budget)) }
        return .tuple(values)
    case .mapping(let mapping):
        var members: [String: Value] = [:]
        for (key, node) in mapping {
            guard case .scalar(let name) = key else { throw FunctionError("a key is not text", argument: 0) }
            let member = try value(of: node, depth: depth + 1, &budget)
            if name.string == "<<", let merged = member.attributes {
                members.merge(merged) { old, _ in old }
            } else {
                members[name.string] = member
            }
        }
        return .object(members)
    case .alias: throw FunctionError("an alias names nothing", argument: 0)
    }
}

private func encodeYAML(_ value: Value, indentation: String) -> String {
    if let members = value.attributes.flatMap({ $0.isEmpty ? nil : value.members }) {
        return members.map { key, member in
            indentation + encodeJSON(key) + ":" + nested(member, indentation)
        }.joined(separator: "\n")
    }
    if let elements = value.elements, !elements.isEmpty {
        return elements.map { element in
            guard isBlock(element) else { return indentation + "- " + scalar(element, indentation) }
            let inner = encodeYAML(element, indentation: indentation + "  ")
            return indentation + "- " + inner.dropFirst(indentation.count + 2)
        }.joined(separator: "\n")
    }
    return indentation + scalar(value, indentation)
}

private func isBlock(_ value: Value) -> Bool {
    (value.attributes.map { !$0.isEmpty } ?? false) || (value.elements.map { !$0.isEmpty } ?? false)
}

private func nested(_ value: Value, _ indentation: String) -> String {
    guard isBlock(value) else { return " " + scalar(value, indentation) }
    // Lists stand under their key without further indentation.
    return "\n" + encodeYAML(value, indentation: value.elements == nil ? indentation + "  " : indentation)
}

private func scalar(_ value: Value, _ indentation: String) -> String {
    if let elements = value.elements, elements.isEmpty { return "[]" }
    if let attributes = value.attributes, attributes.isEmpty { return "{}" }
    guard case .string(let text) = value, text.contains("\n"), text.hasSuffix("\n"), !text.hasPrefix(" "),
        !text.hasSuffix("\n\n")
    else {
        return encodeJSON(value)
    }
    let lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    return "|\n" + lines.map { $0.isEmpty ? "" : indentation + "  " + $0 }.joined(separator: "\n")
}

// MARK: CSV

private func decodeCSV(_ text: String) throws(FunctionError) -> Value {
    var rows: [[String]] = []
    var row: [String] = []
    var field = ""
    var isQuoted = false
    var rest = text[...]
    func endRow() { if !(row.isEmpty && field.isEmpty) { rows.append(row + [field]) } }
    while let character = rest.popFirst() {
        if isQuoted {
            if character != "\"" {
                field.append(character)
            } else if rest.first == "\"" {
                field.append("\"")
                rest.removeFirst()
            } else {
                isQuoted = false
            }
        } else if character == "\"" && field.isEmpty {
            isQuoted = true
        } else if character == "," {
            row.append(field)
            field = ""
        } else if character.isNewline {
            endRow()
            row = []
            field = ""
        } else {
            field.append(character)
        }
    }
    if isQuoted { throw FunctionError("a quoted field is not closed", argument: 0) }
    endRow()
    guard let header = rows.first else { throw FunctionError("missing header line", argument: 0) }
    var objects: [Value] = []
    for (number, row) in rows.enumerated().dropFirst() {
        guard row.count == header.count else {
            throw FunctionError(
                "row \(number + 1) has \(row.count) fields, and the header \(header.count)", argument: 0)
        }
        objects.append(.object(Dictionary(zip(header, row.map { Value.string($0) })) { $1 }))
    }
    return .list(objects)
}

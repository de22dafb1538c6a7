public import Diagnostics

extension HCLType {
    /// Reads a type as `variable.type` and `convert` have it: `string`, `list(string)`, `object({a = number})`.
    public static func parse(_ expression: Expression) -> Diagnosed<HCLType> {
        var diagnostics: [Diagnostic] = []
        let type = read(expression, &diagnostics).type
        return Diagnosed(type, diagnostics)
    }

    /// What other languages call the types.
    private static let otherNames = [
        "int": "number", "integer": "number", "float": "number", "double": "number", "boolean": "bool",
        "str": "string", "text": "string", "array": "list(…)", "dict": "map(…)", "hash": "map(…)",
        "struct": "object({…})",
    ]

    private static func read(
        _ expression: Expression, _ diagnostics: inout [Diagnostic], isAttribute: Bool = false
    ) -> Attribute {
        switch expression.kind {
        case .variable(let name):
            switch name {
            case "string": return Attribute(.string)
            case "number": return Attribute(.number)
            case "bool": return Attribute(.bool)
            case "any": return Attribute(.any)
            case "list", "map", "set":
                diagnostics.append(
                    .invalidType(
                        "\(name) needs the type of its elements: \(name)(string), or \(name)(any).",
                        at: expression.range))
            case "object", "tuple":
                diagnostics.append(
                    .invalidType(
                        name == "object" ? "Write object({name = type, …})." : "Write tuple([type, …]).",
                        at: expression.range))
            default:
                let known =
                    otherNames[name.lowercased()]
                    ?? suggestion(for: name, among: ["string", "number", "bool", "any"])
                let hint = known.map { "Did you mean \($0)? " } ?? ""
                diagnostics.append(
                    .invalidType(
                        hint
                            + "A type is string, number, bool, any, list(…), set(…), map(…), object({…}) or tuple([…]).",
                        at: expression.range))
            }
        case .call(let name, let nameRange, let arguments, false):
            return read(name, nameRange, arguments, expression, &diagnostics, isAttribute)
        case .literal(.string(let text)):
            diagnostics.append(.invalidType("A type is written without quotes: \(text).", at: expression.range))
        default:
            diagnostics.append(
                .invalidType(
                    "A type is string, number, bool, any, list(…), set(…), map(…), object({…}) or tuple([…]).",
                    at: expression.range))
        }
        return Attribute(.any)
    }

    private static func read(
        _ name: String, _ nameRange: SourceRange, _ arguments: [Expression], _ expression: Expression,
        _ diagnostics: inout [Diagnostic], _ isAttribute: Bool
    ) -> Attribute {
        switch (name, arguments.count) {
        case ("list", 1): return Attribute(.list(read(arguments[0], &diagnostics).type))
        case ("set", 1): return Attribute(.set(read(arguments[0], &diagnostics).type))
        case ("map", 1): return Attribute(.map(read(arguments[0], &diagnostics).type))
        case ("tuple", 1):
            if case .tuple(let members) = arguments[0].kind {
                return Attribute(.tuple(members.map { read($0, &diagnostics).type }))
            }
            diagnostics.append(.invalidType("Write tuple([type, …]).", at: arguments[0].range))
        case ("object", 1):
            if case .object(let items) = arguments[0].kind {
                var attributes: [String: Attribute] = [:]
                for item in items {
                    guard case .literal(.string(let key)) = item.key.kind else {
                        diagnostics.append(
                            .invalidType("The names of an object type are plain words.", at: item.key.range))
                        continue
                    }
                    attributes[key] = read(item.value, &diagnostics, isAttribute: true)
                }
                return Attribute(.object(attributes))
            }
            diagnostics.append(.invalidType("Write object({name = type, …}).", at: arguments[0].range))
        case ("optional", 1), ("optional", 2):
            guard isAttribute else {
                diagnostics.append(.invalidType("optional(…) is for the attributes of an object type.", at: nameRange))
                break
            }
            let type = read(arguments[0], &diagnostics).type
            let value = arguments.count == 2 ? arguments[1].evaluate(in: EvaluationContext()) : nil
            diagnostics += value?.diagnostics ?? []
            return Attribute(type, isOptional: true, defaultValue: value?.value)
        default:
            diagnostics.append(
                .invalidType(
                    ["list", "set", "map", "tuple", "object"].contains(name)
                        ? "\(name)(…) takes one type, not \(arguments.count)."
                        : (otherNames[name.lowercased()].map { "Did you mean \($0)? " }
                            ?? "There is no type \(name)(…). ")
                            + "A type is string, number, bool, any, list(…), set(…), map(…), object({…}) or tuple([…]).",
                    at: expression.range))
        }
        return Attribute(.any)
    }
}

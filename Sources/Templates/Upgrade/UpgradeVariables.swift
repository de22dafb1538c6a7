/// The variables of a JSON template on their way to HCL: their names there, and the blocks that declare them.
///
/// A default that needs other variables or functions becomes a local value, since defaults in HCL are constants; the
/// variable stays, so that its value can be given as before.
final class UpgradeVariables {
    private struct Entry {
        var name: String
        /// nil: required.
        var text: String?
        var isLocal = false
        var isSensitive = false
        var comment = ""
    }

    private var entries: [String: Entry] = [:]
    private var order: [String] = []
    private var environmentNames: [String: String] = [:]
    private var taken: Set<String> = []

    /// Functions that a default cannot call.
    private static let dynamic: Set<String> = [
        "user", "template_dir", "vault", "consul_key", "aws_secretsmanager",
    ]

    init(_ template: LegacyTemplate) {
        let sensitive = Set(template.sensitive.compactMap(\.text))
        for variable in template.variables where entries[variable.name] == nil {
            add(variable.name, variable.value.map { $0.text ?? "" }, isSensitive: sensitive.contains(variable.name))
        }
    }

    private func add(_ name: String, _ text: String?, isSensitive: Bool = false, comment: String = "") {
        var entry = Entry(
            name: unique(name), text: text, isSensitive: isSensitive, comment: comment)
        if entry.name != name, comment.isEmpty { entry.comment = "Called \"\(name)\" in the JSON template." }
        entry.isLocal =
            text.map { text in
                GoTemplateParts(text).parts.contains { part in
                    guard case .action(let action) = part else { return false }
                    return action.words.contains { $0.name.map(Self.dynamic.contains) ?? false }
                }
            } ?? false
        entries[name] = entry
        order.append(name)
    }

    private func unique(_ name: String) -> String {
        let plain = hclName(name)
        var result = plain
        var number = 2
        while !taken.insert(result).inserted {
            result = "\(plain)_\(number)"
            number += 1
        }
        return result
    }

    // MARK: References

    /// The expression that gives a variable's value. A variable that is not declared is empty in JSON.
    func reference(to name: String) -> String {
        if entries[name] == nil { add(name, "", comment: "Not declared in the JSON template, and so empty there.") }
        guard let entry = entries[name] else { return "\"\"" }
        return (entry.isLocal ? "local." : "var.") + entry.name
    }

    /// The expression that gives a variable of the environment, outside of defaults.
    func environment(_ name: String) -> String {
        if let known = environmentNames[name] { return "var." + known }
        let new = unique("env_" + name.lowercased())
        environmentNames[name] = new
        return "var." + new
    }

    /// The default of the variable that is all of an expression, if it is a constant.
    func constant(_ expression: String) -> String? {
        guard expression.hasPrefix("var.") else { return nil }
        let entry = entries.values.first { "var." + $0.name == expression }
        return entry.flatMap { $0.text?.contains("{{") == true ? nil : $0.text }
    }

    // MARK: Blocks

    /// The blocks of all variables, those that were met on the way included.
    func blocks(hasAnnotations: Bool) -> (variables: String, locals: String) {
        var variables = ""
        var locals = ""
        for name in order {
            guard let entry = entries[name] else { continue }
            let sensitive = entry.isSensitive ? "  sensitive = true\n" : ""
            var calls = EngineCalls(entry.isLocal ? .local : .variable, self)
            let text = entry.text.map { calls.convert($0).hcl }
            variables += comment(entry.comment) + "variable \"\(entry.name)\" {\n  type = string\n"
            if entry.isLocal, let text {
                variables += "  default = null\n"
                let value = "var.\(entry.name) != null ? var.\(entry.name) : \(text)"
                locals += leftoverComment(calls.leftovers)
                locals += "local \"\(entry.name)\" {\n  expression = \(value)\n\(sensitive)}\n\n"
            } else if let text {
                variables += leftoverComment(calls.leftovers) + "  default = \(text)\n"
            }
            variables += "\(sensitive)}\n\n"
        }
        for (name, new) in environmentNames.sorted(by: { $0.value < $1.value }) {
            variables += "variable \"\(new)\" {\n  type = string\n  default = env(\(HCLText.quoted(name)))\n}\n\n"
        }
        guard hasAnnotations else { return (variables, locals) }
        return (
            variables.isEmpty
                ? "" : comment("Every variable of a JSON template is text; give them better types.") + variables,
            locals.isEmpty
                ? "" : comment("Values that are made of others. -var and -var-file still set the variable.") + locals
        )
    }

    private func comment(_ text: String) -> String { text.isEmpty ? "" : "# \(singleLine(text))\n" }
}

/// Comment lines about what was left in a text though it means nothing in HCL.
func leftoverComment(_ leftovers: [String]) -> String {
    leftovers.map { "# HCL has nothing in place of \(singleLine($0))\n" }.joined()
}

/// For a comment: a line break would end it.
func singleLine(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
}

/// An identifier of HCL that resembles the name.
func hclName(_ name: String) -> String {
    let plain = String(
        name.map { character in
            character.isASCII && (character.isLetter || character.isNumber || character == "-") ? character : "_"
        })
    return plain.first.map { $0.isLetter || $0 == "_" } ?? false ? plain : "_" + plain
}

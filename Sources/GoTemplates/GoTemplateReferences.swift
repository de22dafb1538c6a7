/// The fields that a Go template asks for, such as `Name` in `{{ .Name }}`; none for text that cannot be parsed.
package func templateFields(of text: String) -> Set<String> {
    // Such text is reported when it is read or rendered.
    (try? GoTemplateReferences(text))?.fields ?? []
}

/// What a template mentions anywhere in it: the variables it asks for by `user`, and fields of the data it is rendered with.
package struct GoTemplateReferences {
    /// Names that are written as literals, with their offset.
    package private(set) var users: [(name: String, offset: Int)] = []
    package private(set) var fields: Set<String> = []

    package init(_ text: String) throws(GoTemplateError) {
        guard text.contains("{{") else { return }
        walk(try GoTemplateParser.parse(text, functions: GoFunctions.names))
    }

    private mutating func walk(_ nodes: [GoNode]) {
        for node in nodes {
            switch node {
            case .text, .leave: break
            case .action(let pipeline): walk(pipeline)
            case .conditional(let pipeline, let then, let otherwise), .with(let pipeline, let then, let otherwise),
                .range(let pipeline, let then, let otherwise):
                walk(pipeline)
                walk(then)
                walk(otherwise)
            }
        }
    }

    private mutating func walk(_ pipeline: GoPipeline) {
        var piped: String?
        for command in pipeline.commands {
            if case .function("user")? = command.operands.first {
                if command.operands.count == 2, case .value(.string(let name)) = command.operands[1] {
                    users.append((name, command.offset))
                } else if command.operands.count == 1, let piped {
                    users.append((piped, command.offset))
                }
            }
            for operand in command.operands {
                switch operand {
                // `$` is the whole of the data.
                case .dot(let names), .variable("", let names): if let first = names.first { fields.insert(first) }
                case .pipeline(let inner, _): walk(inner)
                case .value, .variable, .function: break
                }
            }
            piped = nil
            if command.operands.count == 1, case .value(.string(let text)) = command.operands[0] { piped = text }
        }
    }
}

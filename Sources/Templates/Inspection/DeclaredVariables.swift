import HCL

/// The variables that a template declares, sorted by name, with what their descriptions say of them.
package func declaredVariables(_ options: LoadOptions) -> [(name: String, description: String)] {
    let variables: [(name: String, description: String)]
    switch ParsedTemplate(options).form {
    case .hcl(let configuration, _):
        let described = configuration.variableBlocks.map { block in
            (block.labels.first?.text ?? "", description(of: block))
        }
        let descriptions = Dictionary(described, uniquingKeysWith: { first, _ in first })
        variables = VariableLoader(configuration, options).names.map { ($0, descriptions[$0] ?? "") }
    case .legacy(let template, _, _): variables = template.variables.map { ($0.name, "") }
    case .broken: variables = []
    }
    return variables.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
}

private func description(of block: Block) -> String {
    let attribute = block.body.attributes.first { $0.name == "description" }
    if case .literal(.string(let text))? = attribute?.expression.kind { return text }
    return ""
}

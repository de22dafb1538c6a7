import Diagnostics
import HCL

/// What `inspect` prints: the values and builds of a template, as Packer lays them out.
///
/// What cannot be evaluated, perhaps for want of a variable's value, is unknown and worth a warning.
///
/// No data source is run: what they give is unknown.
package func inspectTemplate(_ options: LoadOptions) -> TemplateReport {
    var inspection = Inspection(options)
    inspection.values?.evaluate()
    return inspection.report
}

/// As `inspectTemplate`, with every data source run, as Packer does.
///
/// - Throws: `CancellationError` alone.
package func inspectTemplate(_ options: LoadOptions, running runner: any DataSourceRunner) async throws
    -> TemplateReport
{
    var inspection = Inspection(options)
    try await inspection.values?.evaluate(running: runner)
    return inspection.report
}

private struct Inspection {
    let template: ParsedTemplate
    /// Of an HCL template.
    var values: TemplateValues?

    init(_ options: LoadOptions) {
        template = ParsedTemplate(options)
        if case .hcl(let configuration, let found) = template.form {
            values = TemplateValues(configuration, found, options)
        }
    }

    var report: TemplateReport {
        switch template.form {
        case .broken: return template.report("")
        case .legacy(let legacy, let root, _):
            var report = template.report(inspect(legacy, root))
            report.facts = facts(of: legacy)
            return report
        case .hcl(let configuration, _):
            guard let values else { return template.report("") }
            let reader = BuildReader(
                configuration, values.scope,
                BodyEvaluator(environment: values.environment, localNames: values.localNames))
            var text = "Packer Inspect: HCL2 mode\n\n" + values.variableLines + values.localLines + "> builds:\n\n"
            for (index, (build, block)) in zip(reader.builds, configuration.builds).enumerated() {
                text += inspect(build, block, index, values)
            }
            return template.report(
                text, adding: values.diagnostics + reader.evaluator.diagnostics.map(\.tolerated), files: values.files,
                secrets: values.secrets)
        }
    }
}

private func inspect(_ build: BuildBlock, _ block: Block, _ index: Int, _ values: TemplateValues) -> String {
    var text = "  > \(build.name.isEmpty ? "<unnamed build \(index)>" : values.secrets.redacted(build.name)):\n\n"
    if let description = value(of: "description", in: block.body, values.scope, values.secrets) {
        text += "  > Description: \(description)\n\n"
    }
    func title(_ component: ExpandedBlock) -> String {
        let name = value(of: "name", in: component.body, component.scope, values.secrets)
        return component.labels[0].text + (name.map { "." + $0 } ?? "")
    }
    let sources = build.uses.map { "      \($0.source.type).\($0.source.name)\n" }
    text += "    sources:\n\n"
    text += sources.isEmpty ? "      <no source>\n\n" : sources.map { $0 + "\n" }.joined()
    text += "    provisioners:\n\n"
    text += build.provisioners.isEmpty ? "      <no provisioner>\n" : ""
    text += build.provisioners.map { "      \(title($0))\n" }.joined() + "\n"
    let chains = build.postProcessors.enumerated().map { index, chain in
        "      \(index):\n" + chain.map { "        \(title($0))\n" }.joined()
    }
    text += "    post-processors:\n\n"
    text += chains.isEmpty ? "      <no post-processor>\n\n" : chains.map { $0 + "\n" }.joined()
    return text
}

/// The text of an attribute; nil if it is missing, empty, or known in a run only.
private func value(of name: String, in body: Body, _ scope: Scope, _ secrets: SecretCollection) -> String? {
    guard let attribute = body.attributes.first(where: { $0.name == name }) else { return nil }
    let value = Evaluation.evaluate(attribute.expression, scope).value
    if value.containsSensitive { return "<sensitive>" }
    guard let text = value.optionValue.text, !text.isEmpty else { return nil }
    return secrets.redacted(text)
}

// MARK: JSON templates

private func inspect(_ template: LegacyTemplate, _ root: JSONNode) -> String {
    let secrets = secrets(of: template)
    var text = "Packer Inspect: JSON mode\n"
    let description = root.members?.first { $0.name.lowercased() == "description" }?.value.text
    if let description, !description.isEmpty { text += "Description:\n\n\(description)\n\n" }
    text += variableLists(template) + "Builders:\n\n"
    let width = template.builders.map(\.name.count).max() ?? 0
    for builder in template.builders.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
        let type = builder.name == builder.type ? "" : " (\(builder.type))"
        text += "  \(padded(builder.name, width))\(type)\n"
    }
    if template.builders.isEmpty { text += "  <No builders>\n" }
    text += "\nProvisioners:\n\n"
    for provisioner in template.provisioners { text += "  \(provisioner.type)\n" }
    if template.provisioners.isEmpty { text += "  <No provisioners>\n" }
    text += "\nNames are shown as they are written: variables and functions in them are rendered by a build.\n"
    return secrets.redacted(text)
}

private func secrets(of template: LegacyTemplate) -> SecretCollection {
    var secrets = SecretCollection()
    let sensitive = Set(template.sensitive.compactMap(\.text))
    for variable in template.variables where sensitive.contains(variable.name) {
        if let text = variable.value?.text { secrets.insert(text) }
    }
    return secrets
}

/// Names and defaults of variables with 1 for those that need a value, names and types of builders, types of provisioners.
private func facts(of template: LegacyTemplate) -> [(type: String, data: [String])] {
    func sorted<Item>(_ items: [Item], by name: (Item) -> String) -> [Item] {
        items.sorted { name($0).utf8.lexicographicallyPrecedes(name($1).utf8) }
    }
    let secrets = secrets(of: template)
    let variables =
        sorted(template.variables.filter { $0.value == nil }, by: \.name)
        + sorted(template.variables.filter { $0.value != nil }, by: \.name)
    return variables.map { variable in
        let value = secrets.redacted(variable.value?.text ?? "")
        return ("template-variable", [variable.name, value, variable.value == nil ? "1" : "0"])
    } + sorted(template.builders, by: \.name).map { ("template-builder", [$0.name, $0.type]) }
        + template.provisioners.map { ("template-provisioner", [$0.type]) }
}

private func variableLists(_ template: LegacyTemplate) -> String {
    let variables = template.variables.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    if variables.isEmpty { return "Variables:\n\n  <No variables>\n\n" }
    var text = ""
    let required = variables.filter { $0.value == nil }
    if !required.isEmpty {
        text += "Required variables:\n\n" + required.map { "  \($0.name)\n" }.joined() + "\n"
    }
    let optional = variables.filter { $0.value != nil }
    if !optional.isEmpty {
        let width = variables.map(\.name.count).max() ?? 0
        text += "Optional variables and their defaults:\n\n"
        text += optional.map { "  \(padded($0.name, width)) = \($0.value?.text ?? "")\n" }.joined() + "\n"
    }
    return text
}

private func padded(_ name: String, _ width: Int) -> String {
    name + String(repeating: " ", count: max(0, width - name.count))
}

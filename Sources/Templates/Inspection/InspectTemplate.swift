import Diagnostics
import HCL

/// What `inspect` prints: the values and builds of a template, as Packer lays them out.
///
/// What cannot be evaluated, perhaps because a variable has no value, is unknown and worth a warning.
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
            let records = inspect(legacy, root)
            let text = records.map { if case .say(let text) = $0 { text + "\n" } else { "" } }.joined()
            var report = template.report(text)
            if !report.diagnostics.hasErrors { report.records = records }
            return report
        case .hcl(let configuration, _):
            guard let values else { return template.report("") }
            var reader = BuildReader(
                configuration, values.scope,
                BodyEvaluator(environment: values.environment, localNames: values.localNames))
            var text = "Packer Inspect: HCL2 mode\n\n" + values.variableLines + values.localLines + "> builds:\n\n"
            for (index, (build, block)) in zip(reader.builds, configuration.builds).enumerated() {
                let components = reader.components(of: block, source: .unknownSource)
                text += inspect(build, components, block, index, values)
            }
            // A block is looked at for each source.
            var seen: Set<Diagnostic> = []
            let problems = reader.evaluator.diagnostics.filter { seen.insert($0).inserted }.map(\.tolerated)
            return template.report(
                text, adding: values.diagnostics + problems, files: values.files, secrets: values.secrets)
        }
    }
}

private func inspect(
    _ build: BuildBlock, _ components: BuildComponents, _ block: Block, _ index: Int, _ values: TemplateValues
) -> String {
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
    text += components.provisioners.isEmpty ? "      <no provisioner>\n" : ""
    text += components.provisioners.map { "      \(title($0))\n" }.joined() + "\n"
    let chains = components.postProcessors.enumerated().map { index, chain in
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

/// Facts are names and defaults of variables, with 1 for those that need a value, names and types of builders, and types
/// of provisioners.
private func inspect(_ template: LegacyTemplate, _ root: JSONNode) -> [TemplateReport.Record] {
    let secrets = secrets(of: template)
    func say(_ text: String) -> TemplateReport.Record { .say(secrets.redacted(text)) }
    var records = [say("Packer Inspect: JSON mode")]
    let description = root.members?.first { $0.name.lowercased() == "description" }?.value.text
    if let description, !description.isEmpty { records += [say("Description:\n"), say(description + "\n")] }
    records += inspectVariables(of: template, secrets)
    records.append(say("Builders:\n"))
    let width = template.builders.map(\.name.count).max() ?? 0
    for builder in sorted(template.builders, by: \.name) {
        let type = builder.name == builder.type ? "" : " (\(builder.type))"
        records.append(.fact(type: "template-builder", data: [builder.name, builder.type]))
        records.append(say("  \(padded(builder.name, width))\(type)"))
    }
    if template.builders.isEmpty { records.append(say("  <No builders>")) }
    records += [say(""), say("Provisioners:\n")]
    for provisioner in template.provisioners {
        records += [
            .fact(type: "template-provisioner", data: [provisioner.type]), say("  \(provisioner.type)"),
        ]
    }
    if template.provisioners.isEmpty { records.append(say("  <No provisioners>")) }
    let note = "Names are shown as they are written: variables and functions in them are rendered by a build."
    return records + [say("\n" + note)]
}

private func inspectVariables(
    of template: LegacyTemplate, _ secrets: SecretCollection
) -> [TemplateReport.Record] {
    let variables = sorted(template.variables, by: \.name)
    if variables.isEmpty { return [.say("Variables:\n"), .say("  <No variables>"), .say("")] }
    var records: [TemplateReport.Record] = []
    let required = variables.filter { $0.value == nil }
    if !required.isEmpty {
        records.append(.say("Required variables:\n"))
        for variable in required {
            records += [.fact(type: "template-variable", data: [variable.name, "", "1"]), .say("  \(variable.name)")]
        }
        records.append(.say(""))
    }
    let optional = variables.filter { $0.value != nil }
    if !optional.isEmpty {
        records.append(.say("Optional variables and their defaults:\n"))
        let width = variables.map(\.name.count).max() ?? 0
        for variable in optional {
            let value = secrets.redacted(variable.value?.text ?? "")
            records += [
                .fact(type: "template-variable", data: [variable.name, value, "0"]),
                .say("  \(padded(variable.name, width)) = \(value)"),
            ]
        }
        records.append(.say(""))
    }
    return records
}

private func sorted<Item>(_ items: [Item], by name: (Item) -> String) -> [Item] {
    items.sorted { name($0).utf8.lexicographicallyPrecedes(name($1).utf8) }
}

private func secrets(of template: LegacyTemplate) -> SecretCollection {
    var secrets = SecretCollection()
    let sensitive = Set(template.sensitive.compactMap(\.text))
    for variable in template.variables where sensitive.contains(variable.name) {
        if let text = variable.value?.text { secrets.insert(text) }
    }
    return secrets
}

private func padded(_ name: String, _ width: Int) -> String {
    name + String(repeating: " ", count: max(0, width - name.count))
}

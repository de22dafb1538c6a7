import ComponentModel
import Diagnostics
import GoTemplates
import HCL

/// Turns the options of one JSON component into what the decoders read: strings rendered, names as in the tables,
/// objects as blocks where the tables have blocks, old options as `packer fix` writes them.
struct LegacyOptions {
    private(set) var diagnostics: [Diagnostic] = []
    private let variables: LegacyVariables
    private var context: TemplateContext
    /// What `{{ .Key }}` gives in options that are rendered now; empty for builders, which know nothing of a run.
    private let data: [String: String]
    private let isBeforeRun: Bool

    /// For a provisioner or post-processor, with the values of the run; nil before it.
    init(_ variables: LegacyVariables, _ context: TemplateContext, run: RunData?) {
        self.variables = variables
        self.context = context
        data = run?.templateData ?? RunData.placeholders
        self.context.runData = data
        isBeforeRun = run == nil
    }

    /// For a builder.
    init(_ variables: LegacyVariables, _ context: TemplateContext) {
        self.variables = variables
        self.context = context
        data = [:]
        isBeforeRun = true
    }

    /// The component's options, with those of `overrides` in place of its own.
    mutating func body(
        _ component: LegacyTemplate.Component, _ specs: [Option], overrides: [JSONNode.Member] = []
    ) -> OptionBody {
        let replaced = Set(overrides.map { $0.name.lowercased() })
        let own = component.options.filter { !replaced.contains($0.name.lowercased()) }
        var body = body(own + overrides, specs, header: component.typeRange)
        diagnostics += LegacyFixes.apply(to: &body.options, of: component)
        return body
    }

    private mutating func body(_ members: [JSONNode.Member], _ specs: [Option], header: SourceRange) -> OptionBody {
        var body = OptionBody(header: header, syntax: .json)
        let table = Dictionary(specs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for member in members {
            if member.name.hasPrefix("packer_") { continue }
            if member.name.hasPrefix("_") {
                report(
                    "comment", severity: .warning, "Packer knows comments only at the top of a template",
                    "“\(member.name)” is ignored here; Packer refuses it.", member.nameRange)
                continue
            }
            // Names are matched without regard to case.
            let spec = table[member.name] ?? table[member.name.lowercased()]
            if let spec, case .block(let inner) = spec.kind, let objects = Self.objects(member.value) {
                for object in objects {
                    body.blocks.append(
                        OptionBody.Block(
                            name: spec.name, header: member.nameRange,
                            body: self.body(object, inner, header: member.nameRange)))
                }
                continue
            }
            body.options.append(
                OptionBody.Option(
                    name: spec?.name ?? member.name, nameRange: member.nameRange,
                    value: spec == nil ? .unknown : value(member.value, isLate: spec?.isLate ?? false),
                    valueRange: member.value.range, elementRanges: member.value.elements?.map(\.range) ?? []))
        }
        return body
    }

    private static func objects(_ node: JSONNode) -> [[JSONNode.Member]]? {
        if let members = node.members { return [members] }
        let objects = node.elements?.compactMap(\.members)
        return objects?.count == node.elements?.count ? objects : nil
    }

    // MARK: Values

    /// The value with every string rendered once, however deep; keys are not. Late ones must only be templates.
    mutating func value(_ node: JSONNode, isLate: Bool = false) -> OptionValue {
        switch node.kind {
        case .string(let text): return rendered(text, node, isLate: isLate)
        case .array(let elements): return .list(elements.map { value($0, isLate: isLate) })
        case .object(let members):
            let entries = members.map { OptionValue.Entry(key: $0.name, value: value($0.value, isLate: isLate)) }
            return .map(entries.sorted { $0.key < $1.key })
        default: return OptionValue(node)
        }
    }

    private mutating func rendered(_ written: String, _ node: JSONNode, isLate: Bool) -> OptionValue {
        guard written.contains("{{") else { return .string(written) }
        do {
            let references = try GoTemplateReferences(written)
            for user in references.users { checkUser(user.name, node.range(ofOffset: user.offset)) }
            if references.users.contains(where: { variables.undecided.contains($0.name) }) { return .unknown }
            if isLate { return .string(written) }
            let text = LegacyFixes.withoutCreateTime(written, references, at: node.range, &diagnostics)
            checkFields(references.fields, node)
            let rendered = try renderTemplateOnce(text, data: data, context: context)
            if isBeforeRun, rendered.contains("<no value>"), !text.contains("<no value>") {
                report(
                    "no-value", severity: .warning, "A {{ }} marker has no value here",
                    "It renders as <no value>. What is known when a build runs is not known in this option.",
                    node.range)
            }
            return .string(rendered)
        } catch {
            report(
                "template-syntax", "This is not a template that can be rendered",
                "\(error.message.endingInStop) Text is rendered as a Go template; to keep {{ as text write {{`{{`}}.",
                node.range(ofOffset: error.offset))
            return .unknown
        }
    }

    private mutating func checkUser(_ name: String, _ range: SourceRange) {
        guard isBeforeRun, variables.values[name] == nil, !variables.undecided.contains(name) else { return }
        let hint = suggestion(for: name, among: variables.values.keys).map { "Did you mean \"\($0)\"? " } ?? ""
        report(
            "undefined-variable", severity: .warning, "There is no variable “\(name)”",
            hint + "It gives empty text. Declare it under \"variables\".", range)
    }

    /// Packer fills fields of the run only where it renders late; elsewhere the function `build` gives them.
    private mutating func checkFields(_ fields: Set<String>, _ node: JSONNode) {
        guard isBeforeRun, let field = RunData.keys.first(where: { fields.contains($0) && $0 != "WinRMPassword" }),
            data[field] != nil
        else { return }
        report(
            "run-field", severity: .warning, "Packer has no {{ .\(field) }} here",
            "Ingot fills it in; write {{ build `\(field)` }} to be understood by both.", node.range)
    }

    private mutating func report(
        _ id: String, severity: Diagnostic.Severity = .error, _ summary: String, _ detail: String, _ range: SourceRange
    ) {
        diagnostics.append(
            Diagnostic(id: "template/" + id, severity: severity, summary: summary, detail: detail, subject: range))
    }
}

import ComponentModel
import Diagnostics
import GoTemplates
import HCL

/// What `packer` blocks ask for: a version, and plugins.
struct PackerBlock {
    /// Sources by the name that templates use for the plugin: `qemu` to `github.com/hashicorp/qemu`.
    private(set) var plugins: [String: String] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private var places: [String: SourceRange] = [:]

    init(_ blocks: [Block]) {
        for block in blocks {
            for attribute in block.body.attributes {
                if attribute.name == "required_version" {
                    checkVersion(attribute)
                } else {
                    diagnostics.append(
                        .unsupported(attribute, in: "packer", BlockSpec.packer.names + ["required_plugins"]))
                }
            }
            for inner in block.body.blocks {
                if inner.type == "required_plugins" {
                    for plugin in inner.body.attributes { add(plugin) }
                    for block in inner.body.blocks {
                        diagnostics.append(
                            Diagnostic(
                                id: "template/unsupported-block",
                                summary: "A required plugin is written with an equals sign",
                                detail: "Write \(block.type) = { source = \"…\", version = \"…\" }.",
                                subject: block.typeRange))
                    }
                } else {
                    diagnostics.append(.unsupported(inner, in: "packer", ["required_plugins"]))
                }
            }
        }
    }

    private mutating func checkVersion(_ attribute: Attribute) {
        let result = Evaluation.evaluate(attribute.expression, .literals)
        diagnostics += result.diagnostics
        guard !result.diagnostics.hasErrors else { return }
        guard let text = result.value.optionValue.text, let constraint = VersionConstraint(text) else {
            diagnostics.append(
                Diagnostic(
                    id: "template/invalid-version", summary: "required_version is not a version constraint",
                    detail: "Write it like \">= 1.7.0\" or \">= 1.7.0, < 2.0.0\".", subject: attribute.expression.range)
            )
            return
        }
        guard let version = Version(compatibilityVersion), !constraint.allows(version) else { return }
        let isNewer = constraint.needsNewer(than: version)
        diagnostics.append(
            Diagnostic(
                id: "template/unsupported-version", severity: isNewer ? .error : .warning,
                summary: isNewer
                    ? "The template needs a newer Packer than \(compatibilityVersion)"
                    : "The template excludes Packer \(compatibilityVersion)",
                detail:
                    "required_version is \"\(text)\", and Ingot reads templates as Packer \(compatibilityVersion) does."
                    + (isNewer ? "" : " The template is used all the same."),
                subject: attribute.expression.range))
    }

    private mutating func add(_ plugin: Attribute) {
        if let first = places[plugin.name] {
            diagnostics.append(
                Diagnostic(
                    id: "template/duplicate", summary: "The plugin \(plugin.name) is required twice",
                    detail: "Remove one of them.", subject: plugin.nameRange,
                    notes: [Diagnostic.Note("first required here", at: first)]))
            return
        }
        places[plugin.name] = plugin.nameRange
        let result = Evaluation.evaluate(plugin.expression, .literals)
        diagnostics += result.diagnostics
        guard !result.diagnostics.hasErrors else { return }
        guard case .map(let entries) = result.value.optionValue else {
            complain("The plugin \(plugin.name) is not described by an object", plugin)
            return
        }
        for entry in entries where !BlockSpec.requiredPlugin.names.contains(entry.key) {
            complain("A required plugin has no option “\(entry.key)”", plugin)
        }
        func text(_ key: String) -> String? { entries.first { $0.key == key }?.value.text }
        if let source = text("source") { plugins[plugin.name] = source }
        checkSource(text("source"), plugin)
        checkConstraint(text("version"), plugin)
    }

    private mutating func checkSource(_ source: String?, _ plugin: Attribute) {
        guard let source else {
            complain("The plugin \(plugin.name) has no source", plugin)
            return
        }
        let parts = source.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count < 3 || parts.count > 16 || source.contains(where: { ":?#".contains($0) })
            || parts.contains(where: \.isEmpty) || parts.last?.hasPrefix("packer-") ?? false
        {
            complain(
                "“\(source)” is not the source of a plugin", plugin, key: "source",
                "A source is HOST/OWNER/NAME, such as \"github.com/hashicorp/\(plugin.name)\".")
        }
    }

    private mutating func checkConstraint(_ version: String?, _ plugin: Attribute) {
        guard let version else {
            complain("The plugin \(plugin.name) has no version constraint", plugin)
            return
        }
        guard let constraint = VersionConstraint(version), !constraint.hasPrerelease else {
            complain(
                "“\(version)” is not a version constraint", plugin, key: "version",
                "Write it like \">= 1.0.0\" or \"~> 1.1\".")
            return
        }
    }

    /// Points at the value of `key`, where it is written out.
    private mutating func complain(
        _ summary: String, _ plugin: Attribute, key: String = "", _ advice: String? = nil
    ) {
        var place = plugin.expression.range
        if case .object(let items) = plugin.expression.kind {
            let names = items.map { $0.key.keyword ?? Evaluation.evaluate($0.key, .literals).value.stringValue }
            if let index = names.firstIndex(of: key) { place = items[index].value.range }
        }
        diagnostics.append(
            Diagnostic(
                id: "template/required-plugin", summary: summary,
                detail: advice
                    ?? "Write \(plugin.name) = { source = \"github.com/hashicorp/\(plugin.name)\", version = \">= 1.0.0\" }.",
                subject: place))
    }
}

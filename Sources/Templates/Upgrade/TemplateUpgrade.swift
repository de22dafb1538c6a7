import ComponentModel
import Diagnostics
import GoTemplates
import HCL

/// Writes a JSON template in HCL. The builds keep their names, and with them the names of their files.
struct TemplateUpgrade {
    private let template: LegacyTemplate
    private let comments: [String]
    private let description: String?
    private let hasAnnotations: Bool
    private let variables: UpgradeVariables
    private let builders: [Builder]

    /// A builder under its names in HCL.
    private struct Builder {
        var component: LegacyTemplate.Component
        /// With variables at their defaults.
        var name: String
        /// The name of the source block.
        var label: String

        /// As `only` and `except` have it.
        var key: String { "\(component.type).\(name)" }
    }

    /// `root` is the template as it was written; comments and the description are taken from it.
    init(_ template: LegacyTemplate, _ root: JSONNode, _ options: LoadOptions, hasAnnotations: Bool) {
        self.template = template
        self.hasAnnotations = hasAnnotations
        variables = UpgradeVariables(template)
        comments = (root.members ?? []).filter { $0.name.hasPrefix("_") }.compactMap(\.value.text)
        description = root.members?.first { $0.name.lowercased() == "description" }?.value.text
        builders = Self.builders(template, options)
    }

    private static func builders(_ template: LegacyTemplate, _ options: LoadOptions) -> [Builder] {
        let values = LegacyVariables(template, options, directory: options.workingDirectory).values
        let context = TemplateContext(
            templateDirectory: options.workingDirectory, workingDirectory: options.workingDirectory,
            startTime: options.startTime, user: values)
        var labels: Set<String> = []
        var builders: [Builder] = template.builders.map { component in
            // A name that cannot be rendered is one all the same.
            let name = (try? renderTemplateOnce(component.name, data: [:], context: context)) ?? component.name
            return Builder(component: component, name: name, label: "")
        }
        // The order in which JSON templates are built.
        builders.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for index in builders.indices {
            let plain = hclName(builders[index].name)
            var label = plain
            var number = 2
            while !labels.insert("\(builders[index].component.type).\(label)").inserted {
                label = "\(plain)_\(number)"
                number += 1
            }
            builders[index].label = label
        }
        return builders
    }

    // MARK: Blocks

    mutating func text() -> String {
        let sources = builders.map(source).joined()
        let build = build()
        // Last, since the others may ask for variables that are not declared.
        let (declared, locals) = variables.blocks(hasAnnotations: hasAnnotations)
        let comments = comments.map { $0.split(separator: "\n").map { "# \($0)\n" }.joined() }.joined()
        var text = comments.isEmpty ? "" : comments + "\n"
        text += packer() + declared + locals
        text += annotation("Sources are what builders were. A build block builds them.") + sources
        text += annotation("Provisioners run in this order on each source; post-processors on what comes of it.")
        return format(text + build)
    }

    private func annotation(_ text: String) -> String { hasAnnotations ? "# \(text)\n" : "" }

    private func packer() -> String {
        var body = ""
        if let version = template.minimumVersion?.text, !version.isEmpty {
            body += "  required_version = \(HCLText.quoted(">= " + version))\n"
        }
        let components =
            template.builders + template.provisioners + (template.errorCleanup.map { [$0] } ?? [])
            + template.postProcessors.joined()
        let plugins = UpgradePlugins.needed(by: components.map(\.type))
        if !plugins.isEmpty {
            body += "  required_plugins {\n"
            for plugin in plugins {
                body += "    \(plugin.name) = {\n      source = \"\(plugin.source)\"\n"
                body += "      version = \"\(plugin.version)\"\n    }\n"
            }
            body += "  }\n"
        }
        guard !body.isEmpty else { return "" }
        return annotation("`packer init` installs these plugins; Ingot has what it needs built in.")
            + "packer {\n\(body)}\n\n"
    }

    private func source(_ builder: Builder) -> String {
        var options = UpgradeOptions(.source, variables)
        let component = builder.component
        var lines = options.lines(component.options, component.family.builtIn[component.type])
        if component.type == "qemu", builder.label != builder.name {
            // The defaults, which go by the name of the builder.
            let given = Set(component.options.map { $0.name.lowercased() })
            for (option, prefix) in [("vm_name", "packer-"), ("output_directory", "output-")]
            where !given.contains(option) {
                lines += "\(option) = \(HCLText.quoted(prefix + builder.name))\n"
            }
        }
        return "source \"\(component.type)\" \"\(builder.label)\" {\n\(lines)}\n\n"
    }

    private func build() -> String {
        var text = "build {\n"
        if let description { text += "description = \(HCLText.quoted(description))\n\n" }
        if builders.allSatisfy({ $0.label == $0.name }) {
            let names = builders.map { "\"source.\($0.component.type).\($0.label)\"" }
            text +=
                names.count < 3
                ? "sources = [\(names.joined(separator: ", "))]\n"
                : "sources = [\n\(names.joined(separator: ",\n")),\n]\n"
        } else {
            for builder in builders {
                text += "source \"source.\(builder.component.type).\(builder.label)\" {\n"
                if builder.label != builder.name { text += "name = \(HCLText.quoted(builder.name))\n" }
                text += "}\n"
            }
        }
        for provisioner in template.provisioners { text += "\n" + block("provisioner", provisioner) }
        if let cleanup = template.errorCleanup { text += "\n" + block("error-cleanup-provisioner", cleanup) }
        for chain in template.postProcessors {
            let blocks = chain.map { block("post-processor", $0) }
            text += "\n" + (blocks.count == 1 ? blocks[0] : "post-processors {\n\(blocks.joined(separator: "\n"))}\n")
        }
        return text + "}\n"
    }

    // MARK: Provisioners and post-processors

    private func block(_ word: String, _ component: LegacyTemplate.Component) -> String {
        var meta = UpgradeOptions(.local, variables)
        var text = "\(word) \(HCLText.quoted(component.type)) {\n"
        if component.family.word == "post-processor", component.name != component.type {
            text += "name = \(HCLText.quoted(component.name))\n"
        }
        for member in component.meta where member.value.kind != .null {
            let name = member.name.lowercased()
            switch name {
            case "only", "except":
                let names = (member.value.elements ?? [member.value]).compactMap(\.text)
                let keys = names.map { HCLText.quoted(builder($0)?.key ?? $0) }
                text += "\(name) = [\(keys.joined(separator: ", "))]\n"
            case "pause_before", "timeout": text += "\(name) = \(meta.expression(member.value, .duration))\n"
            case "max_retries": text += "\(name) = \(meta.expression(member.value, .int))\n"
            default: text += "\(name) = \(meta.expression(member.value, .bool))\n"
            }
        }
        let specs = component.family.builtIn[component.type]
        var options = UpgradeOptions(.run, variables)
        text += options.lines(component.options, specs)
        if !component.overrides.isEmpty {
            text += "override = {\n"
            for override in component.overrides {
                let name = builder(override.builder)?.name ?? override.builder
                text += "\(HCLText.key(name)) = \(meta.object(override.options, specs))\n"
            }
            text += "}\n"
        }
        return text + "}\n"
    }

    /// By its name as it is written, which may be the type that it had before it was fixed.
    private func builder(_ name: String) -> Builder? {
        builders.first { $0.component.name == name }
            ?? BuilderFixes.types[name].flatMap { type in builders.first { $0.component.name == type } }
    }
}

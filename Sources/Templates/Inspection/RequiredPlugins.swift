import ComponentModel
import Diagnostics
import HCL

/// A plugin that a template asks for, and which of its components are built in.
struct RequiredPlugin {
    var name: String
    var source: String
    var version: String
    /// `source qemu` and the like, sorted.
    var builtIn: [String] = []
    var missing: [String] = []
    /// Those of the missing that the template uses.
    var missed: [String] = []

    private static let families = [
        KnownComponents.sources, KnownComponents.provisioners, KnownComponents.postProcessors,
        KnownComponents.dataSources,
    ]

    /// - Parameter used: The components that the template uses.
    init(
        name: String, source: String, version: String, among used: [(family: String, type: String)],
        _ resolver: ComponentResolver = ComponentResolver(plugins: nil)
    ) {
        self.name = name
        self.source = source
        self.version = version
        find(used, resolver)
    }

    /// In order of appearance.
    static func all(in configuration: Configuration, _ packer: PackerBlock) -> [RequiredPlugin] {
        let used = usedComponents(configuration)
        let entries = configuration.packer.flatMap(\.body.blocks).flatMap(\.body.attributes)
        return entries.compactMap { entry in
            guard let source = packer.plugins[entry.name] else { return nil }
            var version = ""
            if case .map(let options) = Evaluation.evaluate(entry.expression, .literals).value.optionValue {
                version = options.first { $0.key == "version" }?.value.text ?? ""
            }
            return RequiredPlugin(
                name: entry.name, source: source, version: version, among: used,
                ComponentResolver(plugins: packer.plugins))
        }
    }

    /// A plugin's components carry its name, alone or before a dash; in the template they carry the name it has there.
    private mutating func find(_ used: [(family: String, type: String)], _ resolver: ComponentResolver) {
        func belongs(_ type: String, to plugin: String) -> Bool { type == plugin || type.hasPrefix(plugin + "-") }
        let ownName = source.split(separator: "/").last.map(String.init) ?? name
        for family in Self.families {
            var types = family.known.union(family.builtIn.keys).filter { belongs($0, to: ownName) }
            for use in used where use.family == family.word && belongs(use.type, to: name) {
                let type = resolver.canonical(use.type, family)
                if family.builtIn[type] == nil { missed.append("\(family.word) \(type)") }
                types.insert(type)
            }
            builtIn += types.filter { family.builtIn[$0] != nil }.sorted().map { "\(family.word) \($0)" }
            missing += types.filter { family.builtIn[$0] == nil }.sorted().map { "\(family.word) \($0)" }
        }
    }

    private static func usedComponents(_ configuration: Configuration) -> [(family: String, type: String)] {
        var used = configuration.sources.values.map { (family: "source", type: $0.type) }
        used += configuration.dataSources.values.map { (family: "data source", type: $0.type) }
        for block in configuration.builds.flatMap(\.body.blocks) {
            for inner in [block] + block.body.blocks {
                guard let label = inner.labels.first else { continue }
                switch inner.type {
                case "provisioner", "error-cleanup-provisioner": used.append(("provisioner", label.text))
                case "post-processor": used.append(("post-processor", label.text))
                default: break
                }
            }
        }
        return used
    }

    /// `built into Ingot: source qemu`.
    var standing: String {
        let built = builtIn.joined(separator: ", ")
        let lacking = missing.joined(separator: ", ")
        switch (builtIn.isEmpty, missing.isEmpty) {
        case (false, true): return "built into Ingot: \(built)"
        case (false, false): return "built into Ingot: \(built); not built in: \(lacking)"
        case (true, false): return "not built into Ingot: \(lacking)"
        case (true, true): return "not built into Ingot"
        }
    }
}

/// What `init` prints: whether the plugins that a template requires are built in. Nothing is downloaded.
package func checkRequiredPlugins(_ options: LoadOptions) -> TemplateReport {
    report(options) { plugins in
        var text = plugins.map { "\($0.name) (\($0.source)): \($0.standing)\n" }.joined()
        text += "There is nothing to install: Ingot has its components built in.\n"
        let missed = Set(plugins.flatMap(\.missed)).sorted()
        if !missed.isEmpty {
            text += "A build of this template cannot start: it uses \(missed.joined(separator: ", ")).\n"
        }
        return text
    }
}

/// What `plugins required` prints: a line for each plugin with its name, source and version constraint.
package func listRequiredPlugins(_ options: LoadOptions) -> TemplateReport {
    report(options) { plugins in
        plugins.map { "\($0.name) \($0.source) \(goQuoted($0.version)) \($0.standing)\n" }.joined()
    }
}

private func report(_ options: LoadOptions, _ describe: ([RequiredPlugin]) -> String) -> TemplateReport {
    let template = ParsedTemplate(options)
    switch template.form {
    case .broken: return template.report("")
    case .legacy: return template.report("A JSON template requires no plugins; what it uses is found by its type.\n")
    case .hcl(let configuration, _):
        let packer = PackerBlock(configuration.packer)
        let plugins = RequiredPlugin.all(in: configuration, packer)
        let text = plugins.isEmpty ? "The template requires no plugins.\n" : describe(plugins)
        return template.report(text, adding: packer.diagnostics)
    }
}

/// What `plugins install` reports about a plugin, by its source.
package func describePlugin(_ source: String) -> (standing: String, isBuiltIn: Bool) {
    let name = source.split(separator: "/").last.map(String.init) ?? source
    let plugin = RequiredPlugin(name: name, source: source, version: "", among: [])
    return (plugin.standing, !plugin.builtIn.isEmpty)
}

/// What `plugins installed` prints: everything that is built in.
package func listBuiltInComponents() -> String {
    let families = [
        KnownComponents.sources, KnownComponents.provisioners, KnownComponents.postProcessors,
        KnownComponents.dataSources,
    ]
    return families.flatMap { family in family.builtIn.keys.sorted().map { "\(family.word) \($0)\n" } }.joined()
}

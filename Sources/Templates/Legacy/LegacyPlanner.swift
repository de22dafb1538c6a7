import ComponentModel
import Diagnostics
import GoTemplates
import HCL

/// Turns the builders of a JSON template into plans.
struct LegacyPlanner {
    private(set) var shared: ComponentPlanner
    private let options: LoadOptions
    private let template: LegacyTemplate
    private let variables: LegacyVariables
    private let base: TemplateContext

    /// `directory` is the template's, absolute.
    init(_ shared: ComponentPlanner, _ template: LegacyTemplate, _ variables: LegacyVariables, directory: String) {
        self.shared = shared
        options = shared.options
        self.template = template
        self.variables = variables
        base = TemplateContext(
            templateDirectory: directory, workingDirectory: options.workingDirectory, startTime: options.startTime,
            user: variables.values)
    }

    mutating func plan() -> [PlannedBuild] {
        checkTemplate()
        var builds = template.builders.map { (name: renderedName(of: $0), builder: $0) }
        builds.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for (first, second) in zip(builds, builds.dropFirst()) where first.name == second.name {
            // Names that are the same as written were reported already.
            guard first.builder.name != second.builder.name else { continue }
            shared.report(
                Diagnostic(
                    id: "template/duplicate", summary: "Two builders are called “\(second.name)”",
                    detail: "Their names are the same once they are rendered.", subject: second.builder.nameRange,
                    notes: [Diagnostic.Note("the other one", at: first.builder.nameRange)]))
        }
        var selection = BuildSelection(options, isExact: true)
        selection.reportUnmatched(
            among: builds.map(\.name),
            postProcessors: Set(template.postProcessors.joined().flatMap { [$0.type, $0.name] }))
        var planned: [PlannedBuild] = []
        var selected = 0
        for (name, builder) in builds where selection.includes(name) {
            selected += 1
            if shared.isBuilt(
                builder.type, at: builder.typeRange, name: Self.shownName(name, builder.type), usedAt: builder.typeRange
            ) {
                planned.append(plan(builder, name, selection))
            }
        }
        selection.reportNothing(selected: selected, of: builds.map(\.name))
        shared.report(selection.diagnostics)
        shared.reportSkipped(leaving: planned.count)
        return planned
    }

    private static func shownName(_ name: String, _ type: String) -> String {
        name == type ? name : "\(type).\(name)"
    }

    private mutating func renderedName(of builder: LegacyTemplate.Component) -> String {
        var reader = LegacyOptions(variables, base)
        let value = reader.value(JSONNode(kind: .string(builder.name), range: builder.nameRange))
        shared.report(reader.diagnostics)
        return value.text ?? builder.name
    }

    // MARK: Checks

    private mutating func checkTemplate() {
        if template.builders.isEmpty, !shared.diagnostics.hasErrors {
            shared.report(
                Diagnostic(
                    id: "template/no-build", summary: "The template has no builder",
                    detail: "Write \"builders\": [{ \"type\": \"qemu\", … }].", subject: template.range))
        }
        checkVersion()
        let cleanup = template.errorCleanup.map { [$0] } ?? []
        for component in template.provisioners + cleanup + template.postProcessors.joined() {
            for member in component.meta where ["only", "except"].contains(member.name.lowercased()) {
                for node in member.value.elements ?? [member.value] {
                    if let name = node.text { checkBuilder(name, node.range, member.name) }
                }
            }
            for override in component.overrides { checkBuilder(override.builder, override.builderRange, "override") }
        }
    }

    /// Names are compared as they are written, not as they are rendered.
    private mutating func checkBuilder(_ name: String, _ range: SourceRange, _ key: String) {
        let names = template.builders.map(\.name)
        guard !names.contains(name) else { return }
        let hint = suggestion(for: name, among: names).map { "Did you mean \"\($0)\"?" }
        shared.report(
            Diagnostic(
                id: "template/unknown-builder", summary: "There is no builder “\(name)” for \(key)",
                detail: hint ?? "The template has: " + names.joined(separator: ", ") + ".", subject: range))
    }

    private mutating func checkVersion() {
        guard let node = template.minimumVersion, let text = node.text, !text.isEmpty else { return }
        guard let minimum = Version(text) else {
            shared.report(
                Diagnostic(
                    id: "template/invalid-version", summary: "min_packer_version is not a version",
                    detail: "Write a plain version such as \"1.7.0\".", subject: node.range))
            return
        }
        guard let version = Version(compatibilityVersion), version < minimum else { return }
        shared.report(
            Diagnostic(
                id: "template/unsupported-version", summary: "The template needs Packer \(minimum) or later",
                detail: "Ingot reads templates as Packer \(compatibilityVersion) does.", subject: node.range))
    }

    // MARK: One build

    private mutating func plan(
        _ builder: LegacyTemplate.Component, _ name: String, _ selection: BuildSelection
    ) -> PlannedBuild {
        var template = base
        template.buildName = name
        template.buildType = builder.type
        let context = ComponentContext(
            template: template, files: options.fileSystem, environment: options.environment, force: options.force,
            isValidation: options.isValidation)
        var reader = LegacyOptions(variables, template)
        let body = reader.body(builder, QemuSource.options)
        let source = shared.source(
            Diagnosed(body, reader.diagnostics), component: "builder \"\(builder.type)\"", name: name, context)
        let provisioners = self.template.provisioners.compactMap { provisioner($0, builder, context) }
        let cleanup = self.template.errorCleanup.flatMap { provisioner($0, builder, context) }
        var chains: [[PlannedPostProcessor]] = []
        var outputContext = context
        outputContext.source = source
        for chain in self.template.postProcessors {
            let planned = self.chain(chain, builder, outputContext, selection)
            if !planned.isEmpty { chains.append(planned) }
        }
        return PlannedBuild(
            name: Self.shownName(name, builder.type), blockName: "", sourceType: builder.type, sourceName: name,
            useName: name, source: source, provisioners: provisioners, errorCleanupProvisioner: cleanup,
            postProcessors: chains, templateContext: template)
    }

    /// Meta attributes such as `only`. Names of builders are taken as written; the rest is rendered.
    private mutating func meta(_ component: LegacyTemplate.Component, _ context: ComponentContext) -> MetaAttributes {
        var reader = LegacyOptions(variables, context.template)
        let attributes = component.meta.map { member in
            let name = member.name.lowercased()
            var value: OptionValue
            switch name {
            case "only", "except":
                value = OptionValue(member.value)
                if case .string = value { value = .list([value]) }
            default: value = reader.value(member.value)
            }
            if case .number(let digits) = value, name == "pause_before" || name == "timeout" {
                value = .string(digits + "ns")
            }
            return OptionBody.Option(
                name: name, nameRange: member.nameRange, value: value, valueRange: member.value.range)
        }
        let meta = MetaAttributes(attributes, buildSample: template.builders.first?.name ?? "NAME")
        shared.report(reader.diagnostics + meta.diagnostics)
        return meta
    }

    private func instance(
        _ component: LegacyTemplate.Component, _ built: (type: String, specs: [Option]),
        _ builder: LegacyTemplate.Component, _ context: ComponentContext
    ) -> ComponentInstance {
        let variables = variables
        let overrides = component.overrides.filter { $0.builder == builder.name }.flatMap(\.options)
        return ComponentInstance(
            type: built.type, specs: built.specs, component: component.title, context: context,
            evaluate: { data in
                var reader = LegacyOptions(variables, context.template, run: data)
                let body = reader.body(component, built.specs, overrides: overrides)
                return Diagnosed(body, reader.diagnostics)
            })
    }

    private mutating func provisioner(
        _ component: LegacyTemplate.Component, _ builder: LegacyTemplate.Component, _ context: ComponentContext
    ) -> PlannedProvisioner? {
        let meta = meta(component, context)
        guard meta.includes(builder.name),
            let built = shared.builtIn(component.type, at: component.typeRange, component.family)
        else { return nil }
        return shared.provisioner(instance(component, built, builder, context), meta)
    }

    private mutating func chain(
        _ components: [LegacyTemplate.Component], _ builder: LegacyTemplate.Component, _ context: ComponentContext,
        _ selection: BuildSelection
    ) -> [PlannedPostProcessor] {
        var planned: [PlannedPostProcessor] = []
        for component in components {
            // One that the command line excludes takes the rest of its sequence with it.
            if selection.excludes(component: component.name, type: component.type) { break }
            let meta = meta(component, context)
            guard meta.includes(builder.name),
                let built = shared.builtIn(component.type, at: component.typeRange, component.family)
            else { continue }
            planned.append(shared.postProcessor(instance(component, built, builder, context), meta))
        }
        return planned
    }
}

import ComponentModel
import Diagnostics
import GoTemplates
import HCL
import Scopes

/// Turns the builds of an HCL template into plans: selects them, evaluates their sources and components.
struct Planner {
    private(set) var shared: ComponentPlanner
    private let options: LoadOptions
    private let scope: Scope
    private let evaluator: BodyEvaluator
    /// `TYPE.NAME` of the sources that more than one build uses.
    private var reused: Set<String> = []

    init(_ shared: ComponentPlanner, scope: Scope, evaluator: BodyEvaluator) {
        self.shared = shared
        options = shared.options
        self.scope = scope
        self.evaluator = evaluator
    }

    mutating func plan(_ builds: [BuildBlock]) -> [PlannedBuild] {
        var planned: [PlannedBuild] = []
        var selection = BuildSelection(options)
        let all = builds.flatMap { build in build.uses.map { (build: build, use: $0) } }
        let names = all.map { name(of: $0.use, in: $0.build) }
        reused = Set(Dictionary(grouping: all, by: \.use.source.key).filter { $0.value.count > 1 }.keys)
        selection.reportUnmatched(among: names, postProcessors: postProcessors(of: builds))
        reportTwins(zip(all, names).filter { !$0.0.build.isOpen }.map { ($0.0.use, $0.1) })
        for build in builds { checkNames(in: build) }
        var selected = 0
        for ((build, use), name) in zip(all, names) where selection.includes(name) {
            selected += 1
            let source = use.source
            if shared.isBuilt(
                source.type, at: source.block.labels[0].range, name: "\(source.type).\(source.name)", usedAt: use.range)
            {
                planned.append(plan(use, build, name, selection))
            }
        }
        selection.reportNothing(selected: selected, of: names)
        shared.report(selection.diagnostics)
        shared.reportSkipped(leaving: planned.count)
        return planned
    }

    /// What `-except` can name beside builds.
    private func postProcessors(of builds: [BuildBlock]) -> Set<String> {
        var found: Set<String> = []
        for block in builds.flatMap(\.uses).flatMap(\.components.postProcessors).joined() {
            found.insert(block.labels[0].text)
            // What is wrong with a name is reported where it is planned.
            var body = evaluator
            if let name = body.options(named: ["name"], of: block).first?.value.text { found.insert(name) }
        }
        return found
    }

    private func name(of use: SourceUse, in build: BuildBlock) -> String {
        (build.name.isEmpty ? "" : build.name + ".") + use.key
    }

    // MARK: Names of builds

    /// Builds of the same name write to the same place, and cannot be told apart.
    private mutating func reportTwins(_ builds: [(use: SourceUse, name: String)]) {
        var first: [String: SourceRange] = [:]
        for (use, name) in builds {
            guard let place = first[name] else {
                first[name] = use.range
                continue
            }
            shared.report(
                Diagnostic(
                    id: "template/duplicate-build", severity: .warning, summary: "Two builds are called “\(name)”",
                    detail:
                        "Nothing distinguishes them, and what one writes the other replaces. Remove one, or give its build block another name.",
                    subject: use.range, notes: [Diagnostic.Note("the first one", at: place)]))
        }
    }

    /// `only`, `except` and `override` that name none of the build's sources do nothing, and Packer says nothing.
    private mutating func checkNames(in build: BuildBlock) {
        guard !build.uses.isEmpty, !build.isOpen else { return }
        let keys = Set(build.uses.map(\.key))
        let uses = Set(build.uses.map(\.useName))
        for block in build.uses.flatMap(\.components.all) {
            var block = block
            block.define("build", .object(["name": .string(build.name)]))
            var body = evaluator
            let meta = MetaAttributes(
                body.options(named: ["only", "except", "override"], of: block), buildSample: "qemu.NAME")
            let named = [
                "only": meta.only ?? [], "except": meta.except ?? [], "override": meta.overrides.keys.sorted(),
            ]
            for (option, names) in named.sorted(by: { $0.key < $1.key }) {
                let known = option == "override" ? uses : keys
                let places = meta.elementPlaces[option] ?? []
                for (index, name) in names.enumerated() where !known.contains(name) {
                    let near = known.sorted().first { name.hasSuffix("." + $0) } ?? suggestion(for: name, among: known)
                    // A list may be written for several builds, as long as something of it is in this one.
                    guard near != nil || option != "except" && known.isDisjoint(with: names) else { continue }
                    // Said for every source that has the block; what is the same is printed once.
                    shared.report(
                        Diagnostic(
                            id: "template/unmatched-name", severity: .warning,
                            summary: "\(option) names “\(name)”, which this build does not have",
                            detail: near.map { "Did you mean \"\($0)\"?" }
                                ?? (name.contains("*") ? "It takes whole names, no patterns. " : "") + "The build has: "
                                    + known.sorted().joined(separator: ", ") + ".",
                            subject: places.count == names.count ? places[index] : meta.places[option]))
                }
            }
        }
    }

    // MARK: One build

    private func context(_ use: SourceUse, type: String) -> ComponentContext {
        ComponentContext(
            template: TemplateContext(
                buildName: use.source.name, buildType: type, workingDirectory: options.workingDirectory,
                startTime: options.startTime),
            files: options.fileSystem, environment: options.environment, force: options.force,
            isValidation: options.isValidation)
    }

    private mutating func plan(
        _ use: SourceUse, _ build: BuildBlock, _ name: String, _ selection: BuildSelection
    ) -> PlannedBuild {
        let type = shared.components.canonical(use.source.type, KnownComponents.sources)
        var context = context(use, type: type)
        if reused.contains(use.source.key) {
            let parts = [build.name, use.useName].filter { !$0.isEmpty }
            // Whatever else a name contains, it is not a path or a template.
            context.distinctName = parts.joined(separator: ".").replacing("/", with: "-").replacing("{", with: "-")
        }
        var sourceScope = scope
        sourceScope.roots["source"] = use.value
        var body = evaluator
        let block = use.source.block
        let expanded = ExpandedBlock(
            type: block.type, typeRange: block.typeRange, labels: [], body: block.body, header: block.headerRange,
            scope: sourceScope)
        var addition = use.addition
        addition?.define("source", use.value)
        let options = body.options(expanded, adding: addition, withoutInAddition: ["name"])
        let source = shared.source(
            Diagnosed(options, body.diagnostics), component: "source \"\(use.source.type)\"", name: use.source.name,
            context)
        let components = use.components
        let provisioners = components.provisioners.compactMap { provisioner($0, use, build, context) }
        let cleanup = components.errorCleanup.flatMap { provisioner($0, use, build, context) }
        var chains: [[PlannedPostProcessor]] = []
        var outputContext = context
        outputContext.source = source
        for chain in components.postProcessors {
            let planned = self.chain(chain, use, build, outputContext, selection)
            if !planned.isEmpty { chains.append(planned) }
        }
        return PlannedBuild(
            name: name, blockName: build.name, sourceType: type, sourceName: use.source.name, useName: use.useName,
            source: source, provisioners: provisioners, errorCleanupProvisioner: cleanup, postProcessors: chains,
            templateContext: context.template)
    }

    private mutating func meta(_ block: ExpandedBlock, _ names: Set<String>, _ build: BuildBlock) -> MetaAttributes {
        var block = block
        block.define("build", .object(["name": .string(build.name)]))
        var body = evaluator
        let meta = MetaAttributes(body.options(named: names, of: block), buildSample: "qemu.NAME")
        shared.report(body.diagnostics + meta.diagnostics)
        if !body.diagnostics.hasErrors { shared.noteUnknown(at: meta.unknowns) }
        return meta
    }

    private func instance(
        _ block: ExpandedBlock, _ built: (type: String, specs: [Option]), without names: Set<String>,
        _ overrides: [OptionBody.Option], _ build: BuildBlock, _ context: ComponentContext
    ) -> ComponentInstance {
        let evaluator = evaluator
        let name = build.name
        return ComponentInstance(
            type: built.type, specs: built.specs, component: "\(block.type) \"\(block.labels[0].text)\"",
            context: context,
            evaluate: { data in
                var block = block
                block.define("build", data?.value(buildName: name) ?? RunData.placeholders(buildName: name))
                var body = evaluator
                let options = body.options(block, without: names).overridden(by: overrides)
                return Diagnosed(options, body.diagnostics)
            })
    }

    private mutating func provisioner(
        _ block: ExpandedBlock, _ use: SourceUse, _ build: BuildBlock, _ context: ComponentContext
    ) -> PlannedProvisioner? {
        let meta = meta(block, MetaAttributes.provisioner, build)
        guard meta.includes(use.key),
            let built = shared.builtIn(block.labels[0].text, at: block.labels[0].range, KnownComponents.provisioners)
        else { return nil }
        let overrides = meta.overrides[use.useName] ?? []
        return shared.provisioner(
            instance(block, built, without: MetaAttributes.provisioner, overrides, build, context), meta)
    }

    private mutating func chain(
        _ blocks: [ExpandedBlock], _ use: SourceUse, _ build: BuildBlock, _ context: ComponentContext,
        _ selection: BuildSelection
    ) -> [PlannedPostProcessor] {
        var planned: [PlannedPostProcessor] = []
        for block in blocks {
            let meta = meta(block, MetaAttributes.postProcessor, build)
            let label = block.labels[0]
            // One that the command line excludes takes the rest of its chain with it; one that excludes itself does not.
            if selection.excludes(component: meta.name, type: label.text) { break }
            guard meta.includes(use.key),
                let built = shared.builtIn(label.text, at: label.range, KnownComponents.postProcessors)
            else { continue }
            planned.append(
                shared.postProcessor(
                    instance(block, built, without: MetaAttributes.postProcessor, [], build, context), meta))
        }
        return planned
    }
}

extension BuildComponents {
    fileprivate var all: [ExpandedBlock] {
        provisioners + (errorCleanup.map { [$0] } ?? []) + postProcessors.joined()
    }
}

import Diagnostics
import HCL
import Scopes

/// Turns builds into plans: selects them, decodes their sources and components.
struct Planner {
    private(set) var diagnostics: [Diagnostic] = []
    private let options: LoadOptions
    private let components: ComponentResolver
    private let scope: Scope
    private let evaluator: BodyEvaluator
    private let failures: FailureRenderer
    /// Places of values that nothing but a run or a data source knows.
    private(set) var unknowns: [SourceRange] = []

    init(
        _ options: LoadOptions, components: ComponentResolver, scope: Scope, evaluator: BodyEvaluator,
        failures: FailureRenderer
    ) {
        self.options = options
        self.components = components
        self.scope = scope
        self.evaluator = evaluator
        self.failures = failures
    }

    mutating func plan(_ builds: [BuildBlock]) -> [PlannedBuild] {
        var planned: [PlannedBuild] = []
        var skipped: [SourceUse] = []
        let selection = BuildSelection(options, &diagnostics)
        let all = builds.flatMap { build in build.uses.map { (build: build, use: $0) } }
        let names = all.map { name(of: $0.use, in: $0.build) }
        selection.reportUnmatched(among: names, &diagnostics)
        var selected = 0
        for ((build, use), name) in zip(all, names) where selection.includes(name) {
            selected += 1
            switch components.resolve(use.source.type, KnownComponents.sources) {
            case .builtIn: planned.append(plan(use, build, name, selection))
            case .known: skipped.append(use)
            case .unknown(let hint):
                diagnostics.append(
                    Diagnostic(
                        id: "template/unknown-type", summary: "There is no source type “\(use.source.type)”",
                        detail: hint, subject: use.source.block.labels[0].range))
            }
        }
        if !all.isEmpty, selected == 0 {
            diagnostics.append(
                Diagnostic(
                    id: "template/no-builds", summary: "-only and -except leave no build",
                    detail: "The template has: " + names.joined(separator: ", ") + "."))
        }
        report(skipped, leaving: planned.count)
        return planned
    }

    private func name(of use: SourceUse, in build: BuildBlock) -> String {
        (build.name.isEmpty ? "" : build.name + ".") + use.key
    }

    private mutating func report(_ skipped: [SourceUse], leaving count: Int) {
        guard let first = skipped.first else { return }
        var seen: Set<String> = []
        let names = skipped.map { "\($0.source.type).\($0.source.name)" }.filter { seen.insert($0).inserted }
        let list = names.joined(separator: ", ")
        if count > 0 {
            diagnostics.append(
                Diagnostic(
                    id: "template/skipped-source", severity: .warning,
                    summary: "Not built, since Ingot builds only qemu yet: \(list)",
                    subject: first.range))
        } else if !diagnostics.hasErrors {
            diagnostics.append(
                Diagnostic(
                    id: "template/not-built-in", severity: options.isValidation ? .warning : .error,
                    summary: "There is nothing here that Ingot can build yet: \(list)",
                    detail: "Ingot knows the source type \(first.source.type), but builds only qemu.",
                    subject: first.range))
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
        let type = components.canonical(use.source.type, KnownComponents.sources)
        let context = context(use, type: type)
        var sourceScope = scope
        let sourceValue = Value.object(["type": .string(use.source.type), "name": .string(use.useName)])
        sourceScope.roots["source"] = sourceValue
        var body = evaluator
        let block = use.source.block
        let expanded = ExpandedBlock(
            type: block.type, typeRange: block.typeRange, labels: [], body: block.body, header: block.headerRange,
            scope: sourceScope)
        var addition = use.addition
        addition?.define("source", sourceValue)
        let options = body.options(expanded, adding: addition, withoutInAddition: ["name"])
        absorb(body, options)
        let reader = OptionReader(
            options, OptionTables.qemu, component: "source \"\(use.source.type)\"", context: context.template)
        var decoder = QemuDecoder(reader, sourceName: use.source.name, context: context)
        let source = decoder.decode()
        diagnostics += decoder.reader.diagnostics
        let provisioners = build.provisioners.compactMap { provisioner($0, use, build, sourceValue, context) }
        let cleanup = build.errorCleanup.flatMap { provisioner($0, use, build, sourceValue, context) }
        var chains: [[PlannedPostProcessor]] = []
        for chain in build.postProcessors {
            let planned = self.chain(chain, use, build, sourceValue, context, selection)
            if !planned.isEmpty { chains.append(planned) }
        }
        return PlannedBuild(
            name: name, blockName: build.name, sourceType: type, sourceName: use.source.name, useName: use.useName,
            source: source, provisioners: provisioners, errorCleanupProvisioner: cleanup, postProcessors: chains)
    }

    private mutating func absorb(_ body: BodyEvaluator, _ options: OptionBody) {
        diagnostics += body.diagnostics
        for option in options.options where option.value.isUnknown {
            if let range = option.valueRange { unknowns.append(range) }
        }
    }

    /// The block in the scope of a provisioner or post-processor, and its meta attributes.
    private mutating func prepare(
        _ block: ExpandedBlock, _ names: Set<String>, _ build: BuildBlock, _ source: Value
    ) -> (ExpandedBlock, MetaAttributes) {
        var metaBlock = block
        metaBlock.define("build", .object(["name": .string(build.name)]))
        var body = evaluator
        let meta = MetaAttributes(metaBlock, names, &body)
        diagnostics += body.diagnostics
        var block = block
        block.define("source", source)
        block.define("build", RunData.placeholders(buildName: build.name))
        return (block, meta)
    }

    /// Decides what becomes of a component's type; nil with a message if it cannot run.
    private mutating func builtIn(
        _ block: ExpandedBlock, _ family: KnownComponents.Family
    ) -> (type: String, specs: [OptionSpec])? {
        let type = block.labels[0].text
        switch components.resolve(type, family) {
        case .builtIn(let canonical, let specs): return (canonical, specs)
        case .known:
            diagnostics.append(
                Diagnostic(
                    id: "template/not-built-in", severity: options.isValidation ? .warning : .error,
                    summary: "The \(family.word) \"\(type)\" is known, but not built into Ingot yet",
                    detail: "Built in are: " + family.builtIn.keys.sorted().joined(separator: ", ") + ".",
                    subject: block.labels[0].range))
        case .unknown(let hint):
            diagnostics.append(
                Diagnostic(
                    id: "template/unknown-type", summary: "There is no \(family.word) type “\(type)”", detail: hint,
                    subject: block.labels[0].range))
        }
        return nil
    }

    private mutating func provisioner(
        _ block: ExpandedBlock, _ use: SourceUse, _ build: BuildBlock, _ source: Value, _ context: ComponentContext
    ) -> PlannedProvisioner? {
        let (block, meta) = prepare(block, MetaAttributes.provisioner, build, source)
        guard meta.includes(use.key), let (type, specs) = builtIn(block, KnownComponents.provisioners) else {
            return nil
        }
        let instance = ComponentInstance(
            block: block, meta: MetaAttributes.provisioner, overrides: meta.overrides[use.useName] ?? [], specs: specs,
            component: "provisioner \"\(block.labels[0].text)\"", buildName: build.name, context: context,
            evaluator: evaluator)
        check(instance) { reader in _ = ProvisionerDecoder.decode(type, &reader, context) }
        let failures = failures
        return PlannedProvisioner(
            type: type, name: meta.name, pauseBefore: meta.pauseBefore,
            timeout: meta.pauseBefore == nil ? meta.timeout : nil, maxRetries: meta.maxRetries,
            continueOnError: meta.continueOnError,
            settings: { data throws(TemplateFailure) in
                var (reader, diagnostics) = instance.read(data)
                let settings = ProvisionerDecoder.decode(type, &reader, context)
                return try failures.check(settings, diagnostics + reader.diagnostics)
            })
    }

    private mutating func chain(
        _ blocks: [ExpandedBlock], _ use: SourceUse, _ build: BuildBlock, _ source: Value, _ context: ComponentContext,
        _ selection: BuildSelection
    ) -> [PlannedPostProcessor] {
        var planned: [PlannedPostProcessor] = []
        for block in blocks {
            let (block, meta) = prepare(block, MetaAttributes.postProcessor, build, source)
            // One that the command line excludes takes the rest of its chain with it; one that excludes itself does not.
            if selection.excludes(component: meta.name, type: block.labels[0].text) { break }
            guard meta.includes(use.key), let (type, specs) = builtIn(block, KnownComponents.postProcessors) else {
                continue
            }
            let instance = ComponentInstance(
                block: block, meta: MetaAttributes.postProcessor, overrides: [], specs: specs,
                component: "post-processor \"\(block.labels[0].text)\"", buildName: build.name, context: context,
                evaluator: evaluator)
            check(instance) { reader in _ = PostProcessorDecoder.decode(type, &reader, context) }
            let failures = failures
            planned.append(
                PlannedPostProcessor(
                    type: type, name: meta.name, keepInputArtifact: meta.keepInputArtifact,
                    settings: { data throws(TemplateFailure) in
                        var (reader, diagnostics) = instance.read(data)
                        let settings = PostProcessorDecoder.decode(type, &reader, context)
                        return try failures.check(settings, diagnostics + reader.diagnostics)
                    }))
        }
        return planned
    }

    private mutating func check(_ instance: ComponentInstance, _ decode: (inout OptionReader) -> Void) {
        var body = evaluator
        let options = instance.options(&body)
        absorb(body, options)
        var reader = instance.reader(options)
        decode(&reader)
        diagnostics += reader.diagnostics
    }
}

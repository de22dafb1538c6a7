import Diagnostics
import HCL

/// Reads, evaluates and validates a template.
///
/// Everything that is wrong is reported in one run. The plan is complete when there is no error among the diagnostics. No data source
/// is run: what they give is not known.
package func loadPlan(_ options: LoadOptions) -> LoadedPlan {
    var loader = PlanLoader(options)
    guard var preparation = loader.begin(runsDataSources: false) else { return loader.finish() }
    preparation.graph.evaluateAll()
    loader.complete(preparation)
    return loader.finish()
}

/// As `loadPlan`, with every data source run, in the order in which they need each other.
///
/// None is run where the template is known to be wrong before.
///
/// - Throws: `CancellationError` alone.
package func loadPlan(_ options: LoadOptions, running runner: any DataSourceRunner) async throws -> LoadedPlan {
    var loader = PlanLoader(options)
    guard var preparation = loader.begin(runsDataSources: true) else { return loader.finish() }
    try await preparation.graph.evaluateAll(loader.hasErrors ? .unknown : .run, running: runner)
    loader.complete(preparation)
    return loader.finish()
}

/// Parses a template's files and nothing more: `validate -syntax-only`. The plan is empty.
package func checkSyntax(_ options: LoadOptions) -> LoadedPlan {
    var loader = PlanLoader(options)
    return loader.check()
}

/// The steps from files to a plan.
private struct PlanLoader {
    private let options: LoadOptions
    private let services: RecordingSecretStores?
    private var files: [SourceFile] = []
    private var diagnostics: [Diagnostic] = []
    private var secrets = SecretCollection()
    /// What the plan's parts log in with. In plain text in a template it is drawn with it, and may be any word.
    private var logins = SecretCollection()
    private var builds: [PlannedBuild] = []

    /// A template whose variables have their values.
    struct Preparation {
        fileprivate var configuration: Configuration
        fileprivate var environment: Evaluation.Environment
        fileprivate var components: ComponentResolver
        fileprivate var scope: Scope
        fileprivate var graph: ValueGraph
    }

    init(_ options: LoadOptions) {
        services = options.secretStores.map { RecordingSecretStores($0) }
        var options = options
        options.secretStores = services
        self.options = options
    }

    mutating func check() -> LoadedPlan {
        let found = find()
        if let file = found.legacy { _ = readLegacy(file) } else { _ = parse(found) }
        return finish()
    }

    var hasErrors: Bool { diagnostics.hasErrors }

    /// Goes as far as the variables; nil if that was all, as in a JSON template.
    mutating func begin(runsDataSources: Bool) -> Preparation? {
        let found = find()
        if let file = found.legacy {
            builds = loadLegacy(file, root: found.root)
            return nil
        }
        let bodies = parse(found)
        // What a broken file declares is not known, so everything else would look undeclared.
        if diagnostics.hasErrors { return nil }
        let configuration = Configuration(bodies)
        diagnostics += configuration.diagnostics
        let packer = PackerBlock(configuration.packer)
        diagnostics += packer.diagnostics
        let components = ComponentResolver(plugins: packer.plugins)

        let environment = Evaluation.Environment(
            options, root: found.root, dataSources: Set(configuration.dataSources.keys),
            missing: options.isValidation ? [] : components.missingDataSources(configuration),
            openTypes: configuration.openTypes)
        var variables = VariableLoader(configuration, options)
        variables.assignValues(automaticFiles: found.automaticVariableFiles)
        variables.check(environment)
        files += variables.files
        diagnostics += variables.diagnostics
        secrets.formUnion(variables.secrets)

        var scope = environment.baseScope
        scope.roots["var"] = .object(variables.variables.compactMapValues(\.value))
        // What data sources make of secrets is secret.
        let marksSensitive = runsDataSources && !configuration.dataSources.isEmpty
        var base = scope
        if marksSensitive {
            base.roots["var"] = .object(
                variables.variables.compactMapValues { $0.value?.protected($0.isSensitive) })
        }
        let graph = ValueGraph(
            configuration, base: base, environment: environment, components: components, options,
            marksSensitive: marksSensitive)
        return Preparation(
            configuration: configuration, environment: environment, components: components, scope: scope, graph: graph)
    }

    /// Plans the builds, once locals and data sources have their values.
    mutating func complete(_ preparation: Preparation) {
        let (configuration, graph) = (preparation.configuration, preparation.graph)
        diagnostics += graph.diagnostics
        secrets.formUnion(graph.secrets)
        var scope = preparation.scope
        scope.roots["local"] = Value.object(graph.locals).revealed
        scope.roots["data"] = graph.dataValue.revealed

        if configuration.builds.isEmpty, !configuration.openTypes.contains("build") {
            let source = configuration.sources.keys.sorted().first ?? "qemu.NAME"
            diagnostics.append(
                Diagnostic(
                    id: "template/no-build", summary: "The template has no build block",
                    detail: "A build says what is made of the sources: build { sources = [\"source.\(source)\"] }."))
        }
        let evaluator = BodyEvaluator(
            environment: preparation.environment, localNames: Set(configuration.locals.keys))
        let reader = BuildReader(configuration, scope, evaluator)
        diagnostics += reader.evaluator.diagnostics
        let failures = FailureRenderer(files: files, secrets: allSecrets)
        var planner = Planner(
            ComponentPlanner(options, components: preparation.components, failures: failures), scope: scope,
            evaluator: evaluator)
        builds = planner.plan(reader.builds)
        diagnostics += planner.shared.diagnostics
        logins.formUnion(planner.shared.logins)
        reportUnknowns(reader.evaluator.unknowns + planner.shared.unknowns)
    }

    private mutating func find() -> TemplateFiles {
        let found = TemplateFiles(options)
        diagnostics += found.diagnostics
        files += found.files
        if let file = found.legacy { files.append(file) }
        return found
    }

    private mutating func parse(_ found: TemplateFiles) -> [Body] {
        var bodies: [Body] = []
        for file in found.files {
            let isJSON = file.name.hasSuffix(".json")
            let parsed = isJSON ? parseJSON(file, schema: .template) : HCL.parse(file)
            diagnostics += parsed.diagnostics
            if isJSON, !parsed.diagnostics.hasErrors { hideSecretOptions(of: file) }
            bodies.append(parsed.value)
        }
        secrets.hideDeclarations(bodies, in: found.files, diagnostics)
        return bodies
    }

    // MARK: JSON templates

    private static let secretOptions: Set<String> = [
        "ssh_password", "ssh_bastion_password", "ssh_proxy_password", "winrm_password", "vnc_password", "password",
        "token", "cloud_init_password", "cipassword",
    ]

    /// In JSON a password may be on any line that is shown.
    private mutating func hideSecretOptions(of file: SourceFile) {
        let bytes = Array(file.text.utf8)
        let values = BrokenFile(file).members(Self.secretOptions.contains)
        secrets.hide(
            values.filter { range in
                let text = String(decoding: bytes[range.start..<range.end], as: UTF8.self)
                // What names a variable is not a secret itself.
                return !text.contains("{{") && !text.contains("${")
            })
    }

    /// nil if the file is not JSON.
    private mutating func readLegacy(_ file: SourceFile) -> LegacyTemplate? {
        let parsed = readJSON(file, refusesDuplicates: true)
        diagnostics += parsed.diagnostics
        guard let root = parsed.value else {
            secrets.hide(BrokenFile(file).sensitiveMembers)
            return nil
        }
        hideSecretOptions(of: file)
        let reader = LegacyTemplateReader(root)
        diagnostics += reader.diagnostics
        secrets.hide(reader.template.sensitiveRanges)
        // The variables may be under a misspelt name.
        if reader.diagnostics.hasErrors { secrets.hide(BrokenFile(file).sensitiveMembers) }
        return reader.template
    }

    private mutating func loadLegacy(_ file: SourceFile, root: String) -> [PlannedBuild] {
        guard let template = readLegacy(file) else { return [] }
        let directory = cleanedPath(options.absolute(root))
        let variables = LegacyVariables(template, options, directory: directory)
        files += variables.files
        diagnostics += variables.diagnostics
        secrets.formUnion(variables.secrets)
        let failures = FailureRenderer(files: files, secrets: allSecrets)
        var shared = ComponentPlanner(options, components: ComponentResolver(plugins: nil), failures: failures)
        // So that it does not complain of what follows from what was said already.
        shared.report(diagnostics)
        diagnostics = []
        var planner = LegacyPlanner(shared, template, variables, directory: directory)
        let builds = planner.plan()
        diagnostics += planner.shared.diagnostics
        logins.formUnion(planner.shared.logins)
        reportUnknowns(planner.shared.unknowns)
        return builds
    }

    // MARK: Checks

    /// In a build every value must be known in the end; said only when nothing else explains it.
    private mutating func reportUnknowns(_ ranges: [SourceRange]) {
        guard !options.isValidation, !diagnostics.hasErrors else { return }
        for range in ranges {
            diagnostics.append(
                Diagnostic(
                    id: "template/unknown-value", summary: "This value is not known here",
                    detail:
                        "A build needs it before it starts. packer.iterationID and packer.versionFingerprint have no value without a registry.",
                    subject: range))
        }
    }

    /// Of the template, and those that services gave until now.
    private var allSecrets: SecretCollection {
        var all = secrets
        if let services { all.formUnion(services.secrets) }
        return all
    }

    func finish() -> LoadedPlan {
        // A block that several builds use is checked for each.
        var seen: Set<Diagnostic> = []
        let secrets = allSecrets
        let once = secrets.redacted(diagnostics, files: files).filter { seen.insert($0).inserted }
        var concealed = secrets
        concealed.formUnion(logins)
        let plan = Plan(builds: builds, secrets: concealed.sensitive)
        return LoadedPlan(plan: Diagnosed(plan, once.bounded()), files: secrets.masked(files))
    }
}

/// Without `.`, `..` and doubled slashes; nothing is looked up.
private func cleanedPath(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

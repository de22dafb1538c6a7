import Diagnostics
import HCL

/// The variables and locals of an HCL template, for looking at them.
///
/// A variable without a value is unknown, which is not an error. What is declared sensitive is marked so, and so is everything made from it.
struct TemplateValues {
    private(set) var variables: [String: Value] = [:]
    private(set) var locals: [String: Value] = [:]
    /// Every name that an expression can use.
    private(set) var scope: Scope
    private(set) var secrets: SecretCollection
    private(set) var diagnostics: [Diagnostic]
    /// Variable files and command-line values that diagnostics point into.
    private(set) var files: [SourceFile]
    let environment: Evaluation.Environment
    let localNames: Set<String>
    private var graph: ValueGraph

    /// The variables; locals and data sources come with `evaluate`.
    init(_ configuration: Configuration, _ found: TemplateFiles, _ options: LoadOptions) {
        self.init(configuration, root: found.root, automaticFiles: found.automaticVariableFiles, options)
    }

    /// Without a template.
    init(_ options: LoadOptions) {
        self.init(Configuration([]), root: ".", automaticFiles: [], options)
    }

    private init(_ configuration: Configuration, root: String, automaticFiles: [String], _ options: LoadOptions) {
        environment = Evaluation.Environment(options, root: root, dataSources: Set(configuration.dataSources.keys))
        localNames = Set(configuration.locals.keys)
        var loader = VariableLoader(configuration, options)
        loader.assignValues(automaticFiles: automaticFiles)
        let assigned = loader.diagnostics.count
        // Before they are checked: also a value that is not allowed can be shown.
        variables = loader.variables.mapValues { ($0.value ?? .unknown).protected($0.isSensitive) }
        loader.check(environment)
        files = loader.files
        secrets = loader.secrets
        diagnostics = loader.diagnostics.prefix(assigned) + loader.diagnostics.dropFirst(assigned).map(\.tolerated)
        diagnostics.removeAll(where: \.isUnsetVariable)
        scope = environment.baseScope
        scope.roots["source"] = .unknownSource
        scope.roots["var"] = .object(variables)
        graph = ValueGraph(
            configuration, base: scope, environment: environment,
            components: ComponentResolver(plugins: PackerBlock(configuration.packer).plugins), options,
            marksSensitive: true)
    }

    /// Evaluates the locals; what data sources give is unknown.
    mutating func evaluate() {
        graph.evaluateAll()
        finish()
    }

    /// Runs the data sources and evaluates the locals.
    ///
    /// - Throws: `CancellationError` alone.
    mutating func evaluate(running runner: any DataSourceRunner) async throws {
        try await graph.evaluateAll(.runTolerantly, running: runner)
        finish()
    }

    private mutating func finish() {
        diagnostics += graph.diagnostics.map(\.tolerated)
        secrets.formUnion(graph.secrets)
        locals = graph.locals
        scope.roots["local"] = .object(locals)
        scope.roots["data"] = graph.dataValue
    }

    var variableLines: String {
        section("input-variables", "var", variables)
    }

    var localLines: String {
        section("local-variables", "local", locals)
    }

    private func section(_ title: String, _ root: String, _ values: [String: Value]) -> String {
        let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let lines = names.map { name in
            "\(root).\(name): \(goQuoted(values[name, default: .unknown].consoleText(without: secrets)))\n"
        }
        return "> \(title):\n\n" + lines.joined() + "\n"
    }
}

extension Diagnostic {
    /// Looking at a template needs no value for it.
    var isUnsetVariable: Bool { id == "template/unset-variable" }

    /// The same as a warning.
    var tolerated: Diagnostic {
        var diagnostic = self
        diagnostic.severity = .warning
        return diagnostic
    }
}

extension Value {
    /// Marked as sensitive if there is anything in it to hide.
    func protected(_ isSensitive: Bool) -> Value {
        marked(isSensitive && isKnown && !isNull && self != .string(""))
    }
}

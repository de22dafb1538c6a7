import Diagnostics
import HCL

/// Evaluates locals and data sources in the order in which they need each other.
///
/// It asks nothing of the world outside the template: `next` works up to a data source that has to be run and returns its request,
/// `supply` takes the answer, and `next` goes on.
struct ValueGraph {
    enum Node: Hashable {
        case local(String)
        /// `TYPE.NAME`.
        case data(String)

        var text: String {
            switch self {
            case .local(let name): "local.\(name)"
            case .data(let key): "data.\(key)"
            }
        }
    }

    struct Need {
        var node: Node
        var range: SourceRange
    }

    /// A node that is being worked on, and which of its needs comes next.
    private struct Visit {
        var node: Node
        var needs: [Need]
        var next = 0
    }

    /// What data sources are for this evaluation.
    enum DataSources {
        /// Nothing runs, and what they give is not known.
        case unknown
        /// They run, unless there is an error already.
        case run
        /// They run; what goes wrong leaves the value unknown.
        case runTolerantly
    }

    private(set) var locals: [String: Value] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var secrets = SecretCollection()

    private let configuration: Configuration
    private let base: Scope
    private let environment: Evaluation.Environment
    private let components: ComponentResolver
    private let options: LoadOptions
    private let marksSensitive: Bool
    private var mode = DataSources.unknown

    private var data: [String: Value] = [:]
    private var waiting: [Node]
    private var path: [Visit] = []
    private var onPath: Set<Node> = []

    /// - Parameters:
    ///   - base: The scope, without locals. Sensitive variables must be marked in it where `marksSensitive` is set.
    ///   - marksSensitive: Sensitive locals are marked so, and with them all that is made of them.
    init(
        _ configuration: Configuration, base: Scope, environment: Evaluation.Environment,
        components: ComponentResolver, _ options: LoadOptions, marksSensitive: Bool = false
    ) {
        self.configuration = configuration
        self.base = base
        self.environment = environment
        self.components = components
        self.options = options
        self.marksSensitive = marksSensitive
        // What can be wrong without leaving the template is found first.
        waiting = (configuration.localNames.map(Node.local) + configuration.dataSourceKeys.map(Node.data)).reversed()
    }

    /// Evaluates everything; what data sources give is unknown.
    mutating func evaluateAll() {
        while next() != nil {}
    }

    /// Evaluates everything, and runs the data sources.
    ///
    /// - Throws: `CancellationError` alone.
    mutating func evaluateAll(_ mode: DataSources, running runner: any DataSourceRunner) async throws {
        self.mode = mode
        while let request = next() {
            let answer: Result<DataSourceAnswer, any Error>
            do {
                try Task.checkCancellation()
                answer = .success(try await runner.run(request))
            } catch {
                try Task.checkCancellation()
                answer = .failure(error)
            }
            supply(answer)
        }
    }

    /// The value of `data`.
    var dataValue: Value {
        var types: [String: [String: Value]] = [:]
        for (key, source) in configuration.dataSources {
            types[source.type, default: [:]][source.name] = data[key, default: .unknown]
        }
        return .object(types.mapValues(Value.object))
    }

    private func isDone(_ node: Node) -> Bool {
        switch node {
        case .local(let name): locals[name] != nil
        case .data(let key): data[key] != nil
        }
    }

    private mutating func set(_ node: Node, _ value: Value) {
        switch node {
        case .local(let name): locals[name] = value
        case .data(let key): data[key] = value
        }
    }

    // MARK: Order

    /// Depth first, without recursion: a chain of locals may be long.
    private mutating func next() -> DataSourceRequest? {
        while true {
            guard let current = path.last else {
                guard let start = waiting.popLast() else { return nil }
                enter(start)
                continue
            }
            if current.next < current.needs.count {
                path[path.count - 1].next += 1
                let need = current.needs[current.next]
                if isDone(need.node) { continue }
                if onPath.contains(need.node) { reportCycle(closing: need) } else { enter(need.node) }
                continue
            }
            if !isDone(current.node) {
                switch current.node {
                case .local(let name): evaluate(name, current.needs)
                case .data(let key): if let request = prepare(key) { return request }
                }
            }
            path.removeLast()
            onPath.remove(current.node)
        }
    }

    private mutating func enter(_ node: Node) {
        guard !isDone(node) else { return }
        let references: [Reference]
        switch node {
        case .local(let name):
            guard let local = configuration.locals[name] else { return }
            references = local.expression.references
        case .data(let key):
            guard let source = configuration.dataSources[key] else { return }
            references = source.block.body.references
        }
        path.append(Visit(node: node, needs: references.flatMap(needs)))
        onPath.insert(node)
    }

    private func needs(of reference: Reference) -> [Need] {
        let words = reference.path
        switch words.first {
        case "local" where words.count > 1: return [Need(node: .local(words[1]), range: reference.range)]
        case "data":
            let keys =
                words.count > 2
                ? [words[1] + "." + words[2]]
                : configuration.dataSourceKeys.filter { words.count == 1 || $0.hasPrefix(words[1] + ".") }
            return keys.map { Need(node: .data($0), range: reference.range) }
        default: return []
        }
    }

    private mutating func reportCycle(closing need: Need) {
        guard let start = path.firstIndex(where: { $0.node == need.node }) else { return }
        let members = path[start...]
        let chain = (members.map(\.node) + [need.node]).map(\.text).joined(separator: " → ")
        let notes = members.dropLast().compactMap { visit -> Diagnostic.Note? in
            guard visit.next > 0, visit.next <= visit.needs.count else { return nil }
            return Diagnostic.Note("\(visit.node.text) needs it here", at: visit.needs[visit.next - 1].range)
        }
        let kinds = Set(members.map { if case .local = $0.node { "locals" } else { "data sources" } })
        let subject = kinds.sorted(by: >).joined(separator: " and ")
        diagnostics.append(
            Diagnostic(
                id: "template/cycle",
                summary: subject.prefix(1).uppercased() + subject.dropFirst() + " need each other in a circle",
                detail: chain, subject: need.range, notes: notes))
        for visit in members { set(visit.node, .unknown) }
    }

    // MARK: Values

    private mutating func evaluate(_ name: String, _ needs: [Need]) {
        guard let local = configuration.locals[name] else { return }
        var scope = base
        var needed: [String: Value] = [:]
        if local.expression.references.contains(where: { $0.path == ["local"] }) {
            needed = locals
        } else {
            for case .local(let name) in needs.map(\.node) { needed[name] = locals[name] }
        }
        scope.roots["local"] = .object(needed)
        if !data.isEmpty { scope.roots["data"] = dataValue }
        let result = environment.evaluate(local.expression, scope, locals: configuration.locals.keys)
        diagnostics += result.diagnostics
        let value = result.diagnostics.hasErrors ? Value.unknown : result.value
        locals[name] = marksSensitive ? value.protected(local.isSensitive) : value
        if local.isSensitive { secrets.insert(value) }
    }

    /// Reads the options of a data source. Unless it has to be run, its value is set.
    private mutating func prepare(_ key: String) -> DataSourceRequest? {
        guard let source = configuration.dataSources[key] else { return nil }
        data[key] = .unknown
        let label = source.block.labels[0]
        switch components.resolve(source.type, KnownComponents.dataSources) {
        case .unknown(let hint):
            report(
                Diagnostic(
                    id: "template/unknown-type", summary: "There is no data source type “\(source.type)”", detail: hint,
                    subject: label.range))
        case .known:
            // In a build the place that needs it is an error.
            guard options.isValidation, mode != .runTolerantly else { break }
            report(
                Diagnostic(
                    id: "template/not-built-in", severity: .warning,
                    summary: "The data source \"\(source.type)\" is known, but not built into Ingot yet",
                    detail: "A build stops where data.\(key) is used. Give the value by a variable instead.",
                    subject: label.range))
        case .builtIn(let type, let specs):
            data[key] = .object(
                Dictionary(uniqueKeysWithValues: DataSourceDecoder.outputs(of: type).map { ($0, .unknown) }))
            return request(of: source, key, type, specs)
        }
        return nil
    }

    private mutating func request(
        of source: Configuration.DataSource, _ key: String, _ type: String, _ specs: [OptionSpec]
    ) -> DataSourceRequest? {
        var evaluator = BodyEvaluator(environment: environment, localNames: Set(configuration.locals.keys))
        let header = source.block.headerRange
        let body = evaluator.options(
            ExpandedBlock(
                type: source.block.type, typeRange: source.block.typeRange, labels: [], body: source.block.body,
                header: header, scope: scope))
        var reader = OptionReader(
            body, specs, component: "data \"\(source.type)\"",
            context: TemplateContext(workingDirectory: options.workingDirectory, startTime: options.startTime))
        let step = DataSourceDecoder.decode(type, &reader)
        let problems = evaluator.diagnostics + reader.diagnostics
        diagnostics += problems
        guard mode != .unknown, !problems.hasErrors, let step else { return nil }
        if mode == .run, diagnostics.hasErrors { return nil }
        if let open = body.options.first(where: \.value.isUnknown) {
            report(
                Diagnostic(
                    id: "template/unknown-value", summary: "This value is not known here",
                    detail: "The data source cannot be run without it. It may use source.name or source.type.",
                    subject: open.valueRange ?? header))
            return nil
        }
        switch step {
        case .request(let request):
            data[key] = nil
            return request
        case .answer(let answer):
            accept(answer, key, type, source)
            return nil
        }
    }

    private var scope: Scope {
        var scope = base
        scope.roots["local"] = .object(locals)
        scope.roots["data"] = dataValue
        return scope
    }

    /// Takes what came of the request that `next` returned.
    private mutating func supply(_ result: Result<DataSourceAnswer, any Error>) {
        guard case .data(let key)? = path.last?.node, let source = configuration.dataSources[key] else { return }
        let type = components.canonical(source.type, KnownComponents.dataSources)
        switch result {
        case .success(let answer): accept(answer, key, type, source)
        case .failure(let error):
            data[key] = .unknown
            report(.failure(of: key, error, at: source.block.headerRange))
        }
    }

    private mutating func accept(
        _ answer: DataSourceAnswer, _ key: String, _ type: String, _ source: Configuration.DataSource
    ) {
        var outputs = answer.outputs
        if source.block.body.references.contains(where: isSensitive) {
            for name in DataSourceDecoder.derivedOutputs(of: type) {
                guard let value = outputs[name] else { continue }
                secrets.insert(value)
                outputs[name] = value.protected(true)
            }
        }
        data[key] = .object(outputs)
        for warning in answer.warnings {
            report(
                Diagnostic(
                    id: "template/data-source", severity: .warning, summary: "data.\(key): \(warning)",
                    subject: source.block.headerRange))
        }
    }

    /// Whether there is a secret in what is referred to.
    private func isSensitive(_ reference: Reference) -> Bool {
        guard marksSensitive, let root = reference.path.first, var value = scope.roots[root] else { return false }
        for name in reference.path.dropFirst() {
            if value.isSensitive { return true }
            guard let member = value.attributes?[name] else { break }
            value = member
        }
        return value.containsSensitive
    }

    private mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }
}

extension Body {
    /// What the expressions in it refer to, in order, those of inner blocks included.
    fileprivate var references: [Reference] {
        attributes.flatMap(\.expression.references) + blocks.flatMap(\.body.references)
    }
}

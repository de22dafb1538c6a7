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
    var diagnostics: [Diagnostic] = []
    var secrets = SecretCollection()

    let configuration: Configuration
    let base: Scope
    let environment: Evaluation.Environment
    let components: ComponentResolver
    let options: LoadOptions
    let marksSensitive: Bool
    private(set) var mode = DataSources.unknown

    /// By `TYPE.NAME`.
    var data: [String: Value] = [:]
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

    /// The data source that runs.
    var running: Configuration.DataSource? {
        guard case .data(let key)? = path.last?.node else { return nil }
        return configuration.dataSources[key]
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

    private static let mostValues = 1_000_000
    private static let deepestValue = 200

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
        let result = evaluate(local, scope)
        diagnostics += result.diagnostics.map { $0.withheld(if: local.isSensitive) }
        var value = result.diagnostics.hasErrors ? Value.unknown : result.value
        // Lists of lists of the same are cheap to keep, and take for ever to look through.
        if value.hasMore(than: Self.mostValues) {
            diagnostics.append(
                Diagnostic(
                    id: "template/too-large", summary: "local.\(name) is too large",
                    detail: "It holds more than a million values.", subject: local.expression.range))
            value = .unknown
        } else if value.isDeeper(than: Self.deepestValue) {
            diagnostics.append(
                Diagnostic(
                    id: "template/too-large", summary: "local.\(name) is nested too deeply",
                    detail: "Lists and objects go at most \(Self.deepestValue) levels deep.",
                    subject: local.expression.range))
            value = .unknown
        }
        locals[name] = marksSensitive ? value.protected(local.isSensitive) : value
        if local.isSensitive { secrets.insert(value) }
    }
}

extension ValueGraph {
    fileprivate func evaluate(_ local: Configuration.Local, _ scope: Scope) -> Diagnosed<Value> {
        if let place = local.expression.references.first(where: \.isOfSource) {
            let name = place.path.joined(separator: ".")
            let problem = Diagnostic(
                id: "template/source-in-local", summary: "A local cannot use \(name)",
                detail: "local.\(local.name) is one value for all sources. "
                    + "Use \(name) where the local is used: in the source block, a provisioner or a post-processor.",
                subject: place.range)
            return Diagnosed(.unknown, [problem])
        }
        return environment.evaluate(local.expression, scope, locals: configuration.locals.keys)
    }
}

extension Body {
    /// What the expressions in it refer to, in order, those of inner blocks included.
    var references: [Reference] {
        attributes.flatMap(\.expression.references) + blocks.flatMap(\.body.references)
    }
}

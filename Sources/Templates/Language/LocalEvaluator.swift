import Diagnostics
import HCL

/// Evaluates locals in the order in which they need each other.
struct LocalEvaluator {
    private(set) var values: [String: Value] = [:]
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var secrets = SecretCollection()

    private let configuration: Configuration
    private let base: Scope
    private let environment: Evaluation.Environment
    private let marksSensitive: Bool

    /// - Parameter marksSensitive: Sensitive locals are marked so, and with them all that is made of them.
    init(
        _ configuration: Configuration, base: Scope, environment: Evaluation.Environment, marksSensitive: Bool = false
    ) {
        self.configuration = configuration
        self.base = base
        self.environment = environment
        self.marksSensitive = marksSensitive
    }

    /// A local that is being worked on, and which of its needs comes next.
    private struct Visit {
        var name: String
        var needs: [Reference]
        var next = 0
    }

    mutating func evaluateAll() {
        for name in configuration.localNames { resolve(name) }
    }

    /// Depth first, without recursion: a chain of locals may be long.
    private mutating func resolve(_ start: String) {
        guard values[start] == nil, let visit = visit(start) else { return }
        var path = [visit]
        var onPath: Set<String> = [start]
        while var current = path.last {
            if current.next < current.needs.count {
                let need = current.needs[current.next]
                current.next += 1
                path[path.count - 1] = current
                let name = need.path.count > 1 ? need.path[1] : ""
                if values[name] != nil { continue }
                if onPath.contains(name) {
                    reportCycle(path, closing: need, at: name)
                } else if let next = self.visit(name) {
                    path.append(next)
                    onPath.insert(name)
                }
                continue
            }
            path.removeLast()
            onPath.remove(current.name)
            if values[current.name] == nil { evaluate(current) }
        }
    }

    private func visit(_ name: String) -> Visit? {
        guard let local = configuration.locals[name] else { return nil }
        let needs = local.expression.references.filter { $0.path.first == "local" && $0.path.count > 1 }
        return Visit(name: name, needs: needs)
    }

    private mutating func reportCycle(_ path: [Visit], closing: Reference, at name: String) {
        guard let start = path.firstIndex(where: { $0.name == name }) else { return }
        let members = path[start...]
        let chain = (members.map(\.name) + [name]).map { "local.\($0)" }.joined(separator: " → ")
        let notes = members.dropLast().compactMap { visit -> Diagnostic.Note? in
            guard visit.next > 0, visit.next <= visit.needs.count else { return nil }
            return Diagnostic.Note("local.\(visit.name) needs it here", at: visit.needs[visit.next - 1].range)
        }
        diagnostics.append(
            Diagnostic(
                id: "template/cycle", summary: "Locals need each other in a circle", detail: chain,
                subject: closing.range, notes: notes))
        for visit in members { values[visit.name] = .unknown }
    }

    private mutating func evaluate(_ visit: Visit) {
        guard let local = configuration.locals[visit.name] else { return }
        var scope = base
        var needed: [String: Value] = [:]
        if local.expression.references.contains(where: { $0.path == ["local"] }) {
            needed = values
        } else {
            for need in visit.needs { needed[need.path[1]] = values[need.path[1]] }
        }
        scope.roots["local"] = .object(needed)
        let result = environment.evaluate(local.expression, scope, locals: configuration.locals.keys)
        diagnostics += result.diagnostics
        let value = result.diagnostics.hasErrors ? Value.unknown : result.value
        values[visit.name] = marksSensitive ? value.protected(local.isSensitive) : value
        if local.isSensitive { secrets.insert(value) }
    }
}

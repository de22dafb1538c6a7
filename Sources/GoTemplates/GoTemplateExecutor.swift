/// Runs a parsed Go template.
struct GoTemplateExecutor {
    private let functions: GoFunctions
    private var out = ""
    private var variables: [(name: String, value: GoValue)]
    private var steps = 0

    private static let maximumSteps = 1_000_000
    private static let maximumOutput = 16 << 20

    static func run(_ nodes: [GoNode], data: GoValue, functions: GoFunctions) throws(GoTemplateError) -> String {
        var executor = GoTemplateExecutor(functions: functions, data: data)
        _ = try executor.walk(nodes, dot: data)
        return executor.out
    }

    private init(functions: GoFunctions, data: GoValue) {
        self.functions = functions
        variables = [("", data)]
    }

    /// How a list of nodes ended.
    private enum Flow { case normal, leaveRange, nextRound }

    private mutating func walk(_ nodes: [GoNode], dot: GoValue) throws(GoTemplateError) -> Flow {
        let mark = variables.count
        defer { variables.removeLast(variables.count - mark) }
        for node in nodes {
            steps += 1
            guard steps < Self.maximumSteps, out.utf8.count < Self.maximumOutput else {
                throw GoTemplateError("the template's result is too large")
            }
            switch node {
            case .text(let text): out += text
            case .action(let pipeline):
                let value = try evaluate(pipeline, dot: dot)
                if pipeline.variables.isEmpty { out += value.text }
            case .conditional(let pipeline, let then, let otherwise):
                let inner = variables.count
                defer { variables.removeLast(variables.count - inner) }
                let flow = try walk(try evaluate(pipeline, dot: dot).isTrue ? then : otherwise, dot: dot)
                if flow != .normal { return flow }
            case .with(let pipeline, let then, let otherwise):
                let inner = variables.count
                defer { variables.removeLast(variables.count - inner) }
                let value = try evaluate(pipeline, dot: dot)
                let flow = value.isTrue ? try walk(then, dot: value) : try walk(otherwise, dot: dot)
                if flow != .normal { return flow }
            case .range(let pipeline, let body, let otherwise):
                let flow = try loop(pipeline, body, otherwise, dot: dot)
                if flow != .normal { return flow }
            case .leave(let isBreak): return isBreak ? .leaveRange : .nextRound
            }
        }
        return .normal
    }

    private mutating func loop(
        _ pipeline: GoPipeline, _ body: [GoNode], _ otherwise: [GoNode], dot: GoValue
    ) throws(GoTemplateError) -> Flow {
        var plain = pipeline
        plain.variables = []
        let pairs: [(GoValue, GoValue)]
        switch try evaluate(plain, dot: dot) {
        case .list(let values): pairs = values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
        case .map(let values): pairs = values.sorted { $0.key < $1.key }.map { (.string($0.key), $0.value) }
        case .int(let count):
            guard count <= Int64(Self.maximumSteps) else { throw GoTemplateError("range over too large a number") }
            pairs = (0..<max(0, count)).map { (.int($0), .int($0)) }
        case .none: pairs = []
        case let other: throw GoTemplateError("cannot range over \(other.typeName)", at: pipeline.offset)
        }
        if pairs.isEmpty { return try walk(otherwise, dot: dot) }
        for (key, value) in pairs {
            let mark = variables.count
            defer { variables.removeLast(variables.count - mark) }
            let values = pipeline.variables.count == 2 ? [key, value] : [value]
            for (name, value) in zip(pipeline.variables, values) {
                if pipeline.declares {
                    variables.append((name, value))
                } else {
                    try assign(name, value, pipeline.offset)
                }
            }
            if try walk(body, dot: value) == .leaveRange { break }
        }
        return .normal
    }

    private mutating func assign(_ name: String, _ value: GoValue, _ offset: Int) throws(GoTemplateError) {
        guard let index = variables.lastIndex(where: { $0.name == name }) else {
            throw GoTemplateError("$\(name) is not declared; write $\(name) := …", at: offset)
        }
        variables[index].value = value
    }

    private mutating func evaluate(_ pipeline: GoPipeline, dot: GoValue) throws(GoTemplateError) -> GoValue {
        var value: GoValue?
        for command in pipeline.commands { value = try evaluate(command, dot: dot, final: value) }
        let result = value ?? .none
        for name in pipeline.variables {
            if pipeline.declares { variables.append((name, result)) } else { try assign(name, result, pipeline.offset) }
        }
        return result
    }

    private mutating func evaluate(
        _ command: GoCommand, dot: GoValue, final: GoValue?
    ) throws(GoTemplateError) -> GoValue {
        guard let first = command.operands.first else { return .none }
        guard case .function(let name) = first else {
            guard command.operands.count == 1, final == nil else {
                throw GoTemplateError("only functions take arguments", at: command.offset)
            }
            return try evaluate(first, dot: dot, at: command.offset)
        }
        var arguments: [GoValue] = []
        for operand in command.operands.dropFirst() {
            let value = try evaluate(operand, dot: dot, at: command.offset)
            // Go stops as soon as the result is certain.
            if name == "and", !value.isTrue { return value }
            if name == "or", value.isTrue { return value }
            arguments.append(value)
        }
        if let final { arguments.append(final) }
        do {
            return try functions.call(name, arguments)
        } catch {
            throw GoTemplateError("\(name): \(error.message)", at: error.offset ?? command.offset)
        }
    }

    private mutating func evaluate(
        _ operand: GoOperand, dot: GoValue, at offset: Int
    ) throws(GoTemplateError) -> GoValue {
        switch operand {
        case .value(let value): return value
        case .dot(let fields): return try field(fields, of: dot, at: offset)
        case .variable(let name, let fields):
            guard let variable = variables.last(where: { $0.name == name }) else {
                throw GoTemplateError("$\(name) is not declared", at: offset)
            }
            return try field(fields, of: variable.value, at: offset)
        case .pipeline(let pipeline, let fields):
            return try field(fields, of: try evaluate(pipeline, dot: dot), at: offset)
        case .function(let name):
            do {
                return try functions.call(name, [])
            } catch {
                throw GoTemplateError("\(name): \(error.message)", at: error.offset ?? offset)
            }
        }
    }

    private func field(_ names: [String], of value: GoValue, at offset: Int) throws(GoTemplateError) -> GoValue {
        var value = value
        for name in names {
            switch value {
            case .map(let entries): value = entries[name] ?? .none
            // What is missing has no fields either, at any depth.
            case .none: return .none
            default: throw GoTemplateError("\(value.typeName) has no field .\(name)", at: offset)
            }
        }
        return value
    }
}

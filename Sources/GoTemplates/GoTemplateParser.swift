import Diagnostics

/// A parsed Go template.
package indirect enum GoNode: Hashable, Sendable {
    case text(String)
    case action(GoPipeline)
    case conditional(GoPipeline, then: [GoNode], otherwise: [GoNode])
    case with(GoPipeline, then: [GoNode], otherwise: [GoNode])
    case range(GoPipeline, body: [GoNode], otherwise: [GoNode])
    case leave(isBreak: Bool)
}

/// Commands, each of which gets the value of the one before it.
package struct GoPipeline: Hashable, Sendable {
    /// `$a` or `$i, $e` on the left of `:=` or `=`.
    package var variables: [String] = []
    package var declares = false
    package var commands: [GoCommand] = []
    package var offset = 0
}

/// A function or value, with its arguments.
package struct GoCommand: Hashable, Sendable {
    package var operands: [GoOperand]
    package var offset: Int
}

/// A word of a command.
package indirect enum GoOperand: Hashable, Sendable {
    case value(GoValue)
    /// The dot, or with fields `.A.B`.
    case dot([String])
    case variable(String, [String])
    case function(String)
    case pipeline(GoPipeline, [String])
}

/// The grammar of Go's text/template, without `define`, `template` and `block`, which have no use in one string.
package struct GoTemplateParser {
    private let tokens: [GoToken]
    private let functions: Set<String>
    private var index = 0
    private var depth = 0
    private var rangeDepth = 0

    /// Unknown functions are errors here, as in Go.
    package static func parse(_ text: String, functions: Set<String>) throws(GoTemplateError) -> [GoNode] {
        var parser = GoTemplateParser(tokens: try GoTemplateLexer.tokens(of: text), functions: functions)
        let (nodes, stop) = try parser.list()
        if let stop { throw GoTemplateError("unexpected {{\(stop.word)}}", at: stop.offset) }
        return nodes
    }

    private init(tokens: [GoToken], functions: Set<String>) {
        self.tokens = tokens
        self.functions = functions
    }

    private struct Stop {
        var word: String
        var offset: Int
    }

    private var current: GoToken { tokens[min(index, tokens.count - 1)] }

    private mutating func advance() { index = min(index + 1, tokens.count - 1) }

    private mutating func expectClose() throws(GoTemplateError) {
        guard current.kind == .close else { throw GoTemplateError("expected }}", at: current.offset) }
        advance()
    }

    /// Nodes up to the end or to `{{end}}` or `{{else…`; of the latter the keyword is consumed, the rest is not.
    private mutating func list() throws(GoTemplateError) -> ([GoNode], Stop?) {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw GoTemplateError("the template is nested too deeply", at: current.offset) }
        var nodes: [GoNode] = []
        while true {
            let token = current
            switch token.kind {
            case .end: return (nodes, nil)
            case .text(let text):
                nodes.append(.text(text))
                advance()
            default:
                advance()
                if case .identifier(let word) = current.kind {
                    switch word {
                    case "end", "else":
                        advance()
                        return (nodes, Stop(word: word, offset: token.offset))
                    case "if", "with", "range":
                        advance()
                        nodes.append(try control(word, at: token.offset))
                        continue
                    case "break", "continue":
                        guard rangeDepth > 0 else {
                            throw GoTemplateError("{{\(word)}} outside {{range}}", at: token.offset)
                        }
                        advance()
                        try expectClose()
                        nodes.append(.leave(isBreak: word == "break"))
                        continue
                    case "define", "template", "block":
                        throw GoTemplateError("{{\(word)}} has no use in a single string", at: token.offset)
                    default: break
                    }
                }
                let pipeline = try pipeline()
                try expectClose()
                nodes.append(.action(pipeline))
            }
        }
    }

    private mutating func control(_ word: String, at offset: Int) throws(GoTemplateError) -> GoNode {
        let condition = try pipeline()
        try expectClose()
        if word == "range" { rangeDepth += 1 }
        var (body, stop) = try list()
        if word == "range" { rangeDepth -= 1 }
        var otherwise: [GoNode] = []
        if stop?.word == "else" {
            if case .identifier(let next) = current.kind, next == "if" || next == "with" && word == "with" {
                let place = current.offset
                advance()
                depth += 1
                defer { depth -= 1 }
                guard depth < 100 else { throw GoTemplateError("the template is nested too deeply", at: place) }
                // The chain shares one {{end}}, which the inner node takes.
                otherwise = [try control(next, at: place)]
                return node(word, condition, body, otherwise)
            }
            try expectClose()
            (otherwise, stop) = try list()
        }
        guard let stop else { throw GoTemplateError("{{\(word)}} has no {{end}}", at: offset) }
        guard stop.word == "end" else { throw GoTemplateError("a second {{else}}", at: stop.offset) }
        try expectClose()
        return node(word, condition, body, otherwise)
    }

    private func node(_ word: String, _ condition: GoPipeline, _ body: [GoNode], _ otherwise: [GoNode]) -> GoNode {
        switch word {
        case "if": .conditional(condition, then: body, otherwise: otherwise)
        case "with": .with(condition, then: body, otherwise: otherwise)
        default: .range(condition, body: body, otherwise: otherwise)
        }
    }

    private mutating func pipeline() throws(GoTemplateError) -> GoPipeline {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw GoTemplateError("the template is nested too deeply", at: current.offset) }
        var pipeline = GoPipeline(offset: current.offset)
        let start = index
        while case .variable(let name) = current.kind {
            pipeline.variables.append(name)
            advance()
            if current.kind == .comma, pipeline.variables.count < 2 { advance() } else { break }
        }
        switch current.kind {
        case .declare where !pipeline.variables.isEmpty:
            pipeline.declares = true
            advance()
        case .assign where !pipeline.variables.isEmpty: advance()
        default:
            pipeline.variables = []
            index = start
        }
        while true {
            pipeline.commands.append(try command())
            guard current.kind == .pipe else { break }
            advance()
        }
        return pipeline
    }

    private mutating func command() throws(GoTemplateError) -> GoCommand {
        var command = GoCommand(operands: [], offset: current.offset)
        while let operand = try operand() { command.operands.append(operand) }
        if command.operands.isEmpty {
            throw GoTemplateError("expected a value or a function", at: current.offset)
        }
        if command.operands.count > 1, case .value = command.operands[0] {
            throw GoTemplateError("a literal cannot take arguments", at: command.offset)
        }
        return command
    }

    private mutating func operand() throws(GoTemplateError) -> GoOperand? {
        let token = current
        var operand: GoOperand
        switch token.kind {
        case .string(let text): operand = .value(.string(text))
        case .number(let value): operand = .value(value)
        case .dot: operand = .dot([])
        case .field(let name): operand = .dot([name])
        case .variable(let name): operand = .variable(name, [])
        case .leftParen:
            advance()
            let inner = try pipeline()
            guard current.kind == .rightParen else { throw GoTemplateError("expected )", at: current.offset) }
            operand = .pipeline(inner, [])
        case .identifier("true"): operand = .value(.bool(true))
        case .identifier("false"): operand = .value(.bool(false))
        case .identifier("nil"): operand = .value(.none)
        case .identifier(let name):
            guard functions.contains(name) else { throw unknown(name, at: token.offset) }
            operand = .function(name)
        default: return nil
        }
        advance()
        while case .field(let name) = current.kind, !current.hasSpaceBefore {
            switch operand {
            case .dot(let fields): operand = .dot(fields + [name])
            case .variable(let variable, let fields): operand = .variable(variable, fields + [name])
            case .pipeline(let inner, let fields): operand = .pipeline(inner, fields + [name])
            default: throw GoTemplateError("unexpected .\(name)", at: current.offset)
            }
            advance()
        }
        return operand
    }

    private func unknown(_ name: String, at offset: Int) -> GoTemplateError {
        let hint = suggestion(for: name, among: functions).map { "; did you mean \($0)?" } ?? ""
        return GoTemplateError(
            "no template function is called \(name)\(hint)", at: offset)
    }
}

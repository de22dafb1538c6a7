import ComponentModel
import GoTemplates

/// Turns the `{{ … }}` calls of a JSON template's texts into HCL.
///
/// HCL templates render texts as Go templates, too, so what HCL has no expression for goes on as it is, as long as it
/// asks for nothing that only JSON templates have.
struct EngineCalls {
    /// Where a text is, which decides what it may ask for.
    enum Place {
        /// The default of a variable: literals and `env`.
        case variable
        /// A local value, or an attribute that is evaluated before there is a build.
        case local
        case source
        /// An option of a provisioner or post-processor.
        case run
        /// Of these, one that is rendered when it is used, with fields of its own.
        case lateRun
    }

    let place: Place
    private let variables: UpgradeVariables
    /// What is left over and has no meaning in HCL.
    private(set) var leftovers: [String] = []

    init(_ place: Place, _ variables: UpgradeVariables) {
        self.place = place
        self.variables = variables
    }

    /// Functions that HCL's texts do not have.
    private static let lost: Set<String> = [
        "user", "env", "build", "template_dir", "consul_key", "vault", "aws_secretsmanager", "aws_secretsmanager_raw",
        "sed",
    ]

    mutating func convert(_ text: String) -> HCLText {
        guard text.contains("{{") else { return HCLText([.literal(text)]) }
        let parts = GoTemplateParts(text).parts
        let isPlain = !parts.contains { if case .action(let action) = $0 { action.isControl } else { false } }
        var result = HCLText()
        for part in parts {
            switch part {
            case .text(let text): result.append(.literal(text))
            case .action(let action):
                if !action.isControl, let pipeline = action.pipeline,
                    let expression = expression(pipeline, hasRootDot: isPlain)
                {
                    result.append(.expression(expression))
                } else {
                    for piece in inlined(action) { result.append(piece) }
                }
            }
        }
        return result
    }

    /// The action as text, with its calls of `user` and the like as interpolations in back quotes.
    private mutating func inlined(_ action: GoTemplateParts.Action) -> [HCLText.Piece] {
        var pieces: [HCLText.Piece] = []
        var lost: [String] = []
        for word in action.words {
            var expression: String?
            switch word.name {
            case "user": expression = word.argument.map(variables.reference)
            case "template_dir": expression = place == .variable ? nil : Self.directory
            case "build":
                if place == .run || place == .lateRun { expression = word.argument.map { "build.\($0)" } }
            case "env": if place == .local { expression = word.argument.map(variables.environment) }
            default: break
            }
            if let expression {
                pieces += [.literal("`"), .expression(expression), .literal("`")]
            } else {
                if let name = word.name, Self.lost.contains(name) { lost.append(name) }
                pieces.append(.literal(word.text))
            }
        }
        if !lost.isEmpty { leftovers.append(action.text) }
        return pieces
    }

    private static let directory = "abspath(path.root)"

    // MARK: Expressions

    private func expression(_ pipeline: GoPipeline, hasRootDot: Bool) -> String? {
        guard pipeline.variables.isEmpty else { return nil }
        var piped: GoOperand?
        var value: String?
        for command in pipeline.commands {
            guard let first = command.operands.first else { return nil }
            if case .function(let name) = first {
                guard
                    let result = call(
                        name, Array(command.operands.dropFirst()), piped: value, literal: piped, hasRootDot)
                else { return nil }
                value = result
                piped = nil
            } else {
                guard command.operands.count == 1, value == nil, let result = operand(first, hasRootDot) else {
                    return nil
                }
                value = result
                piped = first
            }
        }
        return value
    }

    private func operand(_ operand: GoOperand, _ hasRootDot: Bool) -> String? {
        switch operand {
        // The text would be rendered once more.
        case .value(.string(let text)): return text.contains("{{") ? nil : HCLText.quoted(text)
        case .pipeline(let inner, []): return expression(inner, hasRootDot: hasRootDot)
        case .function(let name): return call(name, [], piped: nil, literal: nil, hasRootDot)
        case .dot(let names):
            guard place == .run, hasRootDot, names.count == 1, RunData.keys.contains(names[0]) else { return nil }
            return "build.\(names[0])"
        default: return nil
        }
    }

    private func call(
        _ name: String, _ operands: [GoOperand], piped: String?, literal: GoOperand?, _ hasRootDot: Bool
    ) -> String? {
        var literals: [String?] = operands.map { if case .value(.string(let text)) = $0 { text } else { nil } }
        if case .value(.string(let text))? = literal { literals.append(text) }
        let single = literals.count == 1 ? literals[0] : nil
        switch name {
        case "user": return single.map(variables.reference)
        case "env" where place == .variable: return single.map { "env(\(HCLText.quoted($0)))" }
        case "env": return place == .local ? single.map(variables.environment) : nil
        case "vault", "consul_key", "aws_secretsmanager":
            let arguments = literals.compactMap { $0 }
            guard place == .local || place == .variable, arguments.count == literals.count else { return nil }
            return "\(name)(\(arguments.map(HCLText.quoted).joined(separator: ", ")))"
        case "build":
            guard place == .run || place == .lateRun, let single, isIdentifier(single) else { return nil }
            return "build.\(single)"
        case _ where place == .variable: return nil
        case "template_dir": return operands.isEmpty ? Self.directory : nil
        case "pwd": return operands.isEmpty ? "path.cwd" : nil
        case "packer_version": return operands.isEmpty ? "packer.version" : nil
        case "build_name": return place == .local || !operands.isEmpty ? nil : "source.name"
        case "build_type": return place == .local || !operands.isEmpty ? nil : "source.type"
        case "isotime" where literals.isEmpty && piped == nil: return "legacy_isotime()"
        case "isotime": return single.map { "legacy_isotime(\(HCLText.quoted($0)))" }
        case "strftime": return single.map { "legacy_strftime(\(HCLText.quoted($0)))" }
        default: break
        }
        var arguments = operands.map { operand($0, hasRootDot) }
        if let piped { arguments.append(piped) }
        let known = arguments.compactMap { $0 }
        switch (name, operands.count + (piped == nil ? 0 : 1)) {
        case ("upper", 1), ("lower", 1): return known.count == 1 ? "\(name)(\(known[0]))" : nil
        case ("replace_all", 3):
            return known.count == 3 && isPlain(literals[0]) ? "replace(\(known[2]), \(known[0]), \(known[1]))" : nil
        case ("split", 3):
            guard arguments.count == 3, let text = arguments[0], let separator = arguments[1],
                case .value(.int(let index))? = operands.last, index >= 0
            else { return nil }
            return "split(\(separator), \(text))[\(index)]"
        default: return nil
        }
    }

    /// HCL's `replace` takes a text between slashes for a regular expression in some versions.
    private func isPlain(_ text: String?) -> Bool {
        guard let text, !text.isEmpty else { return false }
        return !(text.hasPrefix("/") && text.hasSuffix("/") && text.count > 1)
    }
}

import ComponentModel
import Diagnostics
import HCL

/// A declared input variable and what became of its value.
struct Variable: Sendable {
    struct Validation: Sendable {
        var condition: Expression
        var message: String
    }

    var name: String
    var nameRange: SourceRange
    var header: SourceRange
    /// nil: the value's own type.
    var type: HCLType?
    /// The type of the default, which binds later values of a variable without a type.
    var defaultType: HCLType?
    var isSensitive = false
    var validations: [Validation] = []
    /// Unknown where a value was given or declared that is wrong.
    var value: Value?
    /// Where the value that won was written.
    var valueRange: SourceRange?
}

/// Reads the declarations of variables, gives them their values by precedence, and validates them.
struct VariableLoader {
    var variables: [String: Variable] = [:]
    var diagnostics: [Diagnostic] = []
    /// Values of the command line and the environment that diagnostics point into, and variable files.
    var files: [SourceFile] = []
    var secrets = SecretCollection()

    let options: LoadOptions
    var names: [String] = []
    /// A variable file could not be read to its end, so that a variable without a value may have one there.
    var lacksValues = false

    init(_ configuration: Configuration, _ options: LoadOptions) {
        self.options = options
        for block in configuration.variableBlocks {
            if block.type == "variables" { declareAll(block) } else { declare(block) }
        }
    }

    // MARK: Declarations

    private mutating func declare(_ block: Block) {
        let label = block.labels[0]
        var variable = Variable(name: label.text, nameRange: label.range, header: block.headerRange)
        var defaultExpression: Expression?
        for attribute in block.body.attributes {
            switch attribute.name {
            case "type":
                let parsed = HCLType.parse(attribute.expression)
                diagnostics += parsed.diagnostics
                variable.type = parsed.diagnostics.hasErrors ? .any : parsed.value
                // That it has no value would be a second error about one mistake.
                if parsed.diagnostics.hasErrors { variable.value = .unknown }
            case "default": defaultExpression = attribute.expression
            case "description": break
            case "sensitive": variable.isSensitive = flag(attribute)
            case "nullable", "ephemeral", "deprecated":
                diagnostics.append(
                    Diagnostic(
                        id: "template/unsupported-argument",
                        summary: "“\(attribute.name)” belongs to Terraform, not to Packer", detail: "Remove it.",
                        subject: attribute.nameRange))
            default:
                let known = BlockSpec.variable.names
                diagnostics.append(.unsupported(attribute, in: "variable", known))
                // The same here.
                if suggestion(for: attribute.name, among: known) == "default" { variable.value = .unknown }
            }
        }
        for inner in block.body.blocks {
            if inner.type == "validation" {
                if let validation = validation(inner, of: label.text) { variable.validations.append(validation) }
            } else {
                diagnostics.append(.unsupported(inner, in: "variable", ["validation"]))
            }
        }
        if let defaultExpression { setDefault(&variable, defaultExpression) }
        add(variable)
    }

    private mutating func declareAll(_ block: Block) {
        for attribute in block.body.attributes {
            var variable = Variable(name: attribute.name, nameRange: attribute.nameRange, header: attribute.nameRange)
            setDefault(&variable, attribute.expression)
            add(variable)
        }
        for inner in block.body.blocks { diagnostics.append(.unsupported(inner, in: "variables", [])) }
    }

    private mutating func add(_ variable: Variable) {
        var variable = variable
        if !isIdentifier(variable.name) {
            diagnostics.append(
                Diagnostic(
                    id: "template/invalid-name", summary: "“\(variable.name)” cannot be the name of a variable",
                    detail:
                        "A name has letters, digits, _ and -, and begins with a letter or _.\(variable.name.nameHint)",
                    subject: variable.nameRange))
            // No -var could name it.
            variable.value = .unknown
        }
        if let first = variables[variable.name] {
            diagnostics.append(
                Diagnostic(
                    id: "template/duplicate", summary: "The variable “\(variable.name)” is declared twice",
                    detail: "Remove or rename one of them.", subject: variable.nameRange,
                    notes: [Diagnostic.Note("first declared here", at: first.nameRange)]))
            return
        }
        variables[variable.name] = variable
        names.append(variable.name)
    }

    private mutating func flag(_ attribute: Attribute) -> Bool {
        let result = Evaluation.evaluate(attribute.expression, .literals)
        diagnostics += result.diagnostics
        switch result.value.optionValue {
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"), .null: return false
        default:
            if result.diagnostics.isEmpty {
                diagnostics.append(
                    Diagnostic(
                        id: "template/wrong-type", summary: "\(attribute.name) must be true or false",
                        subject: attribute.expression.range))
            }
            return true
        }
    }

    private mutating func setDefault(_ variable: inout Variable, _ expression: Expression) {
        variable.valueRange = expression.range
        variable.value = .unknown
        if let reference = expression.references.first {
            diagnostics.append(
                Diagnostic(
                    id: "template/reference-in-default",
                    summary: "The default of a variable cannot refer to other values",
                    detail:
                        "Write the value itself or env(\"NAME\"); what is computed from other values belongs in locals { … }.",
                    subject: reference.range))
            return
        }
        let result = Evaluation.evaluate(expression, .defaults(options.environment))
        diagnostics += result.diagnostics.map { problem in
            guard problem.id == "hcl/unknown-function" else { return problem.withheld(if: variable.isSensitive) }
            var problem = problem
            problem.summary = "The default of a variable can call no function but env"
            problem.detail = "What is computed belongs in locals { … }, which may use var.\(variable.name)."
            return problem
        }
        guard !result.diagnostics.hasErrors else { return }
        assign(&variable, result.value, at: expression.range, source: "default")
        if variable.type == nil { variable.defaultType = result.value.inferredVariableType }
    }

    private mutating func validation(_ block: Block, of name: String) -> Variable.Validation? {
        var condition: Expression?
        var messageAttribute: Attribute?
        for attribute in block.body.attributes {
            switch attribute.name {
            case "condition": condition = attribute.expression
            case "error_message": messageAttribute = attribute
            default: diagnostics.append(.unsupported(attribute, in: "validation", BlockSpec.validation.names))
            }
        }
        for inner in block.body.blocks { diagnostics.append(.unsupported(inner, in: "validation", [])) }
        guard let condition, let messageAttribute else {
            diagnostics.append(
                Diagnostic(
                    id: "template/missing-option",
                    summary: "A validation block needs \(condition == nil ? "condition" : "error_message")",
                    detail: "It takes condition = … and error_message = \"…\".", subject: block.headerRange))
            return nil
        }
        let message = Evaluation.evaluate(messageAttribute.expression, .literals)
        diagnostics += message.diagnostics
        guard case .string(let written) = message.value.optionValue else { return nil }
        // A heredoc ends in a line break.
        let text = String(
            written.trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        if text.first.map({ $0.isLetter && !$0.isUppercase }) ?? true
            || !(text.last.map { ".?!".contains($0) } ?? false)
        {
            diagnostics.append(
                Diagnostic(
                    id: "template/validation-message", summary: "error_message is not a sentence",
                    detail: "Begin it with a capital letter and end it with a full stop, ? or !.",
                    subject: messageAttribute.expression.range))
        }
        let others = condition.references.filter { $0.path.first != "var" || $0.path.count > 1 && $0.path[1] != name }
        if let other = others.first {
            diagnostics.append(
                Diagnostic(
                    id: "template/validation-reference",
                    summary: "The condition of var.\(name) refers to something else",
                    detail: "A condition can only look at var.\(name) itself.", subject: other.range))
            return nil
        }
        if condition.references.isEmpty {
            diagnostics.append(
                Diagnostic(
                    id: "template/validation-reference", summary: "The condition does not look at var.\(name)",
                    detail: "A condition that is always the same validates nothing.", subject: condition.range))
            return nil
        }
        return Variable.Validation(condition: condition, message: text)
    }
}

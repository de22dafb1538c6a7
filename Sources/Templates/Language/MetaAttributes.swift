import BootCommand
import Diagnostics
import HCL

/// What every provisioner and post-processor block can say beside its component's own options.
struct MetaAttributes: Sendable {
    static let provisioner: Set<String> = [
        "name", "pause_before", "max_retries", "timeout", "only", "except", "override", "continue_on_error",
    ]
    static let postProcessor: Set<String> = ["name", "keep_input_artifact", "only", "except"]

    var name: String?
    var pauseBefore: Duration?
    var timeout: Duration?
    var maxRetries = 0
    var continueOnError = false
    var keepInputArtifact: Bool?
    var only: [String]?
    var except: [String]?
    /// Options by the use name of a source.
    var overrides: [String: [OptionBody.Option]] = [:]

    /// Only these attributes of the block are looked at. Its scope has `build.name` and no other `build.*`.
    init(_ block: ExpandedBlock, _ names: Set<String>, _ evaluator: inout BodyEvaluator) {
        var ranges: [String: SourceRange] = [:]
        for attribute in block.body.attributes where names.contains(attribute.name) {
            let value = evaluator.value(attribute.expression, block.scope).optionValue
            if case .null = value { continue }
            if case .unknown = value { continue }
            ranges[attribute.name] = attribute.nameRange
            if attribute.name == "override" {
                readOverrides(value, attribute, &evaluator)
            } else if !read(attribute.name, value) {
                evaluator.report(
                    Diagnostic(
                        id: "template/wrong-type",
                        summary: "\(attribute.name) must be \(Self.form(of: attribute.name))",
                        subject: attribute.expression.range))
            }
        }
        if only != nil, except != nil {
            evaluator.report(
                Diagnostic(
                    id: "template/exclusive-options", summary: "only and except cannot be given together",
                    detail: "Remove one of them.", subject: ranges["except"],
                    notes: ranges["only"].map { [Diagnostic.Note("only is set here", at: $0)] } ?? []))
        }
    }

    /// Whether a source takes part, by `TYPE.USE_NAME`.
    func includes(_ key: String) -> Bool {
        if let only { return only.contains(key) }
        if let except { return !except.contains(key) }
        return true
    }

    private static func form(of name: String) -> String {
        switch name {
        case "pause_before", "timeout": "a duration such as \"10s\" or \"1m30s\""
        case "max_retries": "a whole number that is not negative"
        case "continue_on_error", "keep_input_artifact": "true or false"
        case "only", "except": "a list of sources, such as [\"qemu.NAME\"]"
        default: "text"
        }
    }

    private mutating func read(_ name: String, _ value: OptionValue) -> Bool {
        switch name {
        case "name":
            self.name = value.text
            return value.text != nil
        case "pause_before", "timeout":
            guard let text = value.text, let duration = parseGoDuration(text) else { return false }
            if name == "timeout" {
                timeout = duration > .zero ? duration : nil
            } else {
                pauseBefore = duration > .zero ? duration : nil
            }
        case "max_retries":
            guard let text = value.text, let count = Int(text), (0...1_000_000).contains(count) else { return false }
            maxRetries = count
        case "continue_on_error", "keep_input_artifact":
            let flag: Bool
            switch value {
            case .bool(let given): flag = given
            case .string("true"): flag = true
            case .string("false"): flag = false
            default: return false
            }
            if name == "continue_on_error" { continueOnError = flag } else { keepInputArtifact = flag }
        default:
            guard case .list(let values) = value else { return false }
            let names = values.compactMap(\.text)
            guard names.count == values.count else { return false }
            // An empty list is as good as none.
            if names.isEmpty { return true }
            if name == "only" { only = names } else { except = names }
        }
        return true
    }

    private mutating func readOverrides(
        _ value: OptionValue, _ attribute: Attribute, _ evaluator: inout BodyEvaluator
    ) {
        guard case .map(let sources) = value else {
            evaluator.report(Self.wrongOverride(attribute))
            return
        }
        for source in sources {
            guard case .map(let options) = source.value else {
                evaluator.report(Self.wrongOverride(attribute))
                continue
            }
            overrides[source.key] = options.map { option in
                OptionBody.Option(
                    name: option.key, nameRange: attribute.nameRange, value: option.value,
                    valueRange: attribute.expression.range)
            }
        }
    }

    private static func wrongOverride(_ attribute: Attribute) -> Diagnostic {
        Diagnostic(
            id: "template/wrong-type", summary: "override must be an object of objects",
            detail: "Write override = { SOURCE_NAME = { option = value } }.", subject: attribute.expression.range)
    }
}

extension OptionBody {
    /// With `overrides` in place of options of the same name.
    func overridden(by overrides: [Option]) -> OptionBody {
        guard !overrides.isEmpty else { return self }
        var body = self
        let names = Set(overrides.map(\.name))
        body.options.removeAll { names.contains($0.name) }
        body.options += overrides
        return body
    }
}

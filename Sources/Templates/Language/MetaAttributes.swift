import BootCommand
import ComponentModel
import Diagnostics

/// What every provisioner and post-processor block can say beside its component's own options.
struct MetaAttributes: Sendable {
    static let provisioner = Set(BlockSpec.provisioner.names)
    static let postProcessor = Set(BlockSpec.postProcessor.names)

    var name: String?
    var pauseBefore: Duration?
    var timeout: Duration?
    var maxRetries = 0
    var continueOnError = false
    var checkpoint: Bool?
    var keepInputArtifact: Bool?
    var only: [String]?
    var except: [String]?
    /// Options by the use name of a source.
    var overrides: [String: [OptionBody.Option]] = [:]

    /// What is wrong with them.
    private(set) var diagnostics: [Diagnostic] = []
    /// Where values are missing that are not known yet.
    private(set) var unknowns: [SourceRange?] = []
    /// Where `only`, `except` and `override` name builds.
    private(set) var places: [String: SourceRange] = [:]
    /// The same of each element, where lists are written out.
    private(set) var elementPlaces: [String: [SourceRange]] = [:]

    /// `buildSample` is how `only` and `except` name a build, for messages.
    init(_ attributes: [OptionBody.Option], buildSample: String) {
        var ranges: [String: SourceRange] = [:]
        for attribute in attributes {
            if case .null = attribute.value { continue }
            // What an override gives an option is looked at with the option.
            if attribute.name == "override" ? attribute.value == .unknown : attribute.value.isUnknown {
                unknowns.append(attribute.valueRange)
                continue
            }
            ranges[attribute.name] = attribute.nameRange
            places[attribute.name] = attribute.valueRange ?? attribute.nameRange
            elementPlaces[attribute.name] = attribute.elementRanges
            if attribute.name == "override" {
                readOverrides(attribute)
            } else if !read(attribute.name, attribute.value) {
                diagnostics.append(
                    Diagnostic(
                        id: "template/wrong-type",
                        summary: "\(attribute.name) must be \(Self.form(of: attribute.name, buildSample))",
                        detail: Self.advice(attribute),
                        subject: attribute.valueRange))
            }
        }
        if only != nil, except != nil {
            diagnostics.append(
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

    private static func advice(_ attribute: OptionBody.Option) -> String {
        let text = attribute.value.text ?? ""
        switch attribute.name {
        case "pause_before", "timeout": return ValueHints.duration(text).map { "Write \"\($0)\"." } ?? ""
        case "only", "except": return text.isEmpty ? "" : "Put square brackets around it: [\"\(text)\"]."
        case "continue_on_error", "checkpoint", "keep_input_artifact":
            return ValueHints.bool(text).map { "Write \($0)." } ?? ""
        default: return ""
        }
    }

    private static func form(of name: String, _ buildSample: String) -> String {
        switch name {
        case "pause_before", "timeout": "a duration such as \"10s\" or \"1m30s\""
        case "max_retries": "a whole number that is not negative"
        case "continue_on_error", "checkpoint", "keep_input_artifact": "true or false"
        case "only", "except": "a list of builds, such as [\"\(buildSample)\"]"
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
        case "continue_on_error", "checkpoint", "keep_input_artifact":
            let flag: Bool
            switch value {
            case .bool(let given): flag = given
            case .string("true"): flag = true
            case .string("false"): flag = false
            default: return false
            }
            switch name {
            case "continue_on_error": continueOnError = flag
            case "checkpoint": checkpoint = flag
            default: keepInputArtifact = flag
            }
        default:
            guard case .list(let values) = value else { return false }
            let names = values.compactMap(\.text)
            guard names.count == values.count else { return false }
            // An empty list means the same as none.
            if names.isEmpty { return true }
            if name == "only" { only = names } else { except = names }
        }
        return true
    }

    private mutating func readOverrides(_ attribute: OptionBody.Option) {
        guard case .map(let sources) = attribute.value else {
            diagnostics.append(Self.wrongOverride(attribute))
            return
        }
        for source in sources {
            guard case .map(let options) = source.value else {
                diagnostics.append(Self.wrongOverride(attribute))
                continue
            }
            overrides[source.key] = options.map { option in
                OptionBody.Option(
                    name: option.key, nameRange: attribute.nameRange, value: option.value,
                    valueRange: attribute.valueRange)
            }
        }
    }

    private static func wrongOverride(_ attribute: OptionBody.Option) -> Diagnostic {
        Diagnostic(
            id: "template/wrong-type", summary: "override must be an object of objects",
            detail: "Write override = { SOURCE_NAME = { option = value } }.", subject: attribute.valueRange)
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

import ComponentModel
import Diagnostics
import HCL
import Scopes

/// A provisioner or post-processor of one build, whose options are evaluated when it is planned and again when it runs.
struct ComponentInstance: Sendable {
    /// The built-in type.
    var type: String
    var specs: [Option]
    /// For messages: `provisioner "shell"`.
    var component: String
    var context: ComponentContext
    /// The options, with the values of the run; nil for those before it.
    var evaluate: @Sendable (RunData?) -> Diagnosed<OptionBody>

    func reader(_ options: OptionBody) -> OptionReader {
        OptionReader(options, specs, component: component, context: context.template)
    }

    /// The options with the values of the run.
    func read(_ data: RunData) -> (OptionReader, [Diagnostic]) {
        let options = evaluate(data)
        var diagnostics = options.diagnostics
        if !diagnostics.hasErrors, let place = options.value.unknowns.first {
            diagnostics.append(
                Diagnostic(id: "template/unknown-value", summary: "This value is not known", subject: place))
        }
        return (reader(options.value), diagnostics)
    }
}

/// Turns what is wrong with options at run time into an error.
struct FailureRenderer: Sendable {
    var files: [SourceFile]
    var secrets: SecretCollection

    func check<Settings>(_ settings: Settings?, _ diagnostics: [Diagnostic]) throws(TemplateFailure) -> Settings {
        let errors = secrets.redacted(diagnostics.filter { $0.severity == .error }, files: files)
        guard let settings, errors.isEmpty else {
            let renderer = DiagnosticRenderer(files: secrets.masked(files))
            throw TemplateFailure(errors.bounded().map(renderer.render).joined(separator: "\n"))
        }
        return settings
    }
}

extension RunData {
    /// Every key as the text `<unknown>`.
    static let placeholders = Dictionary(keys.map { ($0, "<unknown>") }, uniquingKeysWith: { first, _ in first })

    /// `build` as an object.
    func value(buildName: String) -> Value {
        let texts = templateData.filter { $0.key != "Port" }.mapValues { Value.string($0) }
        return .object(texts.merging(["name": .string(buildName), "Port": .integer(port)]) { $1 })
    }

    /// `build` before there is a run.
    static func placeholders(buildName: String) -> Value {
        .object(placeholders.mapValues(Value.string).merging(["name": .string(buildName)]) { $1 })
    }
}

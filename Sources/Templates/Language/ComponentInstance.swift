import Diagnostics
import HCL
import Scopes

/// A provisioner or post-processor of one build, whose options are evaluated when it is planned and again when it runs.
struct ComponentInstance: Sendable {
    var block: ExpandedBlock
    var meta: Set<String>
    var overrides: [OptionBody.Option]
    var specs: [OptionSpec]
    var component: String
    var buildName: String
    var context: ComponentContext
    var evaluator: BodyEvaluator

    func options(_ evaluator: inout BodyEvaluator) -> OptionBody {
        evaluator.options(block, without: meta).overridden(by: overrides)
    }

    func reader(_ options: OptionBody) -> OptionReader {
        OptionReader(options, specs, component: component, context: context.template)
    }

    /// The options with the values of the run.
    func read(_ data: RunData) -> (OptionReader, [Diagnostic]) {
        var instance = self
        instance.block.define("build", data.value(buildName: buildName))
        var body = evaluator
        let options = instance.options(&body)
        var diagnostics = body.diagnostics
        if !diagnostics.hasErrors, let open = options.options.first(where: \.value.isUnknown) {
            diagnostics.append(
                Diagnostic(
                    id: "template/unknown-value", summary: "The value of \(open.name) is not known",
                    subject: open.valueRange))
        }
        return (reader(options), diagnostics)
    }
}

/// Turns what is wrong with options at run time into an error.
struct FailureRenderer: Sendable {
    var files: [SourceFile]
    var secrets: SecretCollection

    func check<Settings>(_ settings: Settings?, _ diagnostics: [Diagnostic]) throws(TemplateFailure) -> Settings {
        let errors = secrets.redacted(diagnostics.filter { $0.severity == .error }, files: files)
        guard let settings, errors.isEmpty else {
            let renderer = DiagnosticRenderer(files: files)
            throw TemplateFailure(errors.map(renderer.render).joined(separator: "\n"))
        }
        return settings
    }
}

extension RunData {
    /// `build` as an object.
    func value(buildName: String) -> Value {
        let texts = templateData.filter { $0.key != "Port" }.mapValues { Value.string($0) }
        return .object(texts.merging(["name": .string(buildName), "Port": .integer(port)]) { $1 })
    }

    /// `build` before there is a run: every key is the text `<unknown>`.
    static func placeholders(buildName: String) -> Value {
        let keys = [
            "ID", "Host", "Port", "User", "Password", "ConnType", "PackerRunUUID", "PackerHTTPIP", "PackerHTTPPort",
            "PackerHTTPAddr", "SSHPublicKey", "SSHPrivateKey", "WinRMPassword",
        ]
        var values = Dictionary(uniqueKeysWithValues: keys.map { ($0, Value.string("<unknown>")) })
        values["name"] = .string(buildName)
        return .object(values)
    }
}

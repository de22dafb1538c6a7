import ArgumentParser
import Templates

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows a template's variables, locals and builds.",
        discussion: "Sensitive values are shown as <sensitive>, variables without a value as <unknown>.")

    @Flag(
        help: ArgumentHelp(
            "Accepted for compatibility; the order of evaluation is always that of the needs.", visibility: .hidden))
    var useSequentialEvaluation = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var template: TemplateOptions

    func run() async throws {
        let options = try template.loadOptions()
        try await runningDataSources(of: options) { try await inspectTemplate(options, running: $0) }.show(output)
    }
}

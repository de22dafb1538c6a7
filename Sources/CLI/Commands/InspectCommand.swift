import ArgumentParser
import Templates

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows a template's variables, locals and builds.",
        discussion: "Sensitive values are shown as <sensitive>, variables without a value as <unknown>.")

    @Flag(
        help: ArgumentHelp(
            "Accepted for compatibility; the order of evaluation is always that of the needs.", visibility: .hidden))
    var useSequentialEvaluation = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var template: TemplateOptions

    func run() throws {
        try inspectTemplate(try template.loadOptions()).show(output)
    }
}

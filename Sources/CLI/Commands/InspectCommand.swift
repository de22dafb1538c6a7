import ArgumentParser
import Foundation
import Templates

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows a template's variables, locals and builds.",
        discussion: "Sensitive values are shown as <sensitive>, variables without a value as <unknown>.")

    @Flag(
        help: ArgumentHelp(
            "Accepted for compatibility; the order of evaluation is always that of the needs.", visibility: .hidden))
    var useSequentialEvaluation = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @OptionGroup var template: TemplateOptions

    func run() async throws {
        let options = try template.loadOptions(
            force: false, isValidation: true, warnsOnUndeclared: false, startTime: Date())
        let report = try await runningDataSources(of: options) { try await inspectTemplate(options, running: $0) }
        try report.show(color: color)
    }
}

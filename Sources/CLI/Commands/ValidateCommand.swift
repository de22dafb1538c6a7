import ArgumentParser
import Diagnostics
import Pipeline
import Templates

/// Not asynchronous unless it runs data sources: starting the thread pool would take a good part of its time and memory.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Checks a template with its files and variables, without building it.",
        discussion: """
            Reports all problems at once. Exit codes: 0 valid, perhaps with warnings; 1 not valid; 2 wrong usage.
            """)

    @Flag(help: "Checks only the syntax, without variables and files.")
    var syntaxOnly = false

    @Flag(help: "Does not warn about variables that a file sets but the template does not declare.")
    var noWarnUndeclaredVar = false

    @Flag(help: "Runs the data sources; otherwise their values are unknown.")
    var evaluateDatasources = false

    @Flag(help: "Prints each finding as a JSON object.")
    var json = false

    @Flag(help: .hidden)
    var ignorePrereleasePlugins = false

    @Flag(help: .hidden)
    var useSequentialEvaluation = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var template: TemplateOptions

    func run() throws {
        let options = try loadOptions()
        try report(syntaxOnly ? checkSyntax(options) : loadPlan(options))
    }

    /// Runs the command with `-evaluate-datasources`.
    func runWithDataSources() async throws {
        if syntaxOnly { return try run() }
        let options = try loadOptions()
        try report(await runningDataSources(of: options) { try await loadPlan(options, running: $0) })
    }

    private func loadOptions() throws -> LoadOptions {
        try template.loadOptions(selection: selection, warnsOnUndeclared: !noWarnUndeclaredVar)
    }

    private func report(_ loaded: LoadedPlan) throws {
        let printer = DiagnosticPrinter(files: loaded.files, json: json, output: output)
        let diagnostics = loaded.plan.diagnostics
        printer.print(diagnostics)
        if diagnostics.hasErrors { throw ExitCode(1) }
        let message = syntaxOnly ? "Syntax-only check passed. Everything looks okay." : "The configuration is valid."
        if json && !output.machineReadable {
            print(jsonObject(["event": "valid", "text": .string(message)]))
        } else {
            output.say(message + "\n")
        }
    }
}

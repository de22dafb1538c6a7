import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Templates

/// It is not asynchronous by itself, since the threads for that cost it a good part of its time and memory.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Checks a template, with its files and variables, and builds nothing.")

    @Flag(help: "Checks the syntax alone.")
    var syntaxOnly = false

    @Flag(help: "Does not warn about variables that a file sets and the template does not declare.")
    var noWarnUndeclaredVar = false

    @Flag(help: "Runs the data sources, whose values are unknown otherwise.")
    var evaluateDatasources = false

    @Flag(help: "Prints one JSON object a line.")
    var json = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @OptionGroup var template: TemplateOptions

    func run() throws {
        let options = try loadOptions()
        try report(syntaxOnly ? checkSyntax(options) : loadPlan(options))
    }

    /// For `evaluateDatasources`.
    func runWithDataSources() async throws {
        if syntaxOnly { return try run() }
        let options = try loadOptions()
        try report(await runningDataSources(of: options) { try await loadPlan(options, running: $0) })
    }

    private func loadOptions() throws -> LoadOptions {
        try template.loadOptions(
            force: false, isValidation: true, warnsOnUndeclared: !noWarnUndeclaredVar, startTime: Date())
    }

    private func report(_ loaded: LoadedPlan) throws {
        let printer = DiagnosticPrinter(files: loaded.files, json: json, color: color)
        let diagnostics = loaded.plan.diagnostics
        printer.print(diagnostics)
        if diagnostics.hasErrors { throw ExitCode(1) }
        let message = syntaxOnly ? "Syntax-only check passed. Everything looks okay." : "The configuration is valid."
        print(json ? jsonObject(["event": "valid", "text": message]) : message)
    }
}

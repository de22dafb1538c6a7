import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Templates

struct ValidateCommand: AsyncParsableCommand {
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

    func run() async throws {
        let options = try template.loadOptions(
            force: false, isValidation: true, warnsOnUndeclared: !noWarnUndeclaredVar, startTime: Date())
        let loaded: LoadedPlan
        if syntaxOnly {
            loaded = checkSyntax(options)
        } else if evaluateDatasources {
            loaded = try await runningDataSources(of: options) { try await loadPlan(options, running: $0) }
        } else {
            loaded = loadPlan(options)
        }
        let printer = DiagnosticPrinter(files: loaded.files, json: json, color: color)
        let diagnostics = loaded.plan.diagnostics
        printer.print(diagnostics)
        if diagnostics.hasErrors { throw ExitCode(1) }
        let message = syntaxOnly ? "Syntax-only check passed. Everything looks okay." : "The configuration is valid."
        print(json ? jsonObject(["event": "valid", "text": message]) : message)
    }
}

import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Templates

/// A template loaded for a build.
struct LoadedRun {
    var plan: Plan
    var context: RunContext
}

extension TemplateOptions {
    /// Loads the template, runs its data sources, and prints the diagnostics.
    ///
    /// - Parameter files: Takes the template's files, also where they have errors.
    /// - Throws: `ExitCode(1)` if it has errors; they are printed.
    func loadForRun(
        selection: SelectionOptions, force: Bool, warnsOnUndeclared: Bool = false, json: Bool = false,
        noting files: NamedFiles? = nil, _ output: OutputOptions
    ) async throws -> LoadedRun {
        let startTime = Date()
        let options = try loadOptions(
            selection: selection, force: force, isValidation: false, warnsOnUndeclared: warnsOnUndeclared,
            startTime: startTime)
        let loaded = try await runningDataSources(of: options) { try await loadPlan(options, running: $0) }
        for name in loaded.files.map(\.name) {
            files?.note(name.hasPrefix("/") ? name : options.workingDirectory + "/" + name)
        }
        DiagnosticPrinter(files: loaded.files, json: json, output: output).print(loaded.plan.diagnostics)
        guard let plan = try? loaded.plan.get() else { throw ExitCode(1) }  // The errors are printed above.
        let context = RunContext(
            workingDirectory: options.workingDirectory, templateDirectory: directory(in: options.workingDirectory),
            templatePath: absolutePath(in: options.workingDirectory), runUUID: UUID().uuidString.lowercased(),
            startTime: startTime, force: force, environment: options.environment)
        return LoadedRun(plan: plan, context: context)
    }
}

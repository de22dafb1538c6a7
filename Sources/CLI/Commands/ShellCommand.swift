import ArgumentParser
import Diagnostics
import Foundation
import Pipeline
import Scopes
import Templates

struct ShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Opens a shell in a machine from a checkpoint.",
        discussion: """
            The machine is brought back as it was after a stage of the last build, by default the last stage that has \
            a checkpoint, and thrown away when the shell is left.
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var template: TemplateOptions

    @Argument(help: "The stage: install, or a provisioner's number or name.")
    var stage: String?

    func run() async throws {
        let startTime = Date()
        let options = try template.loadOptions(
            selection: selection, force: true, isValidation: false, warnsOnUndeclared: false, startTime: startTime)
        let loaded = try await runningDataSources(of: options) { try await loadPlan(options, running: $0) }
        DiagnosticPrinter(files: loaded.files, json: false, output: output).print(loaded.plan.diagnostics)
        guard let plan = try? loaded.plan.get() else { throw ExitCode(1) }  // What was wrong is printed above.
        guard plan.builds.count == 1 else {
            throw UsageError(
                message: "The template has \(plan.builds.count) builds; choose one by -only: "
                    + plan.builds.map(\.name).joined(separator: ", "))
        }
        let context = RunContext(
            workingDirectory: options.workingDirectory,
            templateDirectory: template.directory(in: options.workingDirectory),
            templatePath: template.absolutePath(in: options.workingDirectory),
            runUUID: UUID().uuidString.lowercased(), startTime: startTime, force: true,
            environment: options.environment)
        let folders = StateFolders(environment: options.environment)
        let console = Console(usesColor: output.usesColor, timestamps: false)
        let shell = ShellSession(
            plan: plan, context: context, checkpoints: CheckpointOptions(store: folders.checkpoints),
            sinks: [console], runsDirectory: folders.runs)
        let stage = stage
        let (_, signal) = try await Interruption().run(announce: { _ in }) {
            do { try await shell.run(after: stage) } catch is CancellationError {}
        }
        if let signal { throw ExitCode(128 + signal) }
    }
}

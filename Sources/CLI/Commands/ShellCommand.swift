import ArgumentParser
import Foundation
import Pipeline
import Scopes
import Templates

struct ShellCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Opens a shell in a machine restored from a checkpoint.",
        discussion: """
            Restores the machine as it was after a stage of the last build, by default the last stage that has a \
            checkpoint, and discards it when you leave the shell.
            """)

    @OptionGroup var output: OutputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var template: TemplateOptions

    @Argument(help: "The stage: install, or a provisioner's number or name.")
    var stage: String?

    func run() async throws {
        let loaded = try await template.loadForRun(selection: selection, force: true, output)
        let plan = loaded.plan
        guard plan.builds.count == 1 else {
            throw UsageError(
                message: "The template has \(plan.builds.count) builds; select one with -only: "
                    + plan.builds.map(\.name).joined(separator: ", "))
        }
        let folders = StateFolders(environment: loaded.context.environment)
        let console = Console(usesColor: output.usesColor, timestamps: false, device: .standardOutput)
        let shell = ShellSession(
            plan: plan, context: loaded.context, checkpoints: CheckpointOptions(store: folders.checkpoints),
            sinks: [console], runsDirectory: folders.runs)
        let stage = stage
        let (status, signal) = try await Interruption().run(announce: { _ in }) {
            do { return try await shell.run(after: stage) } catch is CancellationError { return 0 }
        }
        if let signal { throw ExitCode(128 + signal) }
        if status != 0 { throw ExitCode(status) }
    }
}

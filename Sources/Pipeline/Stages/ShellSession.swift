import Checkpoints
import ComponentModel
import Foundation
import Processes
import Scopes
package import Templates

/// `ingot shell`: restores a machine from a checkpoint, opens a shell in it for a person, and throws it away.
package struct ShellSession: Sendable {
    let plan: Plan
    let context: RunContext
    let checkpoints: CheckpointOptions
    let sinks: [any EventSink]
    /// Where run folders are made.
    let runsDirectory: String

    package init(
        plan: Plan, context: RunContext, checkpoints: CheckpointOptions, sinks: [any EventSink], runsDirectory: String
    ) {
        self.plan = plan
        self.context = context
        self.checkpoints = checkpoints
        self.sinks = sinks
        self.runsDirectory = runsDirectory
    }

    /// Opens a shell in the plan's only build, and returns when the person leaves it.
    ///
    /// - Parameter stage: The stage whose checkpoint is opened; nil for the last one that has a checkpoint.
    /// - Returns: The shell's exit status.
    /// - Throws: `BuildError`, also where the stage has no checkpoint, with the reason.
    package func run(after stage: String?) async throws -> Int32 {
        guard let build = plan.builds.first else { return 0 }
        let index = try stage.map { try BuildStages.index(of: $0, in: build) }
        let runFolder = try RunFolder(base: runsDirectory, build: build.name, now: Date())
        let engine = Engine(connectURI: nil, environment: context.environment)
        let scope = BuildScope(
            plan: build, context: context,
            options: BuildOptions(onError: .cleanup, connectURI: nil, checkpoints: checkpoints), engine: engine,
            reporter: Reporter(build: build.name, sinks: sinks + [runFolder], secrets: plan.secrets),
            attendant: Attendant(onError: .cleanup, pausesBetweenSteps: false, ask: nil), runFolder: runFolder.path,
            secrets: plan.secrets)
        let result: Result<Int32, any Error>
        do { result = .success(try await open(scope, after: index)) } catch { result = .failure(error) }
        await engine.close()
        return try result.get()
    }

    private func open(_ scope: BuildScope, after index: Int?) async throws -> Int32 {
        let operation = "open a shell in \(scope.plan.name)"
        return try await withTeardowns(report: scope.reporter.teardownFailed) { teardowns in
            let medium = try await FetchMedium(scope: scope).run()
            guard let checkpoints = try await BuildCheckpoints.open(scope, medium),
                case .ssh(let settings) = scope.source.communicator
            else { throw BuildError(operation, because: "no checkpoints are kept of it") }
            let (checkpoint, stage) = try await checkpoints.checkpoint(after: index)
            teardowns.add("give the checkpoint back") { _ in checkpoint.release() }
            scope.reporter.news("Opening a shell after \(stage), in a machine that is thrown away afterwards")

            let workspace = try await PrepareWorkspace(
                source: scope.source, context: scope.context, engine: scope.engine, reporter: scope.reporter
            ).temporary(teardowns)
            let services = try await ServeFiles(scope: scope).run(teardowns)
            let prepared = Preparation(
                medium: medium, workspace: workspace, services: services, keys: Task { nil })
            @Sendable func orFail<Value>(_ attempt: Attempt<Value>) throws -> Value {
                switch attempt {
                case .done(let value): return value
                case .restart(let reason):
                    throw BuildError(
                        operation, because: "\(reason)", hint: "`ingot build` makes new checkpoints.")
                }
            }
            let started = try orFail(
                await StartMachine(scope: scope, prepared: prepared).resume(checkpoint, of: checkpoints, teardowns))
            return try await started.machine.whileRunning {
                let guest = try orFail(
                    await ReachGuest(scope: scope, services: services).run(started, started.keys, teardowns))
                let data = RunData(scope, started.machine, services, keys: started.keys)
                if let frozenFor = started.frozenFor, let guest {
                    try await RefreshGuest(scope: scope, data: data).run(guest, frozenFor: frozenFor)
                }
                return try await OpenShell(
                    settings: settings, context: scope.context, workspace: workspace, reporter: scope.reporter
                )
                .run(started.machine, started.keys).shellStatus
            }
        }
    }
}

import Foundation
package import Templates

/// `ingot shell`: a machine from a checkpoint, for a person.
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

    /// Opens a shell in the plan's only build, and returns when it is left.
    package func run(after stage: String?) async throws {
        guard let build = plan.builds.first else { return }
        let runFolder = try RunFolder(base: runsDirectory, build: build.name, now: Date())
        let reporter = Reporter(build: build.name, sinks: sinks + [runFolder], secrets: plan.secrets)
        let engine = Engine(connectURI: nil, environment: context.environment)
        var context = context
        context.build = build
        let result: Result<Void, any Error>
        do {
            try await Build(
                plan: build, context: context,
                options: BuildOptions(onError: .cleanup, connectURI: nil, checkpoints: checkpoints), engine: engine,
                reporter: reporter, runFolder: runFolder,
                attendant: Attendant(onError: .cleanup, pausesBetweenSteps: false, ask: nil), secrets: plan.secrets
            ).openShell(after: stage)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await engine.close()
        try result.get()
    }
}

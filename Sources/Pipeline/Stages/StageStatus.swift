import Checkpoints
import ComponentModel
import Foundation
package import Templates

/// What a build would do with one of its stages.
package struct StageStatus: Sendable {
    package var title: String
    /// The id of the checkpoint that is used instead; nil where the stage is run.
    package var checkpoint: String?
    /// Why the stage is run; nil for the stages after the first that is run, which are run because it is.
    package var reason: String?
}

/// `ingot checkpoints status`: finds out what a build would do, without doing it.
package struct BuildStatus: Sendable {
    let context: RunContext
    let options: CheckpointOptions
    let sinks: [any EventSink]

    package init(context: RunContext, options: CheckpointOptions, sinks: [any EventSink]) {
        self.context = context
        self.options = options
        self.sinks = sinks
    }

    /// The state of one build.
    package enum Outcome: Sendable {
        case stages([StageStatus])
        /// No checkpoints are kept, with the reason.
        case none(String)
    }

    /// The outcome of each build, by its name.
    package func run(_ plan: Plan) async throws -> [(build: String, outcome: Outcome)] {
        for build in plan.builds { _ = try options.stages(of: build) }
        let engine = Engine(connectURI: nil, environment: context.environment)
        let result: Result<[(build: String, outcome: Outcome)], any Error>
        do {
            var all: [(build: String, outcome: Outcome)] = []
            for build in plan.builds {
                let scope = BuildScope(
                    plan: build, context: context,
                    options: BuildOptions(onError: .cleanup, connectURI: nil, checkpoints: options), engine: engine,
                    reporter: Reporter(build: build.name, sinks: sinks, secrets: plan.secrets),
                    attendant: Attendant(onError: .cleanup, pausesBetweenSteps: false, ask: nil), runFolder: "",
                    secrets: plan.secrets)
                all.append((build.name, try await outcome(scope)))
            }
            result = .success(all)
        } catch {
            result = .failure(error)
        }
        await engine.close()
        return try result.get()
    }

    private func outcome(_ scope: BuildScope) async throws -> Outcome {
        // Found out before anything is downloaded.
        if let obstacle = try await BuildCheckpoints.obstacle(scope) { return .none(obstacle.reason) }
        let medium = try await FetchMedium(scope: scope).run()
        guard let checkpoints = try await BuildCheckpoints.open(scope, medium) else { return .none("they are off") }
        let stages = try await checkpoints.collect()
        let resolution = try await checkpoints.findCheckpoint(stages)
        defer { resolution.checkpoint?.release() }
        let statuses = stages.stages.enumerated().map { index, stage in
            guard index >= resolution.next else {
                let own = resolution.checkpoint?.chain.first { $0.index >= index }
                return StageStatus(title: stage.title, checkpoint: own?.id)
            }
            let isFirst = index == resolution.miss?.stage
            return StageStatus(title: stage.title, reason: isFirst ? resolution.miss?.reason : nil)
        }
        return .stages(statuses)
    }
}

import Checkpoints
import ComponentModel
import Foundation
package import Templates

/// What a build would do with one of its stages.
package struct StageStatus: Sendable {
    package var title: String
    /// The checkpoint that stands for it; nil where it is run.
    package var checkpoint: String?
    /// Why it is run, where that can be said of it: of those behind it the reason is the first one's.
    package var reason: String?
}

/// `ingot checkpoints status`: looks what a build would do, without doing it.
package struct BuildStatus: Sendable {
    let context: RunContext
    let options: CheckpointOptions
    let sinks: [any EventSink]

    package init(context: RunContext, options: CheckpointOptions, sinks: [any EventSink]) {
        self.context = context
        self.options = options
        self.sinks = sinks
    }

    /// What there is of one build.
    package enum Outcome: Sendable {
        case stages([StageStatus])
        /// No checkpoints are kept, with the reason.
        case none(String)
    }

    /// The outcome of each build, by its name.
    package func run(_ plan: Plan) async throws -> [(build: String, outcome: Outcome)] {
        let engine = Engine(connectURI: nil, environment: context.environment)
        let result: Result<[(build: String, outcome: Outcome)], any Error>
        do {
            var all: [(build: String, outcome: Outcome)] = []
            for build in plan.builds {
                let reporter = Reporter(build: build.name, sinks: sinks, secrets: plan.secrets)
                all.append((build.name, try await outcome(of: build, engine, reporter)))
            }
            result = .success(all)
        } catch {
            result = .failure(error)
        }
        await engine.close()
        return try result.get()
    }

    private func outcome(
        of build: PlannedBuild, _ engine: Engine, _ reporter: Reporter
    ) async throws -> Outcome {
        var context = context
        context.build = build
        // Nothing is downloaded to say that.
        if let obstacle = try await BuildCheckpoints.obstacle(build, options, context, engine) {
            return .none(obstacle.reason)
        }
        let medium = try await FetchMedium(input: build.source.input, context: context, reporter: reporter).run()
        guard let checkpoints = try await BuildCheckpoints.open(build, options, context, engine, medium, reporter)
        else { return .none("they are off") }
        let stages = try await checkpoints.collect()
        let resolution = try await checkpoints.look(stages)
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

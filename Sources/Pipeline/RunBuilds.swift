import ComponentModel
import Foundation
import Scopes
package import Templates

/// How one build ended.
package struct BuildOutcome: Sendable {
    package var name: String
    package var took: Duration
    package var result: Result<[Artifact], any Error>
    /// What explains a failed build.
    package var failure: FailureReport?
    /// Masks the secrets of the build, those among them that it has made itself.
    package var redactor: Redactor

    package init(
        name: String, took: Duration, result: Result<[Artifact], any Error>, failure: FailureReport? = nil,
        redactor: Redactor = Redactor([])
    ) {
        self.name = name
        self.took = took
        self.result = result
        self.failure = failure
        self.redactor = redactor
    }
}

/// Runs the builds of a plan, as many at a time as wanted.
package struct RunBuilds: Sendable {
    let plan: Plan
    let context: RunContext
    let options: BuildOptions
    let engine: Engine
    /// At most so many at a time; 0 or less is no limit.
    let parallelBuilds: Int
    let sinks: [any EventSink]
    let attendant: Attendant
    /// Where run folders are made.
    let runsDirectory: String

    package init(
        plan: Plan, context: RunContext, options: BuildOptions, engine: Engine, parallelBuilds: Int,
        sinks: [any EventSink],
        attendant: Attendant, runsDirectory: String
    ) {
        self.plan = plan
        self.context = context
        self.options = options
        self.engine = engine
        self.parallelBuilds = parallelBuilds
        self.sinks = sinks
        self.attendant = attendant
        self.runsDirectory = runsDirectory
    }

    /// The outcomes in the plan's order; a build that fails does not stop the others.
    ///
    /// - Throws: `BuildError` when no build can start at all.
    package func run() async throws -> [BuildOutcome] {
        try refuseSharedOutput()
        for build in plan.builds { _ = try options.checkpoints.stages(of: build) }
        let general = Reporter(build: "", sinks: sinks, secrets: plan.secrets)
        for removed in await engine.removeLeftovers() {
            general.news("Removed what an interrupted build left behind: \(removed)")
        }
        await PruneRunFolders(base: runsDirectory).run(now: Date())
        return await withTaskGroup(of: (Int, BuildOutcome).self) { group in
            var next = 0
            let limit = parallelBuilds > 0 ? parallelBuilds : plan.builds.count
            var outcomes: [(Int, BuildOutcome)] = []
            while next < plan.builds.count || !group.isEmpty {
                while next < plan.builds.count && next - outcomes.count < limit {
                    let index = next
                    group.addTask { (index, await run(plan.builds[index], engine)) }
                    next += 1
                }
                if let done = await group.next() { outcomes.append(done) }
            }
            return outcomes.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func run(_ build: PlannedBuild, _ engine: Engine) async -> BuildOutcome {
        let clock = ContinuousClock()
        let start = clock.now
        var folder: RunFolder?
        var reporter = Reporter(build: build.name, sinks: sinks, secrets: plan.secrets)
        do {
            try Task.checkCancellation()
            let runFolder = try RunFolder(base: runsDirectory, build: build.name, now: Date())
            folder = runFolder
            reporter = Reporter(build: build.name, sinks: sinks + [runFolder], secrets: plan.secrets)
            reporter.debug("run folder \(runFolder.path)")
            let scope = BuildScope(
                plan: build, context: context, options: options, engine: engine, reporter: reporter,
                attendant: attendant, runFolder: runFolder.path, secrets: plan.secrets)
            await BuildStages.noteFiles(of: scope)
            let artifacts = try await Build(scope).run()
            return BuildOutcome(
                name: build.name, took: clock.now - start, result: .success(artifacts), redactor: reporter.redactor)
        } catch {
            // A cancelled build may end with the error of what was cut off.
            let error = Task.isCancelled ? CancellationError() : error
            // The console shows the reason at the end; the folder needs it too.
            folder?.receive(reporter.event(.error, error is CancellationError ? "interrupted" : "\(error)"))
            let failure = folder.flatMap { error is CancellationError ? nil : FailureReport(error, in: $0) }
            return BuildOutcome(
                name: build.name, took: clock.now - start, result: .failure(error), failure: failure,
                redactor: reporter.redactor)
        }
    }

    /// The first output directory that exists, as the template names it; nil where all have to be made.
    package var existingOutput: String? {
        plan.builds.map(\.source.outputDirectory).first {
            FileManager.default.fileExists(atPath: context.absolute($0))
        }
    }

    private func refuseSharedOutput() throws {
        var owners: [String: String] = [:]
        for build in plan.builds {
            let directory = URL(filePath: context.absolute(build.source.outputDirectory)).standardizedFileURL.path
            if let other = owners.updateValue(build.name, forKey: directory) {
                throw BuildError(
                    "start the builds",
                    because: "\(other) and \(build.name) would both write to \(build.source.outputDirectory)",
                    hint: "Give each its own output_directory, or choose one with -only.")
            }
        }
    }
}

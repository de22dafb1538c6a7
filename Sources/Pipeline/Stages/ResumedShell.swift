import Checkpoints
import Foundation
import Libvirt
import Scopes
import Templates

extension Build {
    /// Brings a machine back from a checkpoint, opens a shell in it, and throws it away.
    ///
    /// - Parameter name: A stage; nil for the last one that has a checkpoint.
    /// - Throws: `BuildError`, also where the stage has no checkpoint, with the reason.
    package func openShell(after name: String?) async throws {
        let index = try name.map { try BuildStages.index(of: $0, in: plan) }
        try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            let step = StepRunner(reporter: reporter, attendant: attendant)
            let medium = try await FetchMedium(input: plan.source.input, context: context, reporter: reporter).run()
            guard
                let checkpoints = try await BuildCheckpoints.open(
                    plan, options.checkpoints, context, engine, medium, reporter)
            else {
                throw BuildError("open a shell in \(plan.name)", because: "no checkpoints are kept of it")
            }
            let start = try await checkpoints.resolve(upTo: index)
            teardowns.add("give the checkpoint back") { _ in start.checkpoint?.release() }
            let workspace = try await PrepareWorkspace(
                source: plan.source, context: context, engine: engine, reporter: reporter
            ).temporary(teardowns)
            let services = try await ServeFiles(source: plan.source, context: context, reporter: reporter)
                .run(teardowns)
            let attempt = BuildAttempt(
                build: self, step: step, workspace: workspace, medium: medium, services: services,
                keys: Task { nil }, checkpoints: checkpoints, keeps: KeepOnFailure(attendant: attendant))
            do { try await attempt.openShell(from: start) } catch let restart as Restart {
                throw BuildError(
                    "open a shell in \(plan.name)", because: "\(restart)",
                    hint: "`ingot build` makes its checkpoints anew.")
            }
        }
    }
}

extension BuildCheckpoints {
    /// The checkpoint right after a stage, or the deepest.
    ///
    /// - Throws: `BuildError` with the reason where there is none.
    func resolve(upTo index: Int?) async throws -> StartingPoint {
        let stages = try await collect()
        let wanted = Array(stages.stages.prefix((index ?? stages.stages.count - 1) + 1))
        // Of what there is none the age says nothing.
        let resolution = try await store.resolve(wanted, owner: owner, maxAge: nil)
        guard let checkpoint = resolution.checkpoint, index == nil || resolution.next == wanted.count else {
            resolution.checkpoint?.release()
            let title = wanted[resolution.miss?.stage ?? 0].title
            throw BuildError(
                "open a shell after \(index.map { wanted[$0].title } ?? BuildStages.install) of \(build.name)",
                because: "there is no checkpoint of it: \(title): \(resolution.miss?.reason ?? "it was never built")",
                hint: "`ingot build --until \(index ?? 0 == 0 ? "install" : String(index ?? 0)) …` makes one.")
        }
        return StartingPoint(next: resolution.next, checkpoint: checkpoint)
    }
}

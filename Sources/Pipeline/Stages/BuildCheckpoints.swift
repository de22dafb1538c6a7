import Checkpoints
import ComponentModel
import Foundation
import Libvirt
import Machines
import Scopes
import Templates

/// The checkpoints of one build: where it can start, and what it keeps for the next.
struct BuildCheckpoints: Sendable {
    let scope: BuildScope
    let store: CheckpointStore
    let host: any MachineHost
    let medium: Medium
    /// The first stage that is run in any case (`--fresh-from`).
    private let freshFrom: Int?
    /// The stage after which the build stops (`--until`).
    let until: Int?

    private var options: CheckpointOptions { scope.options.checkpoints }
    private var reporter: Reporter { scope.reporter }
    private var owner: StageOwner { StageOwner(template: scope.context.templatePath, build: scope.plan.name) }

    /// - Returns: nil where checkpoints are off; the log has the reason, and the console where it is not obvious.
    /// - Throws: `BuildError` for a stage that does not exist, and for one to stop after whose checkpoint cannot be kept.
    static func open(_ scope: BuildScope, _ medium: Medium) async throws -> BuildCheckpoints? {
        let (options, reporter) = (scope.options.checkpoints, scope.reporter)
        let named = try options.stages(of: scope.plan)
        if let obstacle = try await obstacle(scope) {
            if let name = options.until {
                throw BuildError("stop after the stage “\(name)” and keep it", because: obstacle.reason)
            }
            if obstacle.isNews {
                reporter.news("No checkpoints are kept: \(obstacle.reason)")
            } else {
                reporter.debug("no checkpoints: \(obstacle.reason)")
            }
            return nil
        }
        let host = try await scope.engine.host(for: scope.source.libvirtURI)
        let store: CheckpointStore
        do { store = try CheckpointStore(path: options.store) } catch {
            // Checkpoints only save time: everything else works without them.
            guard options.until == nil else { throw error }
            reporter.warn("no checkpoints are kept: \(error)")
            return nil
        }
        return BuildCheckpoints(
            scope: scope, store: store, host: host, medium: medium, freshFrom: named.freshFrom,
            until: named.until)
    }

    /// Why no checkpoints are kept of a build, and whether the console should show it; nil where they are kept.
    static func obstacle(_ scope: BuildScope) async throws -> (reason: String, isNews: Bool)? {
        let source = scope.source
        if let reason = scope.options.checkpoints.offBecause { return (reason, false) }
        if !source.checkpoint { return ("checkpoint = false", false) }
        if !source.communicator.isSSH { return ("without SSH, the end of the installation cannot be seen", false) }
        let host = try await scope.engine.host(for: source.libvirtURI)
        guard host.stateFolder != nil else {
            return ("the machine does not run under this program's own libvirt driver", false)
        }
        return try await DescribeMachine(scope: scope, host: host).canonical().obstacle.map { ($0, true) }
    }

    /// Chooses where the machine starts: at the deepest checkpoint that applies.
    ///
    /// - Returns: nil where the stage to stop after has a checkpoint already.
    func startingPoint(ignoringCheckpoints: Bool) async throws -> StartingPoint? {
        let stages = try await collect()
        try checkUntil(stages.stages)
        let found = try await findCheckpoint(stages, ignoringAll: ignoringCheckpoints)
        report(found, stages)
        if let until, found.next > until {
            found.checkpoint?.release()
            reporter.news("There is a checkpoint of \(stages.stages[until].title) already.")
            return nil
        }
        do { try makeRoom() } catch {
            found.checkpoint?.release()
            guard until == nil else { throw error }
            reporter.warn("checkpoints are neither used nor kept: \(error)")
            return .withoutCheckpoints
        }
        return StartingPoint(
            next: found.next, checkpoint: found.checkpoint,
            recorder: CheckpointRecorder(self, stages, from: found.checkpoint))
    }

    /// Refuses a stage to stop after whose checkpoint cannot be kept, rather than after an hour.
    private func checkUntil(_ stages: [Stage]) throws {
        guard let until else { return }
        if let obstacle = stages[...until].first(where: { $0.unusable != nil }) {
            throw BuildError(
                "stop after the stage “\(stages[until].title)” and keep it",
                because: "\(obstacle.title): \(obstacle.unusable ?? "")",
                hint: "Name a stage before it.")
        }
        guard !stages[until].isKept, let kept = stages[...until].last(where: \.isKept) else { return }
        reporter.news(
            "\(stages[until].title) changes nothing in the machine, so the checkpoint of \(kept.title) is the one to keep"
        )
    }

    /// The deepest checkpoint of a chain that can be used now.
    func findCheckpoint(_ stages: BuildStages, ignoringAll: Bool = false) async throws -> Resolution {
        let there = try await digests(of: stages.entries.flatMap(\.downloads))
        return try await store.resolve(
            stages.stages, owner: owner, maxAge: options.maxAge, freshFrom: ignoringAll ? 0 : freshFrom,
            outputs: { there[$0.path] == $0.digest })
    }

    /// The stages as they are on the disk now.
    func collect() async throws -> BuildStages {
        try await BuildStages.collect(scope, try await canonicalMachine, medium: medium, store: store)
    }

    private var canonicalMachine: MachineDescription {
        get async throws { try await DescribeMachine(scope: scope, host: host).canonical().machine }
    }

    /// The checkpoint right after a stage, or the deepest one, whatever its age.
    ///
    /// - Parameter index: The stage; nil for the last one that has a checkpoint.
    /// - Throws: `BuildError` with the reason where there is none.
    func checkpoint(after index: Int?) async throws -> (checkpoint: Checkpoint, stage: String) {
        let stages = try await collect()
        let wanted = Array(stages.stages.prefix((index ?? stages.stages.count - 1) + 1))
        let found = try await store.resolve(wanted, owner: owner, maxAge: nil)
        guard let checkpoint = found.checkpoint, index == nil || found.next == wanted.count else {
            found.checkpoint?.release()
            let title = wanted[found.miss?.stage ?? 0].title
            throw BuildError(
                "open a shell after \(index.map { wanted[$0].title } ?? BuildStages.install) of \(scope.plan.name)",
                because: "there is no checkpoint of it: \(title): \(found.miss?.reason ?? "it was never built")",
                hint: "`ingot build --until \(index ?? 0 == 0 ? "install" : String(index ?? 0)) …` makes one.")
        }
        return (checkpoint, wanted[found.next - 1].title)
    }

    private func report(_ resolution: Resolution, _ stages: BuildStages) {
        if let checkpoint = resolution.checkpoint {
            let titles = stages.stages[..<resolution.next].map(\.title)
            let saved = Duration.seconds(checkpoint.chain.reduce(0) { $0 + $1.seconds })
            let stages = titles.joined(separator: ", ")
            reporter.report(
                .news, "From a checkpoint: \(stages) (made \(age(checkpoint)), saves \(saved.text))",
                ["checkpoint": .string(checkpoint.id), "stages": .strings(titles)])
        }
        guard let miss = resolution.miss else { return }
        let title = stages.stages[miss.stage].title
        reporter.report(
            .news, "\(title) runs: \(miss.reason)", ["stage": .string(title), "reason": .string(miss.reason)])
    }

    private func age(_ checkpoint: Checkpoint) -> String {
        Duration.seconds(max(0, Date().timeIntervalSince(checkpoint.manifest.created)).rounded()).agoText
    }

    /// The digests of files and folders of this host, by path; missing ones are left out.
    func digests(of paths: [String]) async throws -> [String: String] {
        var digests: [String: String] = [:]
        for path in paths where FileManager.default.fileExists(atPath: path) {
            var inputs = StageInputs(store: store, context: scope.context)
            try await inputs.add(tree: path, as: "")
            digests[path] = store.digest(Data(inputs.all.map(\.digest).joined().utf8))
        }
        return digests
    }

    /// What has to be the same on a host that restores the machine's memory.
    func memoryRequirements() async throws -> [String: String] {
        try await host.memoryRequirements(of: canonicalMachine)
    }

    /// Removes what interrupted builds left, and the checkpoints not used for longest where all take too much room.
    func prune() throws {
        for removed in try store.prune(limit: options.limit, olderThan: nil) {
            reporter.debug("removed the checkpoint \(removed)")
        }
    }

    /// Removes the checkpoints not used for longest, so that there is room for one more.
    ///
    /// - Throws: `BuildError` where there is none even then.
    func makeRoom() throws {
        let needed = Int64(scope.source.machine.memory) << 20
        _ = try store.prune(limit: max(0, options.limit - needed), olderThan: nil)
        var status = statvfs()
        guard statvfs(options.store, &status) == 0 else { return }
        let free = Int64(status.f_bavail) * Int64(status.f_frsize)
        guard free > needed + needed / 4 else {
            throw BuildError(
                "keep a checkpoint in \(options.store)", because: "only \(free >> 20) MiB are free there",
                hint: "It takes up to \(needed >> 20) MiB for a moment. `ingot checkpoints prune` makes room.")
        }
    }

    /// The manifest of the checkpoint after a stage; nil where none can be made.
    ///
    /// The machine has gone on into new layers by then, so nothing but cancellation is thrown.
    func draft(
        _ index: Int, of stages: BuildStages, _ progress: StageInProgress, hasMemory: Bool, details: [String: String]
    ) async throws -> ManifestDraft? {
        guard let key = stageKeys(stages.stages)[index] else { return nil }
        let stage = stages.entries[index].stage
        do {
            // A file that was edited since the build began may or may not have been used as it is now.
            guard try await collect().stages[index].inputs == stage.inputs else {
                reporter.news(
                    "No checkpoint is kept of \(stage.title), nor of later stages: a file that it is made of "
                        + "was changed meanwhile")
                return nil
            }
            return ManifestDraft(
                key: key, stage: stage, index: index, owner: owner, took: ContinuousClock.now - progress.began,
                memory: hasMemory ? try await memoryRequirements() : nil,
                outputs: try await digests(of: progress.downloads).map { .init(path: $0.key, digest: $0.value) },
                details: details)
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            reporter.warn("no checkpoint is kept of \(stage.title), nor of later stages: \(error)")
            return nil
        }
    }
}

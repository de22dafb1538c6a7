import Checkpoints
import Foundation
import Libvirt
import Scopes
import Templates

/// The checkpoints of one build: where it can start, and what it keeps for the next.
struct BuildCheckpoints: Sendable {
    let store: CheckpointStore
    let options: CheckpointOptions
    let build: PlannedBuild
    let context: RunContext
    let reporter: Reporter
    let hypervisor: Hypervisor
    let medium: Medium
    let owner: StageOwner
    private let freshFrom: Int?
    let until: Int?

    /// - Returns: nil where checkpoints are off; why is in the log, or told where somebody may wonder.
    /// - Throws: `BuildError` for a stage that there is not, and for one to stop after that cannot be kept.
    static func open(
        _ build: PlannedBuild, _ options: CheckpointOptions, _ context: RunContext, _ engine: Engine, _ medium: Medium,
        _ reporter: Reporter
    ) async throws -> BuildCheckpoints? {
        let freshFrom = try options.freshFrom.map { try BuildStages.index(of: $0, in: build) }
        let until = try options.until.map { try BuildStages.index(of: $0, in: build) }
        if let obstacle = try await obstacle(build, options, context, engine) {
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
        let hypervisor = try await engine.hypervisor(for: build.source.libvirtURI)
        let store: CheckpointStore
        do { store = try CheckpointStore(path: options.store) } catch {
            // They save time. Without them everything else works as well.
            guard options.until == nil else { throw error }
            reporter.warn("no checkpoints are kept: \(error)")
            return nil
        }
        return BuildCheckpoints(
            store: store, options: options, build: build, context: context,
            reporter: reporter, hypervisor: hypervisor, medium: medium,
            owner: StageOwner(template: context.templatePath, build: build.name), freshFrom: freshFrom, until: until)
    }

    /// Why no checkpoints are kept of a build, and whether somebody may wonder; nil where they are.
    static func obstacle(
        _ build: PlannedBuild, _ options: CheckpointOptions, _ context: RunContext, _ engine: Engine
    ) async throws -> (reason: String, isNews: Bool)? {
        if let reason = options.offBecause { return (reason, false) }
        if !build.source.checkpoint { return ("checkpoint = false", false) }
        if !build.source.communicator.isSSH { return ("without SSH nobody knows when the installation is done", false) }
        let hypervisor = try await engine.hypervisor(for: build.source.libvirtURI)
        guard hypervisor.root != nil else {
            return ("the machine does not run under this program's own libvirt driver", false)
        }
        let composer = ComposeMachine(build: build, context: context, hypervisor: hypervisor)
        return try await composer.canonical().obstacle.map { ($0, true) }
    }

    /// The stages as they are on the disk now, and the deepest of them that need not be run.
    ///
    /// - Parameter startsOver: Nothing old is used.
    func resolve(startsOver: Bool = false) async throws -> (stages: BuildStages, start: StartingPoint) {
        let stages = try await collect()
        try checkUntil(stages.stages)
        let resolution = try await look(stages, startsOver: startsOver)
        tell(resolution, stages)
        return (stages, StartingPoint(next: resolution.next, checkpoint: resolution.checkpoint))
    }

    /// To find after an hour that nothing can be kept is too late.
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
            "\(stages[until].title) changes nothing in the machine, so what is kept is the checkpoint of \(kept.title)")
    }

    /// The deepest checkpoint of a chain that can be used now.
    func look(_ stages: BuildStages, startsOver: Bool = false) async throws -> Resolution {
        let there = try await digests(of: stages.entries.flatMap(\.downloads))
        return try await store.resolve(
            stages.stages, owner: owner, maxAge: options.maxAge, freshFrom: startsOver ? 0 : freshFrom,
            outputs: { there[$0.path] == $0.digest })
    }

    /// The stages as they are on the disk now.
    func collect() async throws -> BuildStages {
        let composer = ComposeMachine(build: build, context: context, hypervisor: hypervisor)
        return try await BuildStages.collect(
            build, try await composer.canonical().machine, medium: medium, context: context, store: store,
            files: options.files)
    }

    private func tell(_ resolution: Resolution, _ stages: BuildStages) {
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
            .news, "\(title) is run: \(miss.reason)", ["stage": .string(title), "reason": .string(miss.reason)])
    }

    private func age(_ checkpoint: Checkpoint) -> String {
        Duration.seconds(max(0, Date().timeIntervalSince(checkpoint.manifest.created)).rounded()).agoText
    }

    /// The digests of what lies on this host, by path; what is not there is left out.
    func digests(of paths: [String]) async throws -> [String: String] {
        var digests: [String: String] = [:]
        for path in paths where FileManager.default.fileExists(atPath: path) {
            var inputs = StageInputs(store: store, context: context)
            try await inputs.add(tree: path, as: "")
            digests[path] = store.digest(Data(inputs.all.map(\.digest).joined().utf8))
        }
        return digests
    }

    /// What has to be the same on a host that is to use a machine's memory.
    func memoryRequirements() async throws -> [String: String] {
        let composer = ComposeMachine(build: build, context: context, hypervisor: hypervisor)
        return try await hypervisor.memoryRequirements(of: composer.canonical().machine)
    }

    /// Removes what nobody needs, and what has not been used for longest where there is too much.
    func prune() throws {
        for removed in try store.prune(limit: options.limit, olderThan: nil) {
            reporter.debug("removed the checkpoint \(removed)")
        }
    }

    /// Removes what has not been used for longest, so that one more checkpoint finds room.
    func makeRoom() throws {
        let needed = Int64(build.source.machine.memory) << 20
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

    /// Why a machine is not to have its disks and its memory in the store; nil where there is room.
    func obstacleToKeeping() -> (any Error)? {
        do { try makeRoom() } catch { return error }
        return nil
    }

    /// What becomes of the machine's state after a stage; nil where no checkpoint can be made of it.
    ///
    /// The machine has gone on into new layers by then, so nothing but cancellation is thrown.
    func draft(
        _ index: Int, of stages: BuildStages, _ frontier: Frontier, hasMemory: Bool,
        details: [String: String]
    ) async throws -> ManifestDraft? {
        guard let key = stageKeys(stages.stages)[index] else { return nil }
        let stage = stages.entries[index].stage
        do {
            // What was edited since the build began may have gone into the stage, or not.
            guard try await collect().stages[index].inputs == stage.inputs else {
                reporter.news(
                    "No checkpoint is kept of \(stage.title), nor of what comes after it: a file that it is made of "
                        + "was changed meanwhile")
                return nil
            }
            return ManifestDraft(
                key: key, stage: stage, index: index, owner: owner, took: ContinuousClock.now - frontier.began,
                memory: hasMemory ? try await memoryRequirements() : nil,
                outputs: try await digests(of: frontier.downloads).map { .init(path: $0.key, digest: $0.value) },
                details: details)
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            reporter.warn("no checkpoint is kept of \(stage.title), nor of what comes after it: \(error)")
            return nil
        }
    }
}

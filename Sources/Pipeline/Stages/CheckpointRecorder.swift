import Checkpoints
import ComponentModel
import DiskImages
import Foundation
import Guests
import Libvirt
import Machines
import Scopes
import Synchronization
import Templates

/// Makes checkpoints of a running machine after its stages, while the build goes on.
final class CheckpointRecorder: Sendable {
    let checkpoints: BuildCheckpoints
    let stages: BuildStages
    private let keys: [StageKey?]
    private let checkpoint: Checkpoint?
    private struct State {
        var claim: StageClaim?
        /// Writes checkpoints, one after the other.
        var writing: Task<Void, Never>?
        /// How many checkpoints are not written yet.
        var waiting = 0
        /// The folder that the machine writes to.
        var activeFolder: StageFolder?
        /// Reads the checkpoint that the machine came from, while the machine already works.
        var verification: Task<Void, any Error>?
        /// Compresses layers, the only part of writing that can be skipped.
        var compression: Task<Void, Never>?
        var skipsCompression = false
    }
    private let state = Mutex(State())

    private static let mostWaiting = 3

    private var store: CheckpointStore { checkpoints.store }
    private var reporter: Reporter { checkpoints.scope.reporter }

    init(_ checkpoints: BuildCheckpoints, _ stages: BuildStages, from checkpoint: Checkpoint?) {
        self.checkpoints = checkpoints
        self.stages = stages
        keys = stageKeys(stages.stages)
        self.checkpoint = checkpoint
    }

    /// Takes the right to run a stage, which only one of several builds has at a time.
    ///
    /// - Returns: Why to start over, where another build has run the stage meanwhile.
    func claim(_ index: Int) async throws -> Restart? {
        guard let key = keys[index] else { return nil }
        let hasWaited = Flag()
        let title = stages.stages[index].title
        let claim = try await store.claim(key) { [reporter] in
            hasWaited.set()
            reporter.news("Another build is running the same stage (\(title)); waiting for its checkpoint")
        }
        guard hasWaited.isSet else {
            state.withLock { $0.claim = claim }
            return nil
        }
        claim.release()
        return .doneElsewhere
    }

    /// Notes the folder that the machine writes to from now on.
    func setActiveFolder(_ folder: StageFolder?) { state.withLock { $0.activeFolder = folder } }

    /// Keeps the layers of a machine that goes on running after this process.
    func keepLayers() async throws {
        guard let folder = state.withLock({ $0.activeFolder }) else { return }
        try await checkpoints.scope.engine.keepMachines(with: [folder.keep()])
        reporter.news(
            "The machine's disks stay in \(folder.path); `ingot checkpoints remove \(folder.id)` removes them, and so does "
                + "a build once the machine is gone.")
    }

    /// Whether a build that starts over can start right before a stage.
    func canRestart(before index: Int) -> Bool { index > 0 && keys[index - 1] != nil }

    private func releaseClaim() { state.withLock { $0.claim.take() }?.release() }

    /// Freezes the machine as it is after a stage; it goes on in new layers. A build does not fail because this fails.
    ///
    /// - Parameters:
    ///   - index: The stage; 0 is the installation.
    ///   - stage: Where the machine writes to until now.
    ///   - buildKeys: The keys that the guest knows.
    ///   - refresh: Sets the guest's clock, which has stood still.
    /// - Returns: Where the machine writes to from now on.
    func capture(
        _ index: Int, _ machine: RunningMachine, _ guest: any Guest, _ stage: StageInProgress,
        _ buildKeys: BuildKeys?, _ refresh: RefreshGuest
    ) async throws -> StageInProgress {
        guard keys[index] != nil, stages.entries[index].changesGuest, let folder = stage.folder else {
            releaseClaim()
            return stage
        }
        // Each of them holds a whole memory until it is compressed.
        if state.withLock({ $0.waiting }) >= Self.mostWaiting { await waitUntilWritten() }
        let title = stages.stages[index].title
        do {
            try checkpoints.makeRoom()
            let isAnswering = await QuiesceGuest(reporter: reporter).run(guest, clearsMemory: index == 0)
            let next = try store.makeFolder(parent: folder.id)
            let began = ContinuousClock.now
            let frozen = try await freeze(machine, stage, folder, next)
            reporter.debug("the machine was frozen in \((ContinuousClock.now - began).text)")
            // From here on the machine writes to the new layers, whatever becomes of the old ones.
            let overlays = Disks(paths: overlays(of: stage, in: next), format: "qcow2")
            var following = StageInProgress(disks: overlays, folder: next, details: stage.details)
            setActiveFolder(next)
            do {
                following.details = try await record(index, frozen, stage, buildKeys)
            } catch let error where !(error is CancellationError) {
                reporter.warn("no checkpoint is kept of \(title): \(error)")
                releaseClaim()
            }
            if isAnswering { await refresh.catchUp(guest) }
            return following
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            reporter.warn("no checkpoint is kept of \(title): \(error)")
            releaseClaim()
            return stage
        }
    }

    /// Begins to write the checkpoint of a frozen stage.
    ///
    /// - Returns: The details that later checkpoints of the machine have as well.
    private func record(
        _ index: Int, _ frozen: FrozenState, _ stage: StageInProgress, _ buildKeys: BuildKeys?
    ) async throws -> [String: String] {
        guard let folder = stage.folder, frozen != .disksOfDifferentMoment else {
            releaseClaim()
            return stage.details
        }
        var details = stage.details
        // What all machines of this installation need lies beside its first layer.
        if details.isEmpty { details = try buildKeys?.store(in: folder.path) ?? [:] }
        details["format"] = stage.disks.format
        details["frozen"] = String(Date().timeIntervalSince1970)
        let draft = try await checkpoints.draft(
            index, of: stages, stage, hasMemory: frozen == .whole, details: details)
        if let draft { write(folder, draft, stages.stages[index].title) } else { releaseClaim() }
        return details
    }

    private enum FrozenState {
        case whole
        case withoutMemory
        /// The machine goes on in new layers, but its other files were not copied at the same moment.
        case disksOfDifferentMoment
    }

    private func overlays(of stage: StageInProgress, in next: StageFolder) -> [String] {
        stage.disks.paths.indices.map { "\(next.path)/disk-\($0)" }
    }

    /// - Throws: When the machine still writes to its old layers.
    private func freeze(
        _ machine: RunningMachine, _ stage: StageInProgress, _ folder: StageFolder, _ next: StageFolder
    ) async throws -> FrozenState {
        let overlays = overlays(of: stage, in: next)
        let disks = zip(stage.disks.paths, overlays).map { disk, overlay in
            (disk: disk, overlay: overlay, format: stage.disks.format as String?)
        }
        let copies = try machine.stateFiles(into: folder.path)
        let memory = folder.path + "/memory"
        do {
            // The network knows the address of a machine on a bridge; a restored machine would not have it.
            if checkpoints.scope.source.machine.netBridge == nil {
                do {
                    try await machine.machine.freeze(memory: memory, disks: disks, copying: copies)
                    return .whole
                } catch let error as LibvirtError {
                    guard try await !machine.machine.writes(to: overlays[0]) else { throw error }
                    reporter.warn("the machine's memory cannot be kept, only its disks: \(error)")
                    for file in [memory] + overlays + copies.map(\.to) { try removeTree(file) }
                }
            }
            try await machine.machine.freeze(memory: nil, disks: disks, copying: copies)
            return .withoutMemory
        } catch {
            try Task.checkCancellation()
            guard try await !machine.machine.writes(to: overlays[0]) else {
                reporter.warn("no checkpoint is kept, although the machine was frozen: \(error)")
                return .disksOfDifferentMoment
            }
            try next.remove()
            throw error
        }
    }

    /// Makes a checkpoint of the folder while the build goes on, once the checkpoints before it are written.
    private func write(_ folder: StageFolder, _ draft: ManifestDraft, _ title: String) {
        state.withLock { state in
            let (claim, previous) = (state.claim.take(), state.writing)
            state.waiting += 1
            state.writing = Task { [self] in
                await previous?.value
                await commit(folder, draft, title)
                claim?.release()
                self.state.withLock { $0.waiting -= 1 }
            }
        }
    }

    private func commit(_ folder: StageFolder, _ draft: ManifestDraft, _ title: String) async {
        do {
            // A checkpoint above a damaged layer is damaged, too.
            if let damage = try await damage() {
                return reporter.warn("no checkpoint is kept of \(title): \(damage)")
            }
            // Its parent was not kept, which has been reported.
            if let parent = folder.parent, !store.isCheckpoint(parent) { return }
            if folder.parent == nil { await beginCompression(folder, draft.details["format"])?.value }
            let checkpoint = try await store.commit(folder, draft)
            // The folder that the machine writes to now protects it.
            checkpoint.release()
            folder.abandon()
            reporter.debug("checkpoint \(folder.id) after \(title)")
        } catch {
            reporter.warn("no checkpoint is kept of \(title): \(error)")
        }
    }

    /// - Returns: nil where compression is skipped.
    private func beginCompression(_ folder: StageFolder, _ format: String?) -> Task<Void, Never>? {
        state.withLock { state in
            if !state.skipsCompression { state.compression = Task { await compress(folder, format) } }
            return state.compression
        }
    }

    /// Ends the compression of layers and starts no other: someone waits for the build to end.
    func skipCompression() {
        state.withLock { state in
            state.skipsCompression = true
            state.compression?.cancel()
        }
    }

    /// Compresses the layers of the installation to less than half their size; they are most of what a chain of checkpoints
    /// takes. The running machine goes on with the files as they were.
    private func compress(_ folder: StageFolder, _ format: String?) async {
        let source = checkpoints.scope.source
        guard format == "qcow2" else { return }
        for (index, layer) in source.layers(in: folder).enumerated() {
            // Only what differs from the image that the machine started from.
            let base = index == 0 && source.disk.usesBackingFile ? ["-B", checkpoints.medium.path, "-F", "qcow2"] : []
            do {
                try await QemuImg().convert(
                    layer, sourceFormat: "qcow2", to: layer, format: "qcow2", isCompressed: true, isFlushed: false,
                    arguments: ["-o", "compression_type=zstd"] + base
                ) { _ in }
            } catch {
                // The layer is complete, only larger.
                reporter.debug("\(layer) is not compressed: \(error)")
            }
        }
    }

    /// Waits until all checkpoints are written.
    private func waitUntilWritten() async {
        await state.withLock { $0.writing.take() }?.value
    }

    /// Begins to read the checkpoint that the machine came from, which may slow the machine down.
    @discardableResult
    func beginVerification() -> Task<Void, any Error> {
        state.withLock { state in
            if let running = state.verification { return running }
            let task = Task { [checkpoint] in try await checkpoint?.verify() ?? () }
            state.verification = task
            return task
        }
    }

    /// Waits until the checkpoint that the machine came from has been read.
    ///
    /// - Returns: Why to start over, where some of it is damaged.
    func damage() async throws -> Restart? {
        do {
            try await beginVerification().value
            return nil
        } catch let damage as DamagedCheckpoint {
            checkpoint?.markDamaged(damage)
            return .damaged("\(damage)")
        }
    }

    /// Waits until all checkpoints are written, and gives back what the recorder holds.
    func stop() async {
        releaseClaim()
        await waitUntilWritten()
        state.withLock { $0.verification }?.cancel()
        checkpoint?.release()
    }
}

import Checkpoints
import DiskImages
import Foundation
import Guests
import Libvirt
import Scopes
import Synchronization
import Templates

/// Freezes a machine after its stages, while the build goes on.
final class CheckpointRecorder: Sendable {
    private let checkpoints: BuildCheckpoints
    let stages: BuildStages
    private let keys: [StageKey?]
    private let checkpoint: Checkpoint?
    private struct State {
        var claim: StageClaim?
        /// The checkpoints that are being written, one after the other.
        var writing: Task<Void, Never>?
        /// How many they are.
        var waiting = 0
        /// Where the machine writes to.
        var folder: StageFolder?
        /// Reads what the machine stands on, while it already works.
        var verification: Task<Void, any Error>?
        /// Compresses layers, which is the one part of writing that can be left out.
        var packing: Task<Void, Never>?
        var isHurried = false
    }
    private let state = Mutex(State())

    private static let mostWaiting = 3

    private var store: CheckpointStore { checkpoints.store }
    private var reporter: Reporter { checkpoints.reporter }

    init(_ checkpoints: BuildCheckpoints, _ stages: BuildStages, from checkpoint: Checkpoint?) {
        self.checkpoints = checkpoints
        self.stages = stages
        keys = stageKeys(stages.stages)
        self.checkpoint = checkpoint
    }

    /// Takes the right to run a stage, which of several builds only one has.
    ///
    /// - Throws: `Restart` when another build has run it meanwhile.
    func claim(_ index: Int) async throws {
        guard let key = keys[index] else { return }
        let hasWaited = Flag()
        let title = stages.stages[index].title
        let claim = try await store.claim(key) { [reporter] in
            hasWaited.set()
            reporter.news("Another build is running the same stage (\(title)); waiting for its checkpoint")
        }
        guard hasWaited.isSet else { return state.withLock { $0.claim = claim } }
        claim.release()
        throw Restart(reason: .doneElsewhere)
    }

    func hold(_ folder: StageFolder?) { state.withLock { $0.folder = folder } }

    /// Leaves the layers of a machine that is to go on after this process.
    func keepLayers() throws {
        guard let folder = state.withLock({ $0.folder }) else { return }
        try folder.keep()
        reporter.news(
            "The machine's disks stay in \(folder.path); `ingot checkpoints remove \(folder.id)` removes them.")
    }

    /// Whether a build that is begun anew can start right before a stage.
    func canRestart(before index: Int) -> Bool { index > 0 && keys[index - 1] != nil }

    func release() { state.withLock { $0.claim.take() }?.release() }

    /// Freezes the machine as it is after a stage; it runs on in new layers. That it cannot be done is no reason to
    /// fail.
    ///
    /// - Returns: What the machine writes to from now on.
    func capture(
        _ index: Int, _ machine: RunningMachine, _ guest: any Guest, _ frontier: Frontier, _ login: BuildKeys?
    ) async throws -> Frontier {
        guard keys[index] != nil, stages.entries[index].changesGuest, let folder = frontier.folder else {
            release()
            return frontier
        }
        // Each of them holds a whole memory until it is compressed.
        if state.withLock({ $0.waiting }) >= Self.mostWaiting { await settle() }
        let title = stages.stages[index].title
        do {
            try checkpoints.makeRoom()
            await SettleGuest(reporter: reporter).run(guest, clearsMemory: index == 0)
            let next = try store.makeFolder(parent: folder.id)
            let began = ContinuousClock.now
            let state = try await freeze(machine, frontier, folder, next)
            reporter.debug("the machine was frozen in \((ContinuousClock.now - began).text)")
            // From here on the machine writes to the new layers, whatever becomes of the old ones.
            let overlays = Disks(paths: overlays(of: frontier, in: next), format: "qcow2")
            var following = Frontier(disks: overlays, folder: next, details: frontier.details)
            hold(next)
            do {
                following.details = try await record(index, state, frontier, login)
            } catch let error where !(error is CancellationError) {
                reporter.warn("no checkpoint is kept of \(title): \(error)")
                release()
            }
            return following
        } catch let error where !(error is CancellationError) && !(error is Restart) {
            try Task.checkCancellation()
            reporter.warn("no checkpoint is kept of \(title): \(error)")
            release()
            return frontier
        }
    }

    /// Has a frozen stage written down.
    ///
    /// - Returns: What later checkpoints of the machine say about it as well.
    private func record(
        _ index: Int, _ state: FrozenState, _ frontier: Frontier, _ login: BuildKeys?
    ) async throws -> [String: String] {
        guard let folder = frontier.folder, state != .disksOfDifferentMoment else {
            release()
            return frontier.details
        }
        var details = frontier.details
        // What all machines of this installation need lies beside its first layer.
        if details.isEmpty { details = try login?.store(in: folder.path) ?? [:] }
        details["format"] = frontier.disks.format
        details["frozen"] = String(Date().timeIntervalSince1970)
        let draft = try await checkpoints.draft(
            index, of: stages, frontier, hasMemory: state == .whole, details: details)
        if let draft { write(folder, draft, stages.stages[index].title) } else { release() }
        return details
    }

    private enum FrozenState {
        case whole
        case withoutMemory
        /// The machine goes on in new layers, but what else belongs to the moment is missing.
        case disksOfDifferentMoment
    }

    private func overlays(of frontier: Frontier, in next: StageFolder) -> [String] {
        frontier.disks.paths.indices.map { "\(next.path)/disk-\($0)" }
    }

    /// - Throws: When the machine still writes to its old layers.
    private func freeze(
        _ machine: RunningMachine, _ frontier: Frontier, _ folder: StageFolder, _ next: StageFolder
    ) async throws -> FrozenState {
        let overlays = overlays(of: frontier, in: next)
        let disks = zip(frontier.disks.paths, overlays).map { disk, overlay in
            (disk: disk, overlay: overlay, format: frontier.disks.format as String?)
        }
        let copies = try machine.stateFiles(into: folder.path)
        let memory = folder.path + "/memory"
        do {
            // Of a machine on a bridge the network knows the address, which a restored one would not have.
            if checkpoints.build.source.machine.netBridge == nil {
                do {
                    try await machine.domain.freeze(memory: memory, disks: disks, copying: copies)
                    return .whole
                } catch let error as LibvirtError {
                    guard try await !machine.domain.writes(to: overlays[0]) else { throw error }
                    reporter.warn("the machine's memory cannot be kept, only its disks: \(error)")
                    for file in [memory] + overlays + copies.map(\.to) { try removeTree(file) }
                }
            }
            try await machine.domain.freeze(memory: nil, disks: disks, copying: copies)
            return .withoutMemory
        } catch {
            try Task.checkCancellation()
            guard try await !machine.domain.writes(to: overlays[0]) else {
                reporter.warn("no checkpoint is kept, although the machine was frozen: \(error)")
                return .disksOfDifferentMoment
            }
            try next.remove()
            throw error
        }
    }

    /// Makes the folder a checkpoint, beside the build, once those before it are written.
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
            // Nothing is to stand on a damaged layer.
            try await verify()
            // Nothing stands on what was not kept, which has been told.
            if let parent = folder.parent, !store.isCheckpoint(parent) { return }
            if folder.parent == nil { await beginPacking(folder, draft.details["format"])?.value }
            let checkpoint = try await store.commit(folder, draft)
            // What the machine writes to now protects it.
            checkpoint.release()
            folder.abandon()
            reporter.debug("checkpoint \(folder.id) after \(title)")
        } catch {
            reporter.warn("no checkpoint is kept of \(title): \(error)")
        }
    }

    /// - Returns: nil where nobody has the time.
    private func beginPacking(_ folder: StageFolder, _ format: String?) -> Task<Void, Never>? {
        state.withLock { state in
            if !state.isHurried { state.packing = Task { await pack(folder, format) } }
            return state.packing
        }
    }

    /// Somebody waits for the end: what is being written is finished without what can be left out.
    func hurry() {
        state.withLock { state in
            state.isHurried = true
            state.packing?.cancel()
        }
    }

    /// Compresses the layers of the installation, which are nearly all that a chain of checkpoints takes: to less than the
    /// half. The running machine goes on with the files as they were.
    private func pack(_ folder: StageFolder, _ format: String?) async {
        let source = checkpoints.build.source
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
                // It is as good as it is, only larger.
                reporter.debug("\(layer) is not compressed: \(error)")
            }
        }
    }

    /// Waits until the last checkpoints are written: seconds, and what it saves is worth more.
    func settle() async {
        await state.withLock { $0.writing.take() }?.value
    }

    /// Begins to read what the machine stands on: from when on it may take time away from the machine.
    @discardableResult
    func beginVerification() -> Task<Void, any Error> {
        state.withLock { state in
            if let running = state.verification { return running }
            let task = Task { [checkpoint] in try await checkpoint?.verify() ?? () }
            state.verification = task
            return task
        }
    }

    /// Waits until all that the machine stands on has been read.
    ///
    /// - Throws: `Restart` when some of it is damaged.
    func verify() async throws {
        do { try await beginVerification().value } catch let damage as DamagedCheckpoint {
            checkpoint?.markDamaged(damage)
            throw Restart(reason: .damaged("\(damage)"))
        }
    }

    func stop() async {
        release()
        await settle()
        state.withLock { $0.verification }?.cancel()
        checkpoint?.release()
    }
}

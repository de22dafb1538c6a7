import Checkpoints
import ComponentModel
import DiskImages
import Foundation
import Libvirt
import Scopes
import Templates

/// A machine that has just been started.
struct StartedMachine: Sendable {
    var machine: RunningMachine
    var stage: StageInProgress
    var isFromCheckpoint = false
    /// How long its memory was frozen; nil where it was booted.
    var frozenFor: Duration?
    /// The keys that the guest was installed with, where an earlier run has installed it.
    var keys: BuildKeys?
}

/// Starts the machine: boots it from the installation medium, or restores it from a checkpoint.
struct StartMachine: Sendable {
    let scope: BuildScope
    let prepared: Preparation
    private let qemuImg = QemuImg()

    init(scope: BuildScope, prepared: Preparation) {
        self.scope = scope
        self.prepared = prepared
    }

    private var source: QemuSource { scope.source }
    private var reporter: Reporter { scope.reporter }

    /// Boots the machine from the installation medium.
    ///
    /// - Parameter store: Where its disks go, so that checkpoints can be kept; nil: they go into the workspace.
    func boot(keepingDisksIn store: CheckpointStore?, _ teardowns: Teardowns) async throws -> StartedMachine {
        let folder = try store?.makeFolder(parent: nil)
        let seeds = try await scope.step("Making seed media", unless: source.seeds.isEmpty) {
            try await MakeSeeds(settings: source.seeds, context: scope.context)
                .run(in: folder.map { $0.path + "/seeds" } ?? prepared.workspace.seeds)
        }
        let disks = try await scope.step("Creating disks") {
            try await CreateDisks(source: source, reporter: reporter)
                .run(
                    folder.map { source.layers(in: $0) } ?? source.images(in: prepared.workspace), prepared.medium.path)
        }
        let machine = try await scope.step("Booting the machine") {
            try await start(disks, seeds ?? Seeds(), teardowns)
        }
        return StartedMachine(machine: machine, stage: StageInProgress(disks: disks, folder: folder))
    }

    /// Restores the machine of a checkpoint with its memory where that is possible here, else boots its disks.
    func resume(
        _ checkpoint: Checkpoint, of checkpoints: BuildCheckpoints, _ teardowns: Teardowns
    ) async throws -> Attempt<StartedMachine> {
        let folder = try checkpoints.store.makeFolder(parent: checkpoint.manifest.id)
        try copyVariables(of: checkpoint)
        let seeds = Seeds(in: checkpoint.rootFolder + "/seeds")
        let keys = try BuildKeys(storedIn: checkpoint.rootFolder, checkpoint.manifest.details)
        func started(_ machine: RunningMachine, _ disks: Disks, frozenFor: Duration?) -> Attempt<StartedMachine> {
            .done(
                StartedMachine(
                    machine: machine,
                    stage: StageInProgress(disks: disks, folder: folder, details: checkpoint.manifest.details),
                    isFromCheckpoint: true, frozenFor: frozenFor, keys: keys))
        }
        do {
            try checkpoint.check()
            try await checkMemory(of: checkpoint, checkpoints)
            let disks = try await overlays(on: checkpoint, in: folder)
            // What fails here is not asked about: there is another way to start the machine.
            let machine = try await scope.step("Restoring the machine", asking: { _ in false }) {
                let memory = folder.path + "/restored"
                do { try await checkpoint.unpackMemory(to: memory) } catch let error as BuildError {
                    throw MemoryUnusable(text: "\(error)")
                }
                defer { unlink(memory) }
                return try await start(disks, seeds, memory: memory, teardowns)
            }
            return started(machine, disks, frozenFor: age(ofMemoryIn: checkpoint))
        } catch let damage as DamagedCheckpoint {
            checkpoint.markDamaged(damage)
            return .restart(.damaged("\(damage)"))
        } catch let reason as MemoryUnusable {
            reporter.news("Booting the disks of the checkpoint instead of restoring its memory: \(reason.text)")
        } catch let error as BuildError {
            try Task.checkCancellation()
            reporter.warn("the machine's memory could not be restored, so its disks are booted: \(error.underlying)")
        }
        do {
            let disks = try await overlays(on: checkpoint, in: folder)
            // The machine may have begun to change them.
            try copyVariables(of: checkpoint)
            let machine = try await scope.step("Booting the disks of the checkpoint", asking: { _ in false }) {
                let tpm = checkpoint.folder + RunningMachine.tpmFolder
                return try await start(
                    disks, seeds, tpmState: FileManager.default.fileExists(atPath: tpm) ? tpm : nil, teardowns)
            }
            return started(machine, disks, frozenFor: nil)
        } catch let error as BuildError {
            try Task.checkCancellation()
            // What is wrong with this host or the template shows again when the installation is booted.
            return .restart(.unreachable("\(error)"))
        }
    }

    private func start(
        _ disks: Disks, _ seeds: Seeds, memory: String? = nil, tpmState: String? = nil, _ teardowns: Teardowns
    ) async throws -> RunningMachine {
        try await BootMachine(scope: scope).run(
            .init(
                workspace: prepared.workspace, disks: disks, seeds: seeds, services: prepared.services,
                medium: prepared.medium.path, tpmState: tpmState),
            memory: memory, teardowns)
    }

    /// Why the memory of a checkpoint cannot be restored here.
    private struct MemoryUnusable: Error { var text: String }

    private func checkMemory(of checkpoint: Checkpoint, _ checkpoints: BuildCheckpoints) async throws {
        guard let memory = checkpoint.manifest.memory else {
            throw MemoryUnusable(text: "its memory was not kept")
        }
        let here = try await checkpoints.memoryRequirements()
        if let difference = memoryDifference(from: memory.requirements, to: here) {
            throw MemoryUnusable(text: difference)
        }
    }

    /// New layers above those of the checkpoint.
    private func overlays(on checkpoint: Checkpoint, in folder: StageFolder) async throws -> Disks {
        let details = checkpoint.manifest.details
        var paths: [String] = []
        for index in 0..<(1 + source.disk.additionalSizes.count) {
            let path = "\(folder.path)/disk-\(index)"
            unlink(path)
            try await qemuImg.create(
                path, format: "qcow2", size: nil,
                backing: ("\(checkpoint.folder)/disk-\(index)", details["format"] ?? "qcow2"))
            paths.append(path)
        }
        return Disks(paths: paths, format: "qcow2")
    }

    private func copyVariables(of checkpoint: Checkpoint) throws {
        let variables = checkpoint.folder + "/efivars.fd"
        let target = prepared.workspace.variables
        guard FileManager.default.fileExists(atPath: variables) else { return }
        try removeTree(target)
        try attemptingNow("copy the UEFI variables") {
            try FileManager.default.copyItem(atPath: variables, toPath: target)
        }
        chmod(target, 0o644)
    }

    private func age(ofMemoryIn checkpoint: Checkpoint) -> Duration {
        let frozen = checkpoint.manifest.details["frozen"].flatMap(Double.init) ?? 0
        return .seconds(max(0, Date().timeIntervalSince1970 - frozen).rounded())
    }
}

extension Checkpoint {
    /// The folder of the first stage that was kept: what all machines of one installation need lies in it.
    fileprivate var rootFolder: String { folder(of: chain.first?.id ?? id) }
}

import Checkpoints
import ComponentModel
import DiskImages
import Foundation
import Libvirt
import Scopes
import Templates

/// A machine that has just been started, and what it stands on.
struct Origin: Sendable {
    var machine: RunningMachine
    var frontier: Frontier
    /// Whether it comes from a checkpoint.
    var isResumed = false
    /// How long it has slept; nil where it was booted.
    var asleep: Duration?
    /// Those that the guest was installed with, where it was an earlier run that did it.
    var keys: BuildKeys?
}

/// Starts the machine: by booting it, or from a checkpoint.
struct BeginMachine: Sendable {
    let build: Build
    let step: StepRunner
    let workspace: Workspace
    let medium: Medium
    let services: Services
    let checkpoints: BuildCheckpoints?
    let keeps: KeepOnFailure
    private let qemuImg = QemuImg()

    init(
        build: Build, step: StepRunner, workspace: Workspace, medium: Medium, services: Services,
        checkpoints: BuildCheckpoints?, keeps: KeepOnFailure
    ) {
        self.build = build
        self.step = step
        self.workspace = workspace
        self.medium = medium
        self.services = services
        self.checkpoints = checkpoints
        self.keeps = keeps
    }

    private var source: QemuSource { build.plan.source }
    private var reporter: Reporter { build.reporter }

    /// From the installation medium.
    func boot(_ teardowns: Teardowns) async throws -> Origin {
        let folder = try checkpoints?.store.makeFolder(parent: nil)
        let seeds = try await step.run("Making seed media", unless: source.seeds.isEmpty) {
            try await MakeSeeds(settings: source.seeds, context: build.context)
                .run(in: folder.map { $0.path + "/seeds" } ?? workspace.seeds)
        }
        let disks = try await step.run("Creating disks") {
            try await CreateDisks(source: source, reporter: reporter)
                .run(folder.map { source.layers(in: $0) } ?? source.images(in: workspace), medium.path)
        }
        let machine = try await step.run("Booting the machine") {
            try await boot(disks, seeds ?? Seeds(), nil, teardowns)
        }
        return Origin(machine: machine, frontier: Frontier(disks: disks, folder: folder))
    }

    /// From a checkpoint: with its memory where that can be, else by booting its disks.
    func resume(
        _ checkpoint: Checkpoint, _ checkpoints: BuildCheckpoints, _ teardowns: Teardowns
    ) async throws -> Origin {
        let folder = try checkpoints.store.makeFolder(parent: checkpoint.manifest.id)
        try copyState(of: checkpoint)
        let seeds = Seeds(in: checkpoint.rootFolder + "/seeds")
        let keys = try storedKeys(checkpoint)
        func origin(_ machine: RunningMachine, _ disks: Disks, asleep: Duration?) -> Origin {
            Origin(
                machine: machine,
                frontier: Frontier(disks: disks, folder: folder, details: checkpoint.manifest.details),
                isResumed: true, asleep: asleep,
                keys: keys)
        }
        do {
            try checkpoint.check()
            try await checkUsable(checkpoint, checkpoints)
            let disks = try await overlays(on: checkpoint, in: folder)
            let machine = try await step.run("Restoring the machine") {
                let memory = folder.path + "/restored"
                do { try await checkpoint.unpackMemory(to: memory) } catch let error as BuildError {
                    throw MemoryUnusable(text: "\(error)")
                }
                defer { unlink(memory) }
                return try await boot(disks, seeds, memory, teardowns)
            }
            return origin(machine, disks, asleep: asleep(checkpoint))
        } catch let damage as DamagedCheckpoint {
            checkpoint.markDamaged(damage)
            throw Restart(reason: .damaged("\(damage)"))
        } catch let reason as MemoryUnusable {
            reporter.news("Its disks are booted instead of restoring the machine: \(reason.text)")
        } catch let error as BuildError where error.underlying is LibvirtError {
            reporter.warn("the machine's memory could not be restored, so its disks are booted: \(error.underlying)")
        }
        do {
            let disks = try await overlays(on: checkpoint, in: folder)
            // The machine may have begun to change them.
            try copyState(of: checkpoint)
            let machine = try await step.run("Booting the disks of the checkpoint") {
                let tpm = checkpoint.folder + RunningMachine.tpmFolder
                return try await boot(
                    disks, seeds, nil, teardowns, tpmState: FileManager.default.fileExists(atPath: tpm) ? tpm : nil)
            }
            return origin(machine, disks, asleep: nil)
        } catch let error as BuildError {
            // What is wrong with this host or the template shows when the installation is booted.
            try Task.checkCancellation()
            throw Restart(reason: .unreachable("\(error)"))
        }
    }

    private func boot(
        _ disks: Disks, _ seeds: Seeds, _ memory: String?, _ teardowns: Teardowns, tpmState: String? = nil
    ) async throws -> RunningMachine {
        try await BootMachine(
            build: build.plan, context: build.context, engine: build.engine, reporter: reporter,
            runFolder: build.runFolder
        ).run(
            teardowns, keeps,
            .init(
                workspace: workspace, disks: disks, seeds: seeds, services: services, medium: medium.path,
                tpmState: tpmState),
            memory: memory)
    }

    /// Why a machine's memory is of no use here.
    private struct MemoryUnusable: Error { var text: String }

    private func checkUsable(_ checkpoint: Checkpoint, _ checkpoints: BuildCheckpoints) async throws {
        guard let memory = checkpoint.manifest.memory else {
            throw MemoryUnusable(text: "its memory was not kept")
        }
        let here = try await checkpoints.memoryRequirements()
        for (name, value) in memory.requirements.sorted(by: { $0.key < $1.key }) where here[name] != value {
            throw MemoryUnusable(text: "\(name) was \(value), and is \(here[name] ?? "unknown") now")
        }
    }

    /// New layers on the checkpoint's.
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

    private func copyState(of checkpoint: Checkpoint) throws {
        let variables = checkpoint.folder + "/efivars.fd"
        guard FileManager.default.fileExists(atPath: variables) else { return }
        try removeTree(workspace.variables)
        try attemptingNow("copy the UEFI variables") {
            try FileManager.default.copyItem(atPath: variables, toPath: workspace.variables)
        }
        chmod(workspace.variables, 0o644)
    }

    private func asleep(_ checkpoint: Checkpoint) -> Duration {
        let frozen = checkpoint.manifest.details["frozen"].flatMap(Double.init) ?? 0
        return .seconds(max(0, Date().timeIntervalSince1970 - frozen).rounded())
    }

    private func storedKeys(_ checkpoint: Checkpoint) throws -> BuildKeys? {
        try BuildKeys(storedIn: checkpoint.rootFolder, checkpoint.manifest.details)
    }
}

extension Checkpoint {
    /// The folder of the first stage that was kept: what all machines of one installation need lies in it.
    fileprivate var rootFolder: String { folder(of: chain.first?.id ?? id) }
}

import Checkpoints
import Foundation
import Libvirt
import SSH
import Scopes
import Templates

/// One life of the machine: from its start, wherever it comes from, until it is shut down.
struct BuildAttempt: Sendable {
    let build: Build
    let step: StepRunner
    let workspace: Workspace
    let medium: Medium
    let services: Services
    let keys: Task<BuildKeys?, any Error>
    /// nil: none are kept.
    var checkpoints: BuildCheckpoints?
    let keeps: KeepOnFailure

    private var plan: PlannedBuild { build.plan }
    private var source: QemuSource { build.plan.source }
    private var context: RunContext { build.context }
    private var reporter: Reporter { build.reporter }

    /// What is left of the machine when it is off.
    struct Finished: Sendable {
        var disks: Disks
        var data: RunData
        /// Holds the disks; nil where they lie in the workspace.
        var folder: StageFolder?
        /// Absolute paths on this host that provisioners have downloaded to, in this life of the machine or before.
        var downloads: [String]
    }

    /// - Returns: nil where the build was to stop after a stage.
    /// - Throws: `Restart` when another life of the machine has to be begun.
    func run(_ recorder: CheckpointRecorder?, from start: StartingPoint) async throws -> Finished? {
        try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            teardowns.add("finish the last checkpoints") { [keeps] outcome in
                if keeps.keeps(after: outcome) { try recorder?.keepLayers() }
                // After a success they are written while the disks are finished.
                guard case .failure(let error) = outcome else { return }
                if error is CancellationError { recorder?.hurry() }
                await recorder?.stop()
            }
            if start.checkpoint == nil { try await recorder?.claim(0) }
            let origin = try await self.start(from: start, teardowns)
            recorder?.hold(origin.frontier.folder)
            let machine = origin.machine
            let (shell, data, frontier) = try await whileInstalling(origin) {
                try await self.provision(origin, start, recorder, teardowns)
            }
            guard let frontier else { return nil }
            try await step.run("Shutting down") {
                try await ShutDown(settings: source.shutdown, context: context, data: data, reporter: reporter)
                    .run(machine, shell)
            }
            try await recorder?.verify()
            return Finished(
                disks: frontier.disks, data: data, folder: frontier.folder,
                downloads: recorder?.stages.entries.flatMap(\.downloads) ?? [])
        }
    }

    /// Opens a shell at this terminal in a machine from a checkpoint.
    func openShell(from start: StartingPoint) async throws {
        try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            let origin = try await self.start(from: start, teardowns)
            guard case .ssh(let settings) = source.communicator else { return }
            try await origin.machine.whileRunning {
                _ = try await meet(origin, origin.keys, teardowns)
                try await OpenShell(settings: settings, context: context, workspace: workspace).run(
                    origin.machine, origin.keys)
            }
        }
    }

    // MARK: The start

    private func start(
        from start: StartingPoint, _ teardowns: Teardowns
    ) async throws -> Origin {
        let beginning = BeginMachine(
            build: build, step: step, workspace: workspace, medium: medium, services: services,
            checkpoints: checkpoints, keeps: keeps)
        if let checkpoint = start.checkpoint, let checkpoints {
            return try await beginning.resume(checkpoint, checkpoints, teardowns)
        }
        return try await beginning.boot(teardowns)
    }

    /// A machine that goes away ends the installation at once; without a communicator its power-off is how it ends.
    private func whileInstalling(
        _ origin: Origin,
        _ body: @escaping @Sendable () async throws -> (GuestShell?, RunData, Frontier?)
    ) async throws -> (GuestShell?, RunData, Frontier?) {
        do { return try await origin.machine.whileRunning(body) } catch let stop as MachineStopped
            where stop.reason == .shutDown && source.communicator.isNone
        {
            let data = RunData(
                source, machine: origin.machine, services: services, keys: nil, runUUID: context.runUUID)
            return (nil, data, origin.frontier)
        }
    }

    // MARK: While the machine runs

    private func provision(
        _ origin: Origin, _ start: StartingPoint, _ recorder: CheckpointRecorder?, _ teardowns: Teardowns
    ) async throws -> (GuestShell?, RunData, Frontier?) {
        let machine = origin.machine
        if start.checkpoint == nil {
            try await step.run("Typing the boot command", unless: source.machine.vnc.isDisabled || source.boot.isEmpty)
            {
                let typing = TypeBootCommand(
                    settings: source.boot, vmName: source.vmName, context: context, reporter: reporter)
                try await typing.run(
                    machine, services, publicKey: typing.needsKey ? self.keys.value?.publicKey ?? "" : "")
            }
        }
        // From here on the guest works, for minutes or hours.
        releaseCodePages()
        let keys = origin.isResumed ? origin.keys : try await self.keys.value
        let (shell, data) = try await meet(origin, keys, teardowns)
        recorder?.beginVerification()
        var frontier = origin.frontier
        func capture(_ index: Int) async throws -> Bool {
            guard let recorder, let shell else { return false }
            frontier = try await recorder.capture(index, machine, shell, frontier, keys)
            return checkpoints?.until == index
        }
        do {
            if start.next == 0, try await capture(0) { return (shell, data, nil) }
            for index in max(1, start.next)..<(plan.provisioners.count + 1) {
                try await recorder?.claim(index)
                try await provision(with: plan.provisioners[index - 1], index, data, shell, machine, keys, recorder)
                frontier.downloads += recorder?.stages.entries[index].downloads ?? []
                if try await capture(index) { return (shell, data, nil) }
            }
        } catch let error where !(error is CancellationError) && !(error is Restart) {
            await cleanUpAfterError(data, shell)
            throw error
        }
        try await clear(keys, shell)
        return (shell, data, frontier)
    }

    /// Connects to the guest; one that has slept is told what it has missed.
    private func meet(
        _ origin: Origin, _ keys: BuildKeys?, _ teardowns: Teardowns
    ) async throws -> (GuestShell?, RunData) {
        let shell = try await connect(origin.machine, keys, origin, teardowns)
        let data = RunData(source, machine: origin.machine, services: services, keys: keys, runUUID: context.runUUID)
        if let asleep = origin.asleep, let shell {
            try await RefreshGuest(build: plan, data: data, context: context, reporter: reporter)
                .run(shell, asleep: asleep)
        }
        return (shell, data)
    }

    private func connect(
        _ machine: RunningMachine, _ keys: BuildKeys?, _ origin: Origin, _ teardowns: Teardowns
    ) async throws -> GuestShell? {
        guard case .ssh(var settings) = source.communicator else { return nil }
        if origin.isResumed { settings.timeout = min(settings.timeout ?? .seconds(600), .seconds(600)) }
        let title = origin.isResumed ? "Reaching the guest again" : "Waiting for SSH"
        do {
            let connecting = ConnectShell(settings: settings, context: context, reporter: reporter)
            let shell = try await step.run(title) { try await connecting.run(machine, services, keys) }
            teardowns.add("close the SSH connection") { _ in await shell.close() }
            return shell
        } catch let error as BuildError where origin.isResumed {
            try Task.checkCancellation()
            // A guest that is there and refuses the login would do so after an installation as well.
            if case .authenticationRefused? = error.underlying as? SSHError { throw error }
            throw Restart(reason: .unreachable("\(error.underlying)"))
        }
    }

    private func provision(
        with planned: PlannedProvisioner, _ index: Int, _ data: RunData, _ shell: GuestShell?,
        _ machine: RunningMachine, _ keys: BuildKeys?, _ recorder: CheckpointRecorder?
    ) async throws {
        let title = "Provisioner \(index) of \(plan.provisioners.count): \(planned.name ?? planned.type)"
        var remedies = Attendant.Remedies(canRestart: recorder?.canRestart(before: index) ?? false)
        if case .ssh(let settings) = source.communicator, shell != nil {
            remedies.openShell = {
                try await OpenShell(settings: settings, context: context, workspace: workspace).run(machine, keys)
            }
        }
        try await step.run(title, remedies: remedies) {
            do {
                try await run(planned, data, shell)
            } catch let error where !(error is CancellationError) {
                // A guest on a damaged disk fails for reasons that are none of its own.
                try await recorder?.verify()
                throw error
            }
        }
    }

    private func run(_ planned: PlannedProvisioner, _ data: RunData, _ shell: GuestShell?) async throws {
        try await Provision(
            planned: planned, build: plan, data: data, context: context, reporter: reporter,
            attendant: build.attendant
        ).run(shell)
    }

    /// The `error-cleanup-provisioner` runs in every mode but abort; its own failure only adds to the first.
    private func cleanUpAfterError(_ data: RunData, _ shell: GuestShell?) async {
        guard let planned = plan.errorCleanupProvisioner, build.options.onError != .abort else { return }
        do {
            try await reporter.step("Running the error-cleanup-provisioner") { try await run(planned, data, shell) }
        } catch {
            reporter.warn("also the error-cleanup-provisioner failed: \(error)")
        }
    }

    private func clear(_ keys: BuildKeys?, _ shell: GuestShell?) async throws {
        guard case .ssh(let settings) = source.communicator, settings.clearsAuthorizedKeys, let shell, let keys
        else { return }
        try await ClearAuthorizedKeys(keyName: keys.name, reporter: reporter).run(shell)
    }
}

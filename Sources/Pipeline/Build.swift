import Checkpoints
import ComponentModel
import DiskImages
import Guests
import Libvirt
import Machines
import Scopes
import Templates

/// One source built once: from its medium to the finished image.
///
/// It reads from top to bottom: `makeImage`, `runMachine` (again for each restart), `runStages`.
package struct Build: Sendable {
    let scope: BuildScope

    package init(_ scope: BuildScope) { self.scope = scope }

    private var source: QemuSource { scope.source }
    private var reporter: Reporter { scope.reporter }

    /// Makes the image and runs the post-processors on it.
    ///
    /// - Returns: The artifacts to list at the end.
    /// - Throws: What went wrong first; by then everything acquired is gone again, unless `-on-error` says otherwise.
    package func run() async throws -> [Artifact] {
        do { return try await build() } catch { throw ExplainFailure(scope: scope).explain(error) }
    }

    private func build() async throws -> [Artifact] {
        // A server that would refuse the image at the end refuses it now.
        try await postProcess(.beforeMachine(runUUID: scope.context.runUUID)).check()
        guard let (artifact, data) = try await makeImage() else { return [] }
        do {
            return try await postProcess(data).run(artifact)
        } catch {
            reporter.news("The image itself is complete and stays in \(source.outputDirectory).")
            throw error
        }
    }

    private func postProcess(_ data: RunData) -> PostProcess {
        PostProcess(build: scope.plan, data: data, context: scope.context, reporter: reporter)
    }

    // MARK: From the medium to the image

    /// - Returns: nil where the build was to stop after a stage.
    private func makeImage() async throws -> (Artifact, RunData)? {
        try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            // Making keys takes seconds, and nothing needs them until the guest is up.
            let keys = Task { try MakeKeys(source.communicator, run: scope.context.runUUID)?.run() }
            teardowns.add("stop making keys") { _ in keys.cancel() }

            let medium = try await scope.step("Fetching the medium") { try await FetchMedium(scope: scope).run() }
            let (workspace, output) = try await scope.step("Preparing the output folder") {
                let preparing = PrepareWorkspace(
                    source: source, context: scope.context, engine: scope.engine, reporter: reporter)
                // A build that stops after a stage makes no image.
                return scope.options.checkpoints.until == nil
                    ? try await preparing.run(medium: medium.path, teardowns, scope.retention)
                    : try await preparing.temporary(medium: medium.path, teardowns)
            }
            let checkpoints = try await BuildCheckpoints.open(scope, medium)
            teardowns.add("remove surplus checkpoints") { _ in try checkpoints?.prune() }
            let services = try await scope.step("Serving files") { try await ServeFiles(scope: scope).run(teardowns) }

            let prepared = Preparation(medium: medium, workspace: workspace, services: services, keys: keys)
            guard let machine = try await runMachine(checkpoints, prepared, teardowns) else { return nil }

            // The machine is off; its disks become the image.
            let images = Disks(paths: source.images(in: workspace), format: source.disk.format.rawValue)
            try await scope.step("Joining the layers", unless: machine.folder == nil || !source.disk.usesBackingFile) {
                // What differs from the base has to be in the top layer alone, as if there had been no others.
                try await QemuImg().rebase(machine.disks.paths[0], onto: (medium.path, "qcow2"))
            }
            let finishedGuest = try await FinishGuest(scope: scope, medium: medium.path)?
                .attempt(machine.disks, workspace, machine.data)
            var shortcoming = try await scope.step("Finishing the disk") {
                try await FinishDisks(source: source, medium: medium.path, reporter: reporter)
                    .run(machine.disks, into: images, finishedGuest, workspace)
            }
            if let settings = source.proxmox, shortcoming == nil {
                shortcoming = try await ReplaceByProxmoxArchive(scope: scope, settings: settings).run(images, workspace)
            }
            let artifact = try await scope.step("Moving the image into place") {
                try CommitOutput(source: source)
                    .run(workspace, output, isComplete: shortcoming == nil, downloads: machine.downloads)
            }
            if let shortcoming {
                throw shortcoming.error(place: scope.context.shown(artifact.directory ?? source.outputDirectory))
            }
            return (artifact, machine.data)
        }
    }

    // MARK: From power-on to power-off

    /// Runs the machine from the deepest checkpoint that applies, and starts over from there where it has to.
    ///
    /// - Returns: nil where the build was to stop after a stage.
    private func runMachine(
        _ checkpoints: BuildCheckpoints?, _ prepared: Preparation, _ teardowns: Teardowns
    ) async throws -> FinishedMachine? {
        var restarts = Restarts()
        while true {
            var start: StartingPoint? = .withoutCheckpoints
            if let checkpoints {
                start = try await checkpoints.startingPoint(ignoringCheckpoints: restarts.ignoresCheckpoints)
            }
            // The stage to stop after has a checkpoint already.
            guard let start else { return nil }
            switch try await runMachine(from: start, prepared) {
            case .finished(let machine):
                // The last checkpoints are written while the image is finished.
                teardowns.add("finish the last checkpoints") { _ in await start.recorder?.stop() }
                return machine
            case .stopped(let stage):
                await start.recorder?.stop()
                reporter.news("Stopped after \(stage); `ingot shell` opens a shell there.")
                return nil
            case .restart(let reason):
                await start.recorder?.stop()
                try restarts.add(reason, reporter)
            }
        }
    }

    /// One run of the machine, from its start to its end.
    private func runMachine(from start: StartingPoint, _ prepared: Preparation) async throws -> MachineRun {
        try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            let recorder = start.recorder
            teardowns.add("finish the checkpoints of a failed build") { [scope] outcome in
                guard case .failure(let error) = outcome else { return }
                if scope.retention.keepsEverything(after: outcome) { try await recorder?.keepLayers() }
                if error is CancellationError { recorder?.skipCompression() }
                await recorder?.stop()
            }

            let starting = StartMachine(scope: scope, prepared: prepared)
            let started: StartedMachine
            if let recorder, let checkpoint = start.checkpoint {
                switch try await starting.resume(checkpoint, of: recorder.checkpoints, teardowns) {
                case .done(let machine): started = machine
                case .restart(let reason): return .restart(reason)
                }
            } else {
                if let reason = try await recorder?.claim(0) { return .restart(reason) }
                started = try await starting.boot(keepingDisksIn: recorder?.checkpoints.store, teardowns)
            }
            recorder?.setActiveFolder(started.stage.folder)
            teardowns.add("say how to reach the machine that is kept") { [scope] outcome in
                guard scope.retention.keepsEverything(after: outcome) else { return }
                try await DescribeKeptMachine(scope: scope, prepared: prepared).run(started)
            }

            let end: RunningEnd
            do {
                // A machine that goes away ends every wait at once.
                end = try await started.machine.whileRunning {
                    try await runStages(of: started, from: start, prepared, teardowns)
                }
            } catch let stop as MachineStopped where stop.reason == .shutDown && source.communicator.isNone {
                // Without a communicator this is how the installation ends.
                end = .ready(nil, RunData(scope, started.machine, prepared.services, keys: nil), started.stage)
            }
            switch end {
            case .restart(let reason): return .restart(reason)
            case .stopped(let stage): return .stopped(after: stage)
            case .ready(let guest, let data, let stage):
                try await scope.step("Shutting down") {
                    try await ShutDown(
                        settings: source.shutdown, context: scope.context, data: data, reporter: reporter
                    ).run(started.machine, guest, prepared.services.activity)
                }
                if let reason = try await recorder?.damage() { return .restart(reason) }
                return .finished(
                    FinishedMachine(
                        disks: stage.disks, folder: stage.folder, data: data,
                        downloads: recorder?.stages.entries.flatMap(\.downloads) ?? []))
            }
        }
    }

    /// How the time ends in which the machine runs.
    private enum RunningEnd: Sendable {
        /// The guest can be shut down.
        case ready((any Guest)?, RunData, StageInProgress)
        /// The build was to stop after this stage, whose checkpoint is made.
        case stopped(after: String)
        case restart(Restart)
    }

    // MARK: While the machine runs

    /// Types the boot command, connects, and runs the stages, each with its checkpoint.
    private func runStages(
        of started: StartedMachine, from start: StartingPoint, _ prepared: Preparation, _ teardowns: Teardowns
    ) async throws -> RunningEnd {
        let (machine, recorder, services) = (started.machine, start.recorder, prepared.services)
        if !started.isFromCheckpoint {
            try await scope.step(
                "Typing the boot command", unless: source.machine.vnc.isDisabled || source.boot.isEmpty
            ) {
                let typing = TypeBootCommand(scope: scope)
                let publicKey = typing.needsKey ? try await prepared.keys.value?.publicKey : nil
                try await typing.run(machine, services, publicKey: publicKey ?? "")
            }
        }
        // The guest works from here on, for minutes or hours.
        releaseCodePages()

        let keys = started.isFromCheckpoint ? started.keys : try await prepared.keys.value
        let guest: (any Guest)?
        switch try await ReachGuest(scope: scope, services: services).run(started, keys, teardowns) {
        case .done(let reached): guest = reached
        case .restart(let reason): return .restart(reason)
        }
        let data = RunData(scope, machine, services, keys: keys)
        let refresh = RefreshGuest(scope: scope, data: data)
        if let frozenFor = started.frozenFor, let guest { try await refresh.run(guest, frozenFor: frozenFor) }
        recorder?.beginVerification()

        var stage = started.stage
        do {
            // Stage 0 is the installation, which is done now; each provisioner is one more.
            for index in start.next..<(scope.plan.provisioners.count + 1) {
                if index > 0 {
                    if let reason = try await recorder?.claim(index) { return .restart(reason) }
                    let provisioning = RunProvisioner(
                        scope: scope, number: index, data: data, machine: machine, keys: keys,
                        workspace: prepared.workspace, recorder: recorder)
                    if let reason = try await provisioning.run(guest) { return .restart(reason) }
                    stage.downloads += recorder?.stages.entries[index].downloads ?? []
                }
                guard let recorder, let guest else { continue }
                stage = try await recorder.capture(index, machine, guest, stage, keys, refresh)
                if recorder.checkpoints.until == index { return .stopped(after: recorder.stages.stages[index].title) }
            }
        } catch let error where !(error is CancellationError) {
            await cleanUpAfterError(data, guest)
            throw error
        }
        if case .ssh(let settings) = source.communicator, settings.clearsAuthorizedKeys, let guest, let keys {
            try await ClearAuthorizedKeys(keyName: keys.name, reporter: reporter).run(guest)
        }
        return .ready(guest, data, stage)
    }

    /// The `error-cleanup-provisioner` runs in every mode but abort; where it fails, the first error is still the one to
    /// report.
    private func cleanUpAfterError(_ data: RunData, _ guest: (any Guest)?) async {
        guard let planned = scope.plan.errorCleanupProvisioner, scope.options.onError != .abort else { return }
        do {
            try await reporter.step("Running the error-cleanup-provisioner") {
                try await Provision(
                    planned: planned, build: scope.plan, data: data, context: scope.context, reporter: reporter,
                    attendant: scope.attendant
                ).run(guest)
            }
        } catch {
            reporter.warn("also the error-cleanup-provisioner failed: \(error)")
        }
    }
}

/// What is ready before the machine starts, and serves each of its runs.
struct Preparation: Sendable {
    let medium: Medium
    let workspace: Workspace
    let services: Services
    /// Of this build; nil where the template names a key of its own.
    let keys: Task<BuildKeys?, any Error>
}

/// How one run of the machine ended.
enum MachineRun: Sendable {
    case finished(FinishedMachine)
    /// The build was to stop after this stage.
    case stopped(after: String)
    case restart(Restart)
}

/// What a machine leaves behind when it is off.
struct FinishedMachine: Sendable {
    var disks: Disks
    /// Holds the disks; nil where they lie in the workspace.
    var folder: StageFolder?
    var data: RunData
    /// Absolute paths on this host that provisioners have downloaded to, in this run of the machine or before.
    var downloads: [String]
}

import Checkpoints
import DiskImages
import Foundation
import Libvirt
import SSH
package import Scopes
package import Templates

/// One source built once: from its medium to the finished image.
package struct Build: Sendable {
    let plan: PlannedBuild
    let context: RunContext
    let options: BuildOptions
    let engine: Engine
    let reporter: Reporter
    let runFolder: RunFolder
    let attendant: Attendant
    /// Text that must not be shown, nor be left in the image.
    let secrets: [Sensitive<String>]

    package init(
        plan: PlannedBuild, context: RunContext, options: BuildOptions, engine: Engine, reporter: Reporter,
        runFolder: RunFolder, attendant: Attendant, secrets: [Sensitive<String>]
    ) {
        self.plan = plan
        self.context = context
        self.options = options
        self.engine = engine
        self.reporter = reporter
        self.runFolder = runFolder
        self.attendant = attendant
        self.secrets = secrets
    }

    /// Makes the image and runs the post-processors on it.
    ///
    /// - Returns: What to list at the end.
    /// - Throws: What went wrong first; by then everything acquired is gone again, unless `-on-error` says otherwise.
    package func run() async throws -> [Artifact] {
        try await PostProcess(build: plan, data: .none(context.runUUID), context: context, reporter: reporter).check()
        guard let (artifact, data) = try await makeImage() else { return [] }
        do {
            return try await PostProcess(build: plan, data: data, context: context, reporter: reporter).run(artifact)
        } catch {
            reporter.news("The image itself is complete and stays in \(plan.source.outputDirectory).")
            throw error
        }
    }

    /// The build, from top to bottom.
    ///
    /// - Returns: nil where it was to stop after a stage.
    private func makeImage() async throws -> (Artifact, RunData)? {
        let source = plan.source
        return try await withTeardowns(report: reporter.teardownFailed) { teardowns in
            let step = StepRunner(reporter: reporter, attendant: attendant)
            let keeps = KeepOnFailure(attendant: attendant)
            // Takes seconds of computing that nothing has to wait for until the guest is up.
            let keys = Task { try MakeKeys(source.communicator, run: context.runUUID)?.run() }
            teardowns.add("stop making keys") { _ in keys.cancel() }

            let medium = try await step.run("Fetching the medium") {
                try await FetchMedium(input: source.input, context: context, reporter: reporter).run()
            }
            let (workspace, output) = try await step.run("Preparing the output folder") {
                let preparing = PrepareWorkspace(
                    source: source, context: context, engine: engine, reporter: reporter)
                // A build that is to stop on the way makes no image.
                return options.checkpoints.until == nil
                    ? try await preparing.run(medium: medium.path, teardowns, keeps)
                    : try await preparing.temporary(medium: medium.path, teardowns)
            }
            let checkpoints = try await BuildCheckpoints.open(
                plan, options.checkpoints, context, engine, medium, reporter)
            teardowns.add("remove checkpoints that are too many") { _ in try checkpoints?.prune() }
            let services = try await step.run("Serving files") {
                try await ServeFiles(source: source, context: context, reporter: reporter).run(teardowns)
            }
            let attempt = BuildAttempt(
                build: self, step: step, workspace: workspace, medium: medium, services: services, keys: keys,
                checkpoints: checkpoints, keeps: keeps)
            guard let machine = try await run(attempt, teardowns) else { return nil }
            let images = Disks(paths: source.images(in: workspace), format: source.disk.format.rawValue)
            try await step.run("Joining the layers", unless: machine.folder == nil || !source.disk.usesBackingFile) {
                // What differs from the base is what the top layer alone holds, as if there had been no others.
                try await QemuImg().rebase(machine.disks.paths[0], onto: (medium.path, "qcow2"))
            }
            let finished = try await finishGuest(machine, medium, workspace, step)
            var shortcoming = try await step.run("Finishing the disk") {
                try await FinishDisks(source: source, medium: medium.path, reporter: reporter)
                    .run(machine.disks, into: images, finished, workspace)
            }
            if let proxmox = source.proxmox, shortcoming == nil {
                shortcoming = try await archive(images, workspace, proxmox, step)
            }
            let artifact = try await step.run("Moving the image into place") {
                try CommitOutput(source: source)
                    .run(workspace, output, isComplete: shortcoming == nil, downloads: machine.downloads)
            }
            if let shortcoming {
                throw shortcoming.error(place: context.shown(artifact.directory ?? source.outputDirectory))
            }
            return (artifact, machine.data)
        }
    }

    /// The machine from its start, wherever that is, to its end; begun anew where it has to be.
    private func run(_ attempt: BuildAttempt, _ teardowns: Teardowns) async throws -> BuildAttempt.Finished? {
        guard let checkpoints = attempt.checkpoints else { return try await attempt.run(nil, from: .beginning) }
        var startsOver = false
        var restarts = 0
        while true {
            // Whatever keeps a build from getting on with what is there, it gets on without.
            let (stages, start) = try await checkpoints.resolve(startsOver: startsOver || restarts > 20)
            if let until = checkpoints.until, start.next > until {
                start.checkpoint?.release()
                reporter.news("There is a checkpoint of \(stages.stages[until].title) already.")
                return nil
            }
            if let error = checkpoints.obstacleToKeeping() {
                start.checkpoint?.release()
                guard checkpoints.until == nil else { throw error }
                reporter.warn("checkpoints are neither used nor kept: \(error)")
                var attempt = attempt
                attempt.checkpoints = nil
                return try await attempt.run(nil, from: .beginning)
            }
            let recorder = CheckpointRecorder(checkpoints, stages, from: start.checkpoint)
            do {
                let finished = try await attempt.run(recorder, from: start)
                teardowns.add("finish the last checkpoints") { _ in await recorder.stop() }
                if finished == nil, let until = checkpoints.until {
                    reporter.news("Stopped after \(stages.stages[until].title); `ingot shell` opens a shell there.")
                }
                return finished
            } catch let restart as Restart {
                try Task.checkCancellation()
                reporter.news("\(restart)")
                startsOver = startsOver || restart.startsOver
                restarts += 1
            }
        }
    }

    /// Finishes what is on the disks, where the template asks for it. That it fails is no reason to lose the image.
    private func finishGuest(
        _ machine: BuildAttempt.Finished, _ medium: Medium, _ workspace: Workspace, _ step: StepRunner
    ) async throws -> Result<FinishedGuest, any Error>? {
        guard let settings = plan.source.finish else { return nil }
        do {
            return .success(
                try await step.run("Finishing the guest") {
                    try await FinishGuest(
                        settings: settings, source: plan.source, medium: medium.path, context: context,
                        reporter: reporter, secrets: secrets
                    ).run(machine.disks, workspace, machine.data)
                })
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            reporter.warn("the image is kept as the machine left it, since finishing it failed")
            return .failure(error)
        }
    }

    /// `format = "proxmox"`: the archive is all that leaves the workspace. Where it cannot be made, the disks do.
    private func archive(
        _ disks: Disks, _ workspace: Workspace, _ settings: ProxmoxArchiveSettings, _ step: StepRunner
    ) async throws -> Shortcoming? {
        let variables = workspace.variables
        var hasVariables = FileManager.default.fileExists(atPath: variables)
        if case .efi(_, _, dropsVars: true) = plan.source.machine.firmware { hasVariables = false }
        let images = BuiltImages(
            disks: disks.paths, format: disks.format, variables: hasVariables ? variables : nil)
        do {
            _ = try await step.run("Making the Proxmox archive") {
                try await MakeProxmoxArchive(settings: settings, context: context, reporter: reporter)
                    .run(images, in: workspace.output)
            }
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            return Shortcoming("make the Proxmox archive", error, kept: "The disks are kept")
        }
        for file in disks.paths + [variables] { try removeTree(file) }
        return nil
    }
}

extension CommunicatorSettings {
    var isSSH: Bool { if case .ssh = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }
}

extension BootSettings {
    var isEmpty: Bool { wait == nil && steps.isEmpty }
}

extension RunData {
    /// Before there is a guest.
    fileprivate static func none(_ runUUID: String) -> RunData {
        RunData(
            id: "", host: "", port: 0, user: "", password: Sensitive(""), connectionType: "none", runUUID: runUUID,
            httpIP: "", httpPort: "0", sshPublicKey: "", sshPrivateKey: Sensitive(""))
    }

    /// What `build.*` gives once the guest can be reached.
    init(
        _ source: QemuSource, machine: RunningMachine, services: Services, keys: BuildKeys?, runUUID: String
    ) {
        var user = ""
        var password = Sensitive("")
        if case .ssh(let settings) = source.communicator {
            user = settings.username
            password = settings.password ?? password
        }
        self.init(
            id: "ERR_ID_NOT_IMPLEMENTED_BY_BUILDER", host: machine.sshHost, port: machine.sshPort, user: user,
            password: password, connectionType: source.communicator.isSSH ? "ssh" : "none", runUUID: runUUID,
            httpIP: services.ip, httpPort: String(services.httpPort ?? 0), sshPublicKey: keys?.publicKey ?? "",
            sshPrivateKey: keys?.privateKey ?? Sensitive(""))
    }
}

extension SeedSettings {
    var isEmpty: Bool {
        cdFiles.isEmpty && cdContent.isEmpty && floppyFiles.isEmpty && floppyDirectories.isEmpty
            && floppyContent.isEmpty
    }
}

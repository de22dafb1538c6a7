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
        let (artifact, data) = try await makeImage()
        do {
            return try await PostProcess(build: plan, data: data, context: context, reporter: reporter).run(artifact)
        } catch {
            reporter.news("The image itself is complete and stays in \(plan.source.outputDirectory).")
            throw error
        }
    }

    /// The build, from top to bottom.
    private func makeImage() async throws -> (Artifact, RunData) {
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
            let workspace = try await step.run("Preparing the output folder") {
                try await PrepareWorkspace(source: source, context: context, engine: engine).run(teardowns, keeps)
            }
            let seeds = try await step.run("Making seed media", unless: source.seeds.isEmpty) {
                try await MakeSeeds(settings: source.seeds, context: context).run(workspace)
            }
            let disks = try await step.run("Creating disks") {
                try await CreateDisks(source: source, reporter: reporter).run(workspace, medium)
            }
            let services = try await step.run("Serving files") {
                try await ServeFiles(source: source, context: context, reporter: reporter).run(teardowns)
            }
            let machine = try await step.run("Booting the machine") {
                try await BootMachine(
                    build: plan, context: context, engine: engine, reporter: reporter, runFolder: runFolder
                ).run(
                    teardowns, keeps,
                    .init(
                        workspace: workspace, disks: disks, seeds: seeds ?? Seeds(), services: services, medium: medium)
                )
            }
            let (shell, data) = try await whileInstalling(machine, services) {
                try await install(on: machine, services, keys, step, teardowns)
            }
            try await step.run("Shutting down") {
                try await ShutDown(settings: source.shutdown, context: context, data: data, reporter: reporter)
                    .run(machine, shell)
            }
            let finished = try await finishGuest(disks, workspace, data, step)
            var shortcoming = try await step.run("Finishing the disk") {
                try await FinishDisks(source: source, reporter: reporter).run(disks, finished, workspace)
            }
            if let proxmox = source.proxmox, shortcoming == nil {
                shortcoming = try await archive(disks, workspace, proxmox, step)
            }
            let artifact = try await step.run("Moving the image into place") {
                try CommitOutput(source: source, context: context).run(workspace, isComplete: shortcoming == nil)
            }
            if let shortcoming {
                throw shortcoming.error(place: context.shown(artifact.directory ?? source.outputDirectory))
            }
            return (artifact, data)
        }
    }

    /// Finishes what is on the disks, where the template asks for it. That it fails is no reason to lose the image.
    private func finishGuest(
        _ disks: Disks, _ workspace: Workspace, _ data: RunData, _ step: StepRunner
    ) async throws -> Result<FinishedGuest, any Error>? {
        guard let settings = plan.source.finish else { return nil }
        do {
            return .success(
                try await step.run("Finishing the guest") {
                    try await FinishGuest(
                        settings: settings, source: plan.source, context: context, reporter: reporter,
                        secrets: secrets
                    ).run(disks, workspace, data)
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
        let variables = workspace.output + "/efivars.fd"
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

    /// A machine that goes away ends the installation at once; without a communicator its power-off is how it ends.
    private func whileInstalling(
        _ machine: RunningMachine, _ services: Services,
        _ body: @escaping @Sendable () async throws -> (GuestShell?, RunData)
    ) async throws -> (GuestShell?, RunData) {
        do { return try await machine.whileRunning(body) } catch let stop as MachineStopped
            where stop.reason == .shutDown && plan.source.communicator.isNone
        {
            let data = RunData(plan.source, machine: machine, services: services, keys: nil, runUUID: context.runUUID)
            return (nil, data)
        }
    }

    /// All that happens while the machine runs.
    private func install(
        on machine: RunningMachine, _ services: Services, _ keys: Task<BuildKeys?, any Error>, _ step: StepRunner,
        _ teardowns: Teardowns
    ) async throws -> (GuestShell?, RunData) {
        let source = plan.source
        try await step.run("Typing the boot command", unless: source.machine.vnc.isDisabled || source.boot.isEmpty) {
            let typing = TypeBootCommand(
                settings: source.boot, vmName: source.vmName, context: context, reporter: reporter)
            try await typing.run(machine, services, publicKey: typing.needsKey ? keys.value?.publicKey ?? "" : "")
        }
        // From here on the guest works, for minutes or hours.
        releaseCodePages()
        var shell: GuestShell?
        if case .ssh(let settings) = source.communicator {
            let connected = try await step.run("Waiting for SSH") {
                try await ConnectShell(settings: settings, context: context, reporter: reporter)
                    .run(machine, services, keys.value)
            }
            teardowns.add("close the SSH connection") { _ in await connected.close() }
            shell = connected
        }
        let data = RunData(
            source, machine: machine, services: services, keys: try await keys.value, runUUID: context.runUUID)
        try await provision(data, shell, step)
        try await clear(keys.value, shell)
        return (shell, data)
    }

    private func provision(_ data: RunData, _ shell: GuestShell?, _ step: StepRunner) async throws {
        do {
            for (index, planned) in plan.provisioners.enumerated() {
                let title = "Provisioner \(index + 1) of \(plan.provisioners.count): \(planned.name ?? planned.type)"
                try await step.run(title) { try await provision(with: planned, data, shell) }
            }
        } catch let error where !(error is CancellationError) {
            await cleanUpAfterError(data, shell)
            throw error
        }
    }

    private func provision(with planned: PlannedProvisioner, _ data: RunData, _ shell: GuestShell?) async throws {
        try await Provision(
            planned: planned, build: plan, data: data, context: context, reporter: reporter, attendant: attendant
        ).run(shell)
    }

    /// The `error-cleanup-provisioner` runs in every mode but abort; its own failure only adds to the first.
    private func cleanUpAfterError(_ data: RunData, _ shell: GuestShell?) async {
        guard let planned = plan.errorCleanupProvisioner, options.onError != .abort else { return }
        do {
            try await reporter.step("Running the error-cleanup-provisioner") {
                try await provision(with: planned, data, shell)
            }
        } catch {
            reporter.warn("also the error-cleanup-provisioner failed: \(error)")
        }
    }

    private func clear(_ keys: BuildKeys?, _ shell: GuestShell?) async throws {
        guard case .ssh(let settings) = plan.source.communicator, settings.clearsAuthorizedKeys, let shell, let keys
        else { return }
        try await ClearAuthorizedKeys(keyName: keys.name, reporter: reporter).run(shell)
    }
}

extension CommunicatorSettings {
    var isSSH: Bool { if case .ssh = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }
}

extension BootSettings {
    fileprivate var isEmpty: Bool { wait == nil && steps.isEmpty }
}

extension RunData {
    /// Before there is a guest.
    fileprivate static func none(_ runUUID: String) -> RunData {
        RunData(
            id: "", host: "", port: 0, user: "", password: Sensitive(""), connectionType: "none", runUUID: runUUID,
            httpIP: "", httpPort: "0", sshPublicKey: "", sshPrivateKey: Sensitive(""))
    }

    /// What `build.*` gives once the guest can be reached.
    fileprivate init(
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

import ComponentModel
import Foundation
import Proxmox
import ProxmoxConfiguration
import SSH
import Scopes
import Templates

/// `proxmox`: makes a template on a server of what a build left.
struct UploadProxmoxTemplate: Sendable {
    let settings: ProxmoxUploadSettings
    let source: QemuSource
    let context: RunContext
    let reporter: Reporter
    var pace = ProxmoxPace()

    private var operation: String { "make the Proxmox template \(settings.machine.machine.name)" }

    func run(_ input: Artifact) async throws -> Artifact {
        reporter.conceal(settings.secrets)
        let images = try BuiltImages(in: input, of: source, context: context, for: operation)
        let upload = try upload(images)
        let (made, address) = try await withClient { client, shell in
            if settings.trust == .unverified {
                reporter.warn(
                    "the certificate of \(client.server.address) is NOT checked (insecure_skip_tls_verify): whoever is "
                        + "in between can read the secrets and change the disks")
            }
            let made = try await client.uploadTemplate(upload, shell: shell) { [reporter] in reporter.tell($0) }
            return (made, client.server.address)
        }
        for number in made.removed { reporter.news("Removed the older template \(number)") }
        for warning in made.warnings { reporter.warn("the template is complete, but: \(warning)") }
        reporter.news("Template \(made.vmid) (\(made.name)) is on node \(made.node) of \(address)")
        return Artifact(
            id: "\(made.vmid)", description: "A template was created: \(made.vmid) (\(made.name) on \(made.node))",
            files: [], directory: nil, builderID: "ingot.post-processor.proxmox")
    }

    /// Everything but the images' sizes, so that what is wrong is told before an hour's build and not after it.
    func check() async throws {
        reporter.conceal(settings.secrets)
        let upload = try upload(nil)
        try await withClient { client, shell in
            reporter.debug("\(client.server.address) has Proxmox VE \(try await client.version())")
            try await client.check(upload, shell: shell)
        }
    }

    /// Runs `body` with a client of the server and, if one was given, a shell on the node, and closes both.
    private func withClient<Value: Sendable>(
        _ body: (ProxmoxClient, NodeShell?) async throws -> Value
    ) async throws -> Value {
        let server = try server()
        let shell = try settings.shell.map { try NodeShell($0, server: server, context: context, reporter: reporter) }
        let result: Result<Value, any Error>
        do {
            result = .success(try await ProxmoxClient.with(server) { try await body($0, shell) })
        } catch { result = .failure(error) }
        // A fresh task, so that a cancelled upload closes its connection as well.
        await Task { await shell?.close() }.value
        return try result.get()
    }

    private func server() throws -> ProxmoxServer {
        let credentials: ProxmoxCredentials
        if let token = settings.token {
            credentials = .token(id: settings.username, secret: token)
        } else {
            credentials = .password(user: settings.username, password: settings.password ?? Sensitive(""))
        }
        let trust: ServerTrust =
            switch settings.trust {
            case .system: .system
            case .authorities(let file): .authorities(file: context.absolute(file))
            case .fingerprint(let text): .fingerprint(text)
            case .unverified: .unverified
            }
        var server = try ProxmoxServer(url: settings.url, credentials: credentials, trust: trust)
        server.pace = pace
        if let limit = settings.taskTimeout { server.pace.taskLimit = limit }
        return server
    }

    /// - Parameter images: nil before the build.
    private func upload(_ images: BuiltImages?) throws -> TemplateUpload {
        let machine = try settings.machine.machine(withVariables: images?.variables, operation)
        var files: [TemplateImage] = []
        if let images {
            let format: MachineConfiguration.DiskFormat = images.format == "raw" ? .raw : .qcow2
            files = zip(machine.disks, images.disks).map { disk, path in
                TemplateImage(
                    slot: disk.slot, path: path, format: format, grownSize: settings.machine.grownSizes[disk.slot])
            }
            if let variables = images.variables, machine.efiDisk != nil {
                files.append(TemplateImage(slot: .efi, path: variables, format: .raw))
            }
        }
        var upload = TemplateUpload(node: settings.node, machine: machine, images: files, made: context.startTime)
        upload.delivery =
            switch settings.delivery {
            case .automatic: .automatic
            case .upload(let storage): .upload(storage: storage)
            case .ssh: .shell
            }
        upload.existing =
            switch settings.existing {
            case .refuse: .refuse
            case .replace(let any): .replace(any: any)
            case .version(let label, let keep): .version(label: label ?? time, keep: keep)
            }
        return upload
    }

    /// The run's, as the label of a version: 20260314-150926.
    private var time: String {
        timestampText(context.startTime).prefix(19).filter { $0 != "-" && $0 != ":" }.replacing("T", with: "-")
    }
}

extension Reporter {
    fileprivate func tell(_ event: UploadEvent) {
        switch event {
        case .step(let text): news("Proxmox: \(text)")
        case .sent(let bytes, let total):
            report(.progress(fraction: Double(bytes) / Double(max(total, 1))), "uploading")
        case .leftBehind(let error): teardownFailed(error)
        }
    }
}

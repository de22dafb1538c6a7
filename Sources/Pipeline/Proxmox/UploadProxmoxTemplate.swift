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

    func run(_ input: Artifact) async throws -> Artifact {
        reporter.conceal(settings.secrets)
        let operation = "make the Proxmox template \(settings.machine.machine.name)"
        let images = try BuiltImages(in: input, of: source, context: context, for: operation)
        let upload = try upload(images, operation)
        var server = try server()
        server.pace = pace
        if let limit = settings.taskTimeout { server.pace.taskLimit = limit }
        if settings.trust == .unverified {
            reporter.warn(
                "the certificate of \(server.address) is NOT checked (insecure_skip_tls_verify): whoever is in between "
                    + "can read the secrets and change the disks")
        }
        let shell = try settings.shell.map { try NodeShell($0, server: server, context: context, reporter: reporter) }
        let result: Result<UploadedTemplate, any Error>
        do {
            result = .success(
                try await ProxmoxClient.with(server) { client in
                    try await client.uploadTemplate(upload, shell: shell) { [reporter] in reporter.tell($0) }
                })
        } catch { result = .failure(error) }
        // A fresh task, so that a cancelled upload closes its connection as well.
        await Task { await shell?.close() }.value
        let made = try result.get()
        for number in made.removed { reporter.news("Removed the older template \(number)") }
        for warning in made.warnings { reporter.warn("the template is complete, but: \(warning)") }
        reporter.news("Template \(made.vmid) (\(made.name)) is on node \(made.node) of \(server.address)")
        return Artifact(
            id: "\(made.vmid)", description: "A template was created: \(made.vmid) (\(made.name) on \(made.node))",
            files: [], directory: nil, builderID: "ingot.post-processor.proxmox")
    }

    /// Signs in, so that a wrong address, login or node is told before an hour's build and not after it.
    func check() async throws {
        reporter.conceal(settings.secrets)
        var server = try server()
        server.pace = pace
        try await ProxmoxClient.with(server) { client in
            reporter.debug("\(server.address) has Proxmox VE \(try await client.version())")
            let names = try await client.nodes().map(\.name).sorted()
            guard let wanted = settings.node, !names.contains(wanted) else { return }
            throw BuildError(
                "make the Proxmox template \(settings.machine.machine.name)", because: "there is no node `\(wanted)`",
                hint: "Set `node` to one of: \(names.joined(separator: ", ")).")
        }
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
        return try ProxmoxServer(url: settings.url, credentials: credentials, trust: trust)
    }

    private func upload(_ images: BuiltImages, _ operation: String) throws -> TemplateUpload {
        let machine = try settings.machine.machine(withVariables: images.variables, operation)
        let format: MachineConfiguration.DiskFormat = images.format == "raw" ? .raw : .qcow2
        var files = zip(machine.disks, images.disks).map { disk, path in
            TemplateImage(
                slot: disk.slot, path: path, format: format, grownSize: settings.machine.grownSizes[disk.slot])
        }
        if let variables = images.variables, machine.efiDisk != nil {
            files.append(TemplateImage(slot: .efi, path: variables, format: .raw))
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

import Foundation
import ProxmoxConfiguration
import Scopes
import Synchronization

/// Files that were sent to the server and have to go again.
final class SentFiles: Sendable {
    struct File: Sendable {
        var remove: @Sendable () async throws -> Void
    }
    private let files = Mutex<[File]>([])
    var all: [File] { files.withLock { $0 } }
    func add(_ remove: @escaping @Sendable () async throws -> Void) {
        files.withLock { $0.append(File(remove: remove)) }
    }
}

/// Brings images to the node, each under a name that nothing else has.
struct ImageTransfer {
    let client: ProxmoxClient
    let plan: UploadPlan
    let teardowns: Teardowns
    let sent: SentFiles
    let report: @Sendable (UploadEvent) -> Void

    /// Uploads the images through the API.
    ///
    /// - Returns: what each drive is made from.
    mutating func send(to storage: String) async throws -> [DriveSlot: DriveContent] {
        var drives: [DriveSlot: DriveContent] = [:]
        for image in plan.upload.images {
            let name = fileName(image)
            report(.step("compute the checksum of \(image.path)"))
            let digest = try await attempting("read \(image.path)", hint: "Check that it can be read.") {
                try await UploadedFile(image.path).sha256()
            }
            report(.step("upload \(image.path) to the storage \(storage)"))
            let file = UploadedVolume(id: "\(storage):import/\(name)", storage: storage, node: plan.node)
            let (client, report) = (client, report)
            teardowns.add("remove the uploaded file \(file.id)") { outcome in
                if case .failure = outcome { try await client.remove(file) }
            }
            sent.add { try await client.remove(file) }
            let task: UPID
            do {
                task = try await client.startUpload(
                    FileUpload(path: image.path, name: name, content: "import", sha256: digest), to: storage,
                    on: plan.node, progress: { report(.sent(bytes: $0, of: $1)) })
            } catch let error as BuildError {
                if error.saysNothingWasDone { file.state.withLock { $0 = .refused } }
                throw error
            }
            file.state.withLock { $0 = .started(task) }
            report(.step("wait until the server has stored \(name)"))
            try await client.wait(for: task, to: "store \(name) on \(storage)")
            file.state.withLock { $0 = .made }
            drives[image.slot] = .copy(of: file.id)
        }
        return drives
    }

    /// Uploads the images through SSH.
    ///
    /// - Returns: where each lies on the node.
    mutating func send(through shell: any ProxmoxShell) async throws -> [DriveSlot: String] {
        var files: [DriveSlot: String] = [:]
        for image in plan.upload.images {
            let path = plan.upload.remoteFolder + "/" + fileName(image)
            report(.step("copy \(image.path) to \(path) on node \(plan.node)"))
            let hint = "Remove \(path) on node \(plan.node) by hand."
            let limit = client.server.pace.cleanupLimit
            let remove: @Sendable () async throws -> Void = {
                try await attempting("remove \(path)", hint: hint) {
                    try await withDeadline(limit, "removing \(path)") { try await shell.remove(path) }
                }
            }
            teardowns.add("remove the copied file \(path)") { outcome in
                if case .failure = outcome { try await remove() }
            }
            sent.add(remove)
            try await attempting(
                "copy \(image.path) to node \(plan.node)",
                hint: "Check the SSH access to the node, and the free space in \(plan.upload.remoteFolder) there."
            ) { try await shell.upload(image.path, to: path) }
            files[image.slot] = path
        }
        return files
    }

    private func fileName(_ image: TemplateImage) -> String {
        let name = plan.machine.name.prefix(100)
        return "ingot-\(name)-\(image.slot)-\(ProxmoxClient.randomDigits(12)).\(image.format.rawValue)"
    }
}

extension ProxmoxClient {
    /// Makes sure that a shell is on the node that the template is made on: `qm importdisk` knows no other's machines.
    ///
    /// - Throws: `BuildError`.
    func requireNode(of plan: UploadPlan, behind shell: any ProxmoxShell) async throws {
        let operation = "find out which node the SSH access leads to"
        let limit = server.pace.callLimit
        let (code, output) = try await attempting(operation, hint: "Check the SSH access to the node.") {
            try await withDeadline(limit, "asking for its name") { try await shell.run("hostname") }
        }
        // A login may say more before it.
        let last = output.split(whereSeparator: \.isNewline).last { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let name = Self.oneLine(String(last))
        guard code == 0, !name.isEmpty else {
            throw BuildError(
                operation, because: "`hostname` ended with exit code \(code): \(name)",
                hint: "The SSH user must be root, on a node of Proxmox VE.")
        }
        // A node is called as its host, without the domain.
        guard name.prefix(while: { $0 != "." }).lowercased() == plan.node.lowercased() else {
            throw BuildError(
                plan.operation, because: "the SSH access leads to “\(name)”, and the template is made on \(plan.node)",
                hint: "Set ssh_host to the address of node \(plan.node).")
        }
    }
}

import Foundation
import ProxmoxConfiguration
import Scopes

/// What an upload will do, once the server was asked.
struct UploadPlan: Sendable {
    /// How the images get onto the node.
    enum Route: Sendable, Equatable {
        case importing(storage: String)
        case shell
    }

    var upload: TemplateUpload
    /// With its final name and its mark.
    var machine: MachineConfiguration
    var node: String
    var route: Route
    /// Templates that go when the new one is complete.
    var replaced: [OldTemplate] = []
    /// The template whose number the new one takes, which has to go before.
    var evicted: OldTemplate?
    /// Older versions, newest first, without the new one.
    var versions: [OldTemplate] = []

    var operation: String { "make the Proxmox template \(machine.name)" }
}

extension ProxmoxClient {
    /// Checks all that can be checked before there are images, and changes nothing.
    ///
    /// - Parameter upload: its images, if any, are not looked at.
    package func check(_ upload: TemplateUpload, shell: (any ProxmoxShell)? = nil) async throws {
        var upload = upload
        upload.images = []
        let plan = try await plan(upload, hasShell: shell != nil, hasImages: false)
        if plan.route == .shell, let shell { try await requireNode(of: plan, behind: shell) }
    }

    /// Checks all that can be checked before the first byte is sent.
    ///
    /// - Parameter hasImages: false before the build, when neither they nor their sizes are known.
    func plan(_ upload: TemplateUpload, hasShell: Bool, hasImages: Bool = true) async throws -> UploadPlan {
        try upload.machine.validate()
        var machine = upload.machine
        let operation = "make the Proxmox template \(machine.name)"
        if hasImages { try Self.checkImages(upload, operation) }
        if case .version(let label, let keep) = upload.existing {
            machine.name += "-" + label
            if let problem = DNSName.problem(machine.name) {
                throw BuildError(
                    operation, because: "the version's name is malformed: \(problem)", hint: "Choose another label.")
            }
            if let keep, keep < 1 {
                throw BuildError(operation, because: "keep = \(keep) would keep nothing", hint: "Set it to 1 or more.")
            }
        }
        let mark = TemplateMark(family: upload.machine.name, made: upload.made)
        machine.description = mark.added(to: machine.description)
        machine.smbiosUUID = machine.smbiosUUID ?? Self.freshUUID()
        try machine.validate()

        let version = try await version()
        let node = try await chosenNode(upload.node, operation)
        let route = try await route(for: upload, machine, node: node, version: version, hasShell: hasShell, operation)
        var plan = UploadPlan(upload: upload, machine: machine, node: node, route: route)
        try await planExisting(&plan)
        var importStorage: String?
        if case .importing(let storage) = route { importStorage = storage }
        let vmid: Int
        if let wanted = machine.vmid { vmid = wanted } else { vmid = try await nextMachineID() }
        try await check(
            NeededPrivilege.all(for: machine, vmid: vmid, version: version, importStorage: importStorage),
            for: operation)
        return plan
    }

    private static func freshUUID() -> UUID {
        var generator = SystemRandomNumberGenerator()
        return MachineConfiguration.randomUUID(using: &generator)
    }

    private static func checkImages(_ upload: TemplateUpload, _ operation: String) throws {
        let slots = upload.images.map(\.slot)
        let machine = upload.machine
        for image in upload.images {
            let exists = image.slot == .efi ? machine.efiDisk != nil : machine.disks.contains { $0.slot == image.slot }
            guard exists, slots.filter({ $0 == image.slot }).count == 1 else {
                throw BuildError(
                    operation, because: "there is not exactly one drive and one image for \(image.slot)",
                    hint: "Give each image a drive of its own.")
            }
            do { _ = try UploadedFile(image.path) } catch {
                throw BuildError(operation: operation, hint: "Build the image \(image.path) first.", underlying: error)
            }
        }
        if let disk = machine.disks.first(where: { !slots.contains($0.slot) }) {
            throw BuildError(
                operation, because: "there is no image for \(disk.slot)", hint: "Give one, or drop the disk.")
        }
    }

    private func chosenNode(_ wanted: String?, _ operation: String) async throws -> String {
        let nodes = try await nodes()
        let names = nodes.map(\.name).sorted().joined(separator: ", ")
        guard let wanted else {
            if nodes.count == 1, let only = nodes.first { return only.name }
            throw BuildError(
                operation, because: "the cluster has several nodes (\(names))", hint: "Set `node` to one of them.")
        }
        guard let node = nodes.first(where: { $0.name == wanted }) else {
            throw BuildError(
                operation, because: "there is no node “\(wanted)”", hint: "Set `node` to one of: \(names).")
        }
        guard node.isOnline else {
            throw BuildError(
                operation, because: "the node “\(wanted)” is offline", hint: "Start it, or choose another.")
        }
        return node.name
    }

    private func route(
        for upload: TemplateUpload, _ machine: MachineConfiguration, node: String, version: ProxmoxVersion,
        hasShell: Bool, _ operation: String
    ) async throws -> UploadPlan.Route {
        let storages = try await storages(on: node)
        for name in machine.storages.sorted() {
            guard let storage = storages.first(where: { $0.name == name }) else {
                let known = storages.filter { $0.content.contains("images") }.map(\.name).sorted()
                throw BuildError(
                    operation, because: "there is no enabled storage “\(name)” on node \(node) that you may see",
                    hint:
                        "Storages for disks there: \(known.isEmpty ? "none" : known.joined(separator: ", ")). Check the name, "
                        + "and that you have `Datastore.AllocateSpace` on `/storage/\(name)`.")
            }
            guard storage.content.contains("images") else {
                throw BuildError(
                    operation, because: "the storage “\(name)” does not take disk images",
                    hint:
                        "Allow the content type Disk image there (Datacenter > Storage > Edit), or choose another one.")
            }
            guard storage.isActive else {
                throw BuildError(
                    operation, because: "the storage “\(name)” is not active on node \(node)",
                    hint: "Check its mount or its server (`pvesm status` on the node).")
            }
        }
        let wanted: String?
        switch upload.delivery {
        case .shell:
            guard hasShell else {
                throw BuildError(
                    operation, because: "no SSH access to the node was given", hint: "Set its SSH options.")
            }
            return .shell
        case .upload(let storage): wanted = storage
        case .automatic: wanted = nil
        }
        let size = try upload.images.reduce(Int64(0)) { $0 + (try UploadedFile($1.path).size) }
        let fit = storages.filter { $0.isActive && $0.content.contains("import") && (wanted ?? $0.name) == $0.name }
        let roomy = fit.filter { ($0.available ?? .max) > size }
        // The target itself saves a copy between storages; `local` is closest otherwise.
        let best = roomy.first { $0.name == machine.storage } ?? roomy.first { !$0.isShared } ?? roomy.first
        if version >= .takesDiskUploads, let best { return .importing(storage: best.name) }
        if upload.delivery == .automatic, hasShell { return .shell }
        let reason: String
        if version < .takesDiskUploads {
            reason = "Proxmox VE \(version) does not take uploads of disk images (8.4 does)"
        } else if let full = fit.first {
            reason =
                "the storage “\(full.name)” has only \((full.available ?? 0) >> 20) MiB left and the images have \(size >> 20)"
        } else {
            reason =
                wanted.map { "the storage “\($0)” does not take imports" } ?? "no storage on node \(node) takes imports"
        }
        throw BuildError(
            operation, because: reason,
            hint:
                "Allow the content type Import on a storage that keeps files (Datacenter > Storage > Edit > Content) and "
                + "make room there, or give SSH access to the node.")
    }
}

import ComponentModel
import DiskImages
import Files
import Foundation
import ProxmoxConfiguration
import Scopes
import Templates
import VMA

/// Makes a backup archive that Proxmox VE restores as a template, and its notes. No server is needed.
struct MakeProxmoxArchive: Sendable {
    let settings: ProxmoxArchiveSettings
    let context: RunContext
    let reporter: Reporter

    private var vmid: Int { settings.machine.machine.vmid ?? ProxmoxMachineSettings.usualNumber }
    private var operation: String { "make the Proxmox archive of \(settings.machine.machine.name)" }

    /// - Parameter folder: An absolute path.
    /// - Returns: The names of the archive and of its notes in the folder.
    /// - Throws: `BuildError`; by then nothing of either is there.
    func run(_ images: BuiltImages, in folder: String) async throws -> [String] {
        let opened = try await open(images, in: folder)
        defer { for drive in opened { drive.disk.remove() } }
        let staged = folder + "/.ingot-\(String(UInt32.random(in: 0 ... .max), radix: 36)).vma.zst"
        defer { unlink(staged) }
        let machine = try completeMachine(images)
        let disks = opened.map { (name: $0.slot.archiveDeviceName, content: $0.disk.content) }
        let archive = CreateArchive(
            configs: [ArchiveConfig(name: "qemu-server.conf", content: try text(machine, opened))], disks: disks,
            compression: .zstd(level: settings.level, threads: nil))
        try await archive.write(to: staged) { [reporter] in
            reporter.report(.progress(fraction: $0), "writing the archive")
        }
        _ = try await compareArchive(
            staged, with: Dictionary(disks.map { ($0.name, $0.content) }) { first, _ in first }
        ) { [reporter] in
            reporter.report(.progress(fraction: $0), "verifying the archive")
        }
        let name = try place(staged, in: folder)
        let notes = machine.description.isEmpty ? machine.name : machine.description
        try writeFile(Data(BackupName.notes(notes)), to: folder + "/" + name.notesName, mode: 0o644)
        try await QemuImg().flush(folder)
        let target = folder + "/" + name.description
        let size = (try? FileManager.default.attributesOfItem(atPath: target)[.size] as? Int64) ?? 0  // Only told.
        reporter.news(
            "\(name): template \(machine.name), \(images.disks.count) \(images.disks.count == 1 ? "disk" : "disks")"
                + (machine.efiDisk == nil ? ", " : " and UEFI variables, ")
                + "\((size + 0xFFFFF) >> 20) MiB, verified; qmrestore \(name) \(vmid) makes it a template")
        return [name.description, name.notesName]
    }

    /// Gives the archive its name: that of the run's second, or of the next that is free, since the builds of one run may
    /// all make theirs in the same folder.
    private func place(_ staged: String, in folder: String) throws -> BackupName {
        for second in 0..<3600 {
            let name = try BackupName(vmid: vmid, created: context.startTime + TimeInterval(second))
            let target = folder + "/" + name.description
            if link(staged, target) == 0 { return name }
            if errno == EEXIST { continue }
            // Not every file system has links.
            guard access(target, F_OK) != 0 else { continue }
            guard rename(staged, target) == 0 else { throw systemFailure(operation) }
            return name
        }
        throw BuildError(
            operation, because: "all names are taken in \(folder)", hint: "Choose another vm_id or output.")
    }

    private func open(_ images: BuiltImages, in folder: String) async throws -> [Drive] {
        let places = settings.machine.machine.disks.map(\.slot)
        guard places.count == images.disks.count, let format = ImageFormat(rawValue: images.format) else {
            throw BuildError(operation, because: "there are \(images.disks.count) images for \(places.count) disks")
        }
        var drives: [Drive] = []
        do {
            for (slot, path) in zip(places, images.disks) {
                let disk = try await OpenedDisk.open(path, format: format, temporaryIn: folder) { [reporter] in
                    reporter.report(.progress(fraction: $0), "unpacking \(slot)")
                }
                drives.append(Drive(slot: slot, disk: disk))
            }
            if let variables = images.variables, settings.machine.machine.efiDisk != nil {
                let disk = try await OpenedDisk.open(variables, format: .raw, temporaryIn: folder)
                drives.append(Drive(slot: .efi, disk: disk))
            }
        } catch {
            for drive in drives { drive.disk.remove() }
            throw error
        }
        return drives
    }

    /// A drive of the machine, with what is on it.
    private struct Drive {
        var slot: DriveSlot
        var disk: OpenedDisk
    }

    private func completeMachine(_ images: BuiltImages) throws -> MachineConfiguration {
        var machine = try settings.machine.machine(withVariables: images.variables, operation)
        if images.variables == nil, machine.efiDisk != nil {
            // An archive cannot ask the server for blank ones.
            machine.efiDisk = nil
            reporter.warn(
                "the archive has no UEFI variables, since the build left none; after the restore run "
                    + "qm set VMID --efidisk0 STORAGE:1,efitype=4m")
        }
        return machine
    }

    private func text(_ machine: MachineConfiguration, _ drives: [Drive]) throws -> Data {
        var generator = SystemRandomNumberGenerator()
        let archived = drives.map {
            ArchivedDrive(slot: $0.slot, size: Int64(clamping: $0.disk.content.size))
        }
        return Data(
            try machine.archiveText(drives: archived, vmid: vmid, created: context.startTime, using: &generator).utf8)
    }
}

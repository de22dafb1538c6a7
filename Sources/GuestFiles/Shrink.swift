import Scopes

/// How to release free space, so that the image becomes small.
package struct Shrinking: Sendable {
    /// Whether free space is filled with zeros where trimming is not supported (NTFS); the image grows meanwhile.
    package var zeroesWhereTrimFails: Bool
    /// Whether swap is cleared; its label and UUID stay.
    package var clearsSwap: Bool
    /// Whether the file system at the end of a disk, its partition and the disk are shrunk to the minimum.
    package var resizesToMinimum: Bool

    package init(zeroesWhereTrimFails: Bool = true, clearsSwap: Bool = true, resizesToMinimum: Bool = false) {
        self.zeroesWhereTrimFails = zeroesWhereTrimFails
        self.clearsSwap = clearsSwap
        self.resizesToMinimum = resizesToMinimum
    }
}

/// A swap file: its blocks are released before trimming and allocated again afterwards.
struct SwapFile: Hashable {
    var path: String
    var size: Int64
}

/// The swap files in /etc/fstab.
package func swapFiles(inTable text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
        let fields = line.split { $0 == " " || $0 == "\t" }
        guard fields.count >= 3, fields[2] == "swap", fields[0].hasPrefix("/"), !fields[0].hasPrefix("/dev/") else {
            return nil
        }
        return String(fields[0])
    }
}

extension Guestfs {
    /// The types of file systems whose free space can be released by mounting them.
    private static let trimmable: Set<String> = [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "ntfs", "exfat", "jfs", "reiserfs",
    ]

    /// Releases the free space of every file system, volume group and swap device. Nothing may be mounted.
    ///
    /// - Parameter room: The most bytes that the images may grow by.
    package func shrink(
        _ systems: [FoundSystem], _ fileSystems: [(device: String, kind: String)], _ wanted: Shrinking, room: UInt64,
        _ journal: inout FinishJournal
    ) throws {
        let kinds = Dictionary(fileSystems.map { ($0.device, $0.kind) }, uniquingKeysWith: { first, _ in first })
        var done: Set<String> = []
        for system in systems {
            let points: [(path: String, device: String)]
            do {
                points = try mount(system, isReadOnly: false) { journal.warn($0) }
            } catch let error as GuestfsError {
                journal.warn("\(system.root) could not be mounted and keeps its size: \(error.text)")
                continue
            }
            let isOnBtrfs = kinds[system.root] == "btrfs" || system.root.hasPrefix("btrfsvol:")
            let swap = wanted.clearsSwap && system.system.isLinux && !isOnBtrfs ? try releaseSwapFiles(&journal) : []
            // Deleted blocks are free only once the journal has been written.
            try sync()
            for point in points where done.insert(point.device).inserted {
                try giveBack(point.device, at: point.path, wanted, room, &journal)
            }
            for file in swap {
                try allocate(file.path, size: file.size)
                try setMode(0o600, of: file.path)
                try makeSwapFile(file.path)
            }
            try unmountAll()
        }
        for (device, kind) in fileSystems where done.insert(device).inserted {
            switch kind {
            case "swap": if wanted.clearsSwap { try clearSwap(device, &journal) }
            case "swsuspend":
                journal.warn(
                    "\(device) contains a hibernated system and was not changed: shut the machine down instead of hibernating it."
                )
            case "crypto_LUKS", "BitLocker":
                journal.warn("\(device) is encrypted (\(kind)), so its free space cannot be released.")
            case _ where Self.trimmable.contains(kind) && !device.hasPrefix("btrfsvol:"):
                do {
                    try mount(device, at: "/", isReadOnly: false)
                    try giveBack(device, at: "/", wanted, room, &journal)
                } catch let error as GuestfsError {
                    journal.warn("\(device) (\(kind)) could not be mounted and keeps its size: \(error.text)")
                }
                try unmountAll()
            default: break
            }
        }
        try releaseVolumeGroups(&journal)
        try sync()
    }

    private func giveBack(
        _ device: String, at path: String, _ wanted: Shrinking, _ room: UInt64, _ journal: inout FinishJournal
    ) throws {
        // Trimming works on read-only mounts too, and would discard data that a hibernated Windows relies on.
        guard try !isReadOnly(path) else {
            journal.warn(
                "\(device) is read-only and keeps its size. If Windows was hibernated or shut down with fast startup, disable "
                    + "that (powercfg /h off).")
            return
        }
        do {
            try trim(path)
        } catch let error as GuestfsError {
            let free = try self.room(at: path).free
            guard wanted.zeroesWhereTrimFails else {
                journal.warn("the free space of \(device) could not be released: \(error.text)")
                return
            }
            guard UInt64(max(free, 0)) < room else {
                journal.warn(
                    "\(device) cannot be trimmed, and its \(free >> 20) MiB of free space were not filled with zeros, because "
                        + "this host has only \(room >> 20) MiB for that.")
                return
            }
            do {
                try zeroFreeSpace(path)
            } catch let error as GuestfsError {
                journal.warn("the free space of \(device) could not be released: \(error.text)")
            }
        }
    }

    private func clearSwap(_ device: String, _ journal: inout FinishJournal) throws {
        let label = try self.label(of: device)
        let identifier = try self.identifier(of: device)
        do { try discard(device) } catch let error as GuestfsError {
            journal.warn("the swap on \(device) could not be cleared: \(error.text)")
        }
        try makeSwap(device, label: label, identifier: identifier)
        journal.note("\(device): swap cleared")
    }

    private func releaseSwapFiles(_ journal: inout FinishJournal) throws -> [SwapFile] {
        var files: [SwapFile] = []
        for path in swapFiles(inTable: try contents("/etc/fstab") ?? "").prefix(16) {
            guard try isFile(path), try !isLink(path) else { continue }
            let size = try status(path).size
            guard size > 0 else { continue }
            try truncate(path)
            files.append(SwapFile(path: path, size: size))
            journal.emptied.append(path)
        }
        return files
    }

    private func releaseVolumeGroups(_ journal: inout FinishJournal) throws {
        guard try has("lvm2") else { return }
        let name = "ingot_free_space"
        for group in try volumeGroupsWithRoom() {
            do {
                try makeVolumeOfFreeSpace(name, in: group)
                let device = "/dev/\(group)/\(name)"
                do { try discard(device) } catch let error as GuestfsError {
                    journal.warn("the free space of volume group \(group) could not be released: \(error.text)")
                }
                try removeVolume(device)
            } catch let error as GuestfsError {
                journal.warn("the free space of volume group \(group) could not be released: \(error.text)")
            }
        }
    }
}

import Scopes

/// How free space is given back, so that the image can be made small.
package struct Shrinking: Sendable {
    /// Where trimming is not supported (NTFS), free space is filled with zeros; the image grows meanwhile.
    package var zeroesWhereTrimFails: Bool
    /// Swap is emptied; its label and identifier stay.
    package var clearsSwap: Bool
    /// The file system at a disk's end, its partition and the disk are made as small as can be.
    package var resizesToMinimum: Bool

    package init(zeroesWhereTrimFails: Bool = true, clearsSwap: Bool = true, resizesToMinimum: Bool = false) {
        self.zeroesWhereTrimFails = zeroesWhereTrimFails
        self.clearsSwap = clearsSwap
        self.resizesToMinimum = resizesToMinimum
    }
}

/// A swap file: its blocks are given back before trimming, and reserved anew after it.
struct SwapFile: Hashable {
    var path: String
    var size: Int64
}

/// The swap files that /etc/fstab names.
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
    /// Kinds of file systems that are worth mounting to give their free space back.
    private static let trimmable: Set<String> = [
        "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "ntfs", "exfat", "jfs", "reiserfs",
    ]

    /// Gives back the free space of every file system, of volume groups and of swap. Nothing may be mounted.
    ///
    /// - Parameter room: Bytes that the images may grow by.
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
            // What was just deleted is free only once the journal says so.
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
                journal.warn("\(device) holds a hibernated system and stays as it is: shut the machine down instead.")
            case "crypto_LUKS", "BitLocker":
                journal.warn("\(device) is encrypted (\(kind)), so its free space cannot be given back.")
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
        // Trimming works even then, and would take from a hibernated Windows what it believes to have written.
        guard try !isReadOnly(path) else {
            journal.warn(
                "\(device) can only be read and keeps its size. If it is a Windows that was hibernated or shut down with fast "
                    + "startup on, switch that off (powercfg /h off).")
            return
        }
        do {
            try trim(path)
        } catch let error as GuestfsError {
            let free = try self.room(at: path).free
            guard wanted.zeroesWhereTrimFails else {
                journal.warn("the free space of \(device) could not be given back: \(error.text)")
                return
            }
            guard UInt64(max(free, 0)) < room else {
                journal.warn(
                    "\(device) cannot be trimmed, and its \(free >> 20) MiB of free space were not filled with zeros, since "
                        + "this host has only \(room >> 20) MiB for it.")
                return
            }
            do {
                try zeroFreeSpace(path)
            } catch let error as GuestfsError {
                journal.warn("the free space of \(device) could not be given back: \(error.text)")
            }
        }
    }

    private func clearSwap(_ device: String, _ journal: inout FinishJournal) throws {
        let label = try self.label(of: device)
        let identifier = try self.identifier(of: device)
        do { try discard(device) } catch let error as GuestfsError {
            journal.warn("the swap on \(device) could not be emptied: \(error.text)")
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
                    journal.warn("the free space of volume group \(group) could not be given back: \(error.text)")
                }
                try removeVolume(device)
            } catch let error as GuestfsError {
                journal.warn("the free space of volume group \(group) could not be given back: \(error.text)")
            }
        }
    }
}

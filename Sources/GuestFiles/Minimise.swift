import CGuestfs

/// A partition as libguestfs lists it.
struct Partition: Sendable {
    var number: Int32
    /// The offsets of the first byte and of the byte after the last.
    var start: Int64
    var end: Int64
}

extension Guestfs {
    /// The free bytes that a machine needs to start and to enlarge its file system again.
    private static let leastFree: Int64 = 64 << 20

    /// Shrinks the last file system of every disk, and its partition, to the minimum. Nothing may be mounted.
    ///
    /// Only a file system at the end of a disk can make the disk shorter, and only ext2 to ext4 can be shrunk.
    ///
    /// - Returns: The bytes that each disk needs then; nil for one that keeps its size. The caller truncates the images.
    func minimise(_ journal: inout FinishJournal) throws -> [Int64?] {
        try disks().map { disk in
            do {
                return try minimise(disk, &journal)
            } catch let error as GuestfsError {
                journal.warn("\(disk) keeps its size: \(error.text)")
                return nil
            }
        }
    }

    private func minimise(_ disk: String, _ journal: inout FinishJournal) throws -> Int64? {
        func keep(_ reason: String) -> Int64? {
            journal.warn("\(disk) keeps its size: \(reason).")
            return nil
        }
        let whole = try size(of: disk)
        let start = try bytes(ofDevice: disk, count: PartitionTable.wantedBytes)
        guard try !hasFileSystem(disk) else {
            guard let size = try minimiseFileSystem(on: disk, room: whole) else {
                return keep("it has little free space")
            }
            return size
        }
        guard let table = PartitionTable(start) else { return keep("its partition table is not known") }
        guard api.blockdev_getss(handle, disk) == PartitionTable.sectorSize else {
            return keep("its sectors do not have 512 bytes")
        }
        guard let last = try partitionList(of: disk).max(by: { $0.end < $1.end }) else {
            return keep("it has no partitions")
        }
        let device = "\(disk)\(last.number)"
        let kind = try self.kind(of: device)
        guard ["ext2", "ext3", "ext4"].contains(kind) else {
            return keep("its last partition contains \(kind.isEmpty ? "unknown data" : kind), not ext4")
        }
        guard table.shortened(partition: Int(last.number), end: last.end) != nil else {
            return keep("its last partition is a logical one")
        }
        guard let size = try minimiseFileSystem(on: device, room: last.end - last.start) else {
            return keep("\(device) has little free space")
        }
        guard let (edits, diskSize) = table.shortened(partition: Int(last.number), end: last.start + size) else {
            return keep("its partition table cannot be changed")
        }
        for edit in edits { try write(edit.bytes, toDevice: disk, at: edit.offset) }
        journal.note("\(device): \(size >> 20) MiB instead of \((last.end - last.start) >> 20) MiB")
        return min(diskSize, whole)
    }

    private func hasFileSystem(_ device: String) throws -> Bool {
        do { return try ["ext2", "ext3", "ext4"].contains(kind(of: device)) } catch is GuestfsError { return false }
    }

    /// - Returns: The new size, in whole MiB; nil if it would be less than a sixteenth smaller.
    private func minimiseFileSystem(on device: String, room: Int64) throws -> Int64? {
        var options = guestfs_e2fsck_argv()
        options.correct = 1
        options.bitmask = 1
        try done(api.e2fsck_argv(handle, device, &options))
        let least = try number(api.vfs_minimum_size(handle, device))
        guard (0...room).contains(least) else { return nil }
        let mebibyte: Int64 = 1 << 20
        let wanted = (least + max(Self.leastFree, least / 20) + mebibyte - 1) / mebibyte * mebibyte
        guard wanted <= room - room / 16 else { return nil }
        try done(api.resize2fs_size(handle, device, wanted))
        return wanted
    }

    private func partitionList(of disk: String) throws -> [Partition] {
        try structure(api.part_list(handle, disk), free: { api.free_partition_list($0) }) { list in
            (0..<Int(list.len)).compactMap { index in
                list.val.map { $0[index] }.flatMap { raw in
                    guard let start = Int64(exactly: raw.part_start), let size = Int64(exactly: raw.part_size) else {
                        return nil
                    }
                    let (end, isTooMuch) = start.addingReportingOverflow(size)
                    return isTooMuch ? nil : Partition(number: raw.part_num, start: start, end: end)
                }
            }
        }
    }
}

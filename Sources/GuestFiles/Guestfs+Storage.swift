import CGuestfs
import Foundation

extension Guestfs {
    /// The devices with their contents: `ext4`, `xfs`, `swap`, `crypto_LUKS`, `unknown` …
    package func fileSystems() throws -> [(device: String, kind: String)] {
        let known = try pairs(api.list_filesystems(handle)).map { (device: $0.key, kind: $0.value) }
        // libguestfs omits encrypted devices.
        let names = Set(known.map(\.device))
        let volumes = try has("lvm2") ? texts(api.lvs(handle)) : []
        let devices = try disks() + texts(api.list_partitions(handle)) + volumes
        let encrypted = try devices.filter { !names.contains($0) }.compactMap { device in
            let kind = try kind(of: device)
            return kind == "crypto_LUKS" || kind == "BitLocker" ? (device: device, kind: kind) : nil
        }
        return known + encrypted
    }

    func disks() throws -> [String] { try texts(api.list_devices(handle)) }
    func size(of device: String) throws -> Int64 { try number(api.blockdev_getsize64(handle, device)) }
    func kind(of device: String) throws -> String { try text(api.vfs_type(handle, device)) }
    func identifier(of device: String) throws -> String { try text(api.vfs_uuid(handle, device)) }
    func label(of device: String) throws -> String { try text(api.vfs_label(handle, device)) }

    /// The type of a partition table: `gpt`, `msdos` …
    func partitionTable(of disk: String) throws -> String { try text(api.part_get_parttype(handle, disk)) }
    func partitions(of disk: String) throws -> [Int32] {
        try structure(api.part_list(handle, disk), free: { api.free_partition_list($0) }) { list in
            (0..<Int(list.len)).compactMap { index in list.val.map { $0[index].part_num } }
        }
    }
    /// The type GUID of a GPT partition, in upper case.
    func partitionType(_ partition: Int32, of disk: String) throws -> String {
        try text(api.part_get_gpt_type(handle, disk, partition)).uppercased()
    }
    /// The type of an MBR partition.
    func partitionIdentifier(_ partition: Int32, of disk: String) throws -> Int32 {
        try Task.checkCancellation()
        let identifier = api.part_get_mbr_id(handle, disk, partition)
        if identifier == -1 { throw lastError }
        return identifier
    }

    /// The first bytes of a device; fewer if it is smaller.
    func bytes(ofDevice device: String, count: Int) throws -> [UInt8] {
        try Task.checkCancellation()
        var size = 0
        guard let bytes = api.pread_device(handle, device, Int32(clamping: count), 0, &size) else { throw lastError }
        defer { free(bytes) }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: size))
    }

    func write(_ bytes: [UInt8], toDevice device: String, at offset: Int64) throws {
        try Task.checkCancellation()
        let written = bytes.withUnsafeBytes { raw in
            raw.bindMemory(to: CChar.self).baseAddress.map {
                api.pwrite_device(handle, device, $0, raw.count, offset)
            } ?? -1
        }
        guard written != -1 else { throw lastError }
        guard written == bytes.count else {
            throw GuestfsError(text: "pwrite_device: \(device): only \(written) bytes were written", number: 0)
        }
    }

    /// Mounts a device.
    package func mount(_ device: String, at path: String, isReadOnly: Bool) throws {
        try done(isReadOnly ? api.mount_ro(handle, device, path) : api.mount(handle, device, path))
    }
    /// Unmounts all file systems.
    package func unmountAll() throws { try done(api.umount_all(handle)) }
    func sync() throws { try done(api.sync(handle)) }

    /// The total and the free bytes of a mounted file system.
    func room(at path: String) throws -> (size: Int64, free: Int64) {
        try structure(api.statvfs(handle, path), free: { api.free_statvfs($0) }) { status in
            let unit = max(status.frsize, 1)
            func bytes(_ blocks: Int64) -> Int64 {
                let (product, overflow) = blocks.multipliedReportingOverflow(by: unit)
                return overflow ? Int64.max : product
            }
            return (bytes(status.blocks), bytes(status.bfree))
        }
    }

    /// Whether a mount is read-only, requested or not.
    func isReadOnly(_ path: String) throws -> Bool {
        // statvfs's ST_RDONLY.
        try structure(api.statvfs(handle, path), free: { api.free_statvfs($0) }) { $0.flag & 1 != 0 }
    }

    func trim(_ path: String) throws {
        var options = guestfs_fstrim_argv()
        try done(api.fstrim_argv(handle, path, &options))
    }
    func zeroFreeSpace(_ path: String) throws { try done(api.zero_free_space(handle, path)) }
    func discard(_ device: String) throws { try done(api.blkdiscard(handle, device)) }

    func makeSwap(_ device: String, label: String, identifier: String) throws {
        try label.withCString { label in
            try identifier.withCString { identifier in
                var options = guestfs_mkswap_opts_argv()
                options.label = label
                options.uuid = identifier
                options.bitmask = (label[0] != 0 ? 1 : 0) | (identifier[0] != 0 ? 2 : 0)
                try done(api.mkswap_opts_argv(handle, device, &options))
            }
        }
    }
    func makeSwapFile(_ path: String) throws { try done(api.mkswap_file(handle, path)) }
    /// Reserves a file's blocks without writing them.
    func allocate(_ path: String, size: Int64) throws { try done(api.fallocate64(handle, path, size)) }

    /// The volume groups with free extents.
    func volumeGroupsWithRoom() throws -> [String] {
        try structure(api.vgs_full(handle), free: { api.free_lvm_vg_list($0) }) { list in
            (0..<Int(list.len)).compactMap { index in
                guard let group = list.val?[index], group.vg_free_count > 0, let name = group.vg_name else {
                    return nil
                }
                return String(cString: name)
            }
        }
    }
    func makeVolumeOfFreeSpace(_ name: String, in group: String) throws {
        try done(api.lvcreate_free(handle, name, group, 100))
    }
    func removeVolume(_ device: String) throws { try done(api.lvremove(handle, device)) }
}

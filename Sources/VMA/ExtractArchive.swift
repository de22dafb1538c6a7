import DiskImages
import Foundation
import Scopes

/// Makes the files of an archive and sparse raw disks of its disks, byte by byte.
///
/// They appear under their names (`qemu-server.conf`, `disk-drive-scsi0.raw`) only once the whole archive was found
/// good. A file that is there already is an error.
///
/// - Parameters:
///   - folder: Made when it is missing; its own folder must be there.
///   - device: Only this disk, without the other files; nil: everything.
/// - Returns: What the archive holds.
package func extractArchive(
    _ path: String, to folder: String, device: String? = nil,
    onProgress: @escaping @Sendable (Double) -> Void = { _ in }
) async throws -> ArchiveSummary {
    try await onOwnThread("archive reader") { flag in
        let output = try ExtractionFolder(folder)
        let summary = try readArchive(path, flag, onProgress) { header in
            if device == nil {
                for config in header.configs { try output.add(config.name, content: config.content) }
            }
            let wanted = header.devices.filter { device == nil || $0.name == device }
            if let device, wanted.isEmpty {
                throw BuildError(
                    "extract \(device) from \(path)", because: "there is no such disk in it",
                    hint: "Its disks: \(header.devices.map(\.name).joined(separator: ", ")).")
            }
            for device in wanted { try output.add(device) }
            return { device, slot, blocks in try output.store(device, slot, blocks) }
        }
        try output.finish()
        return summary
    }
}

/// Extracts one disk to a raw file of any name, which is replaced.
package func extractDisk(
    _ path: String, device: String, to target: String, onProgress: @escaping @Sendable (Double) -> Void = { _ in }
) async throws -> ArchiveSummary {
    let scratch = "\(target).partial-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
    let summary: ArchiveSummary
    do {
        summary = try await extractArchive(path, to: scratch, device: device, onProgress: onProgress)
        guard rename("\(scratch)/disk-\(device).raw", target) == 0 else {
            throw BuildError("make \(target)", because: String(cString: strerror(errno)))
        }
    } catch {
        rmdir(scratch)
        throw error
    }
    rmdir(scratch)
    return summary
}

/// The files that are being made; what is not finished is removed.
private final class ExtractionFolder {
    private let path: String
    private let descriptor: Int32
    private let suffix = ".partial-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
    private var names: [String] = []
    private var disks: [Int: Int32] = [:]
    private let isNew: Bool
    private var isFinished = false

    init(_ path: String) throws {
        self.path = path
        isNew = mkdir(path, 0o777) == 0
        guard isNew || errno == EEXIST else {
            throw BuildError("make the folder \(path)", because: String(cString: strerror(errno)))
        }
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw BuildError("open the folder \(path)", because: String(cString: strerror(errno)))
        }
    }

    deinit {
        for disk in disks.values { close(disk) }
        if !isFinished {
            for name in names { unlinkat(descriptor, name + suffix, 0) }
            if isNew { rmdir(path) }
        }
        close(descriptor)
    }

    /// A new file with the name's temporary form. The name is known to have no slash.
    private func create(_ name: String) throws -> Int32 {
        guard faccessat(descriptor, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 else {
            throw BuildError(
                "make \(path)/\(name)", because: "it exists already", hint: "Choose another folder, or remove it.")
        }
        let file = openat(descriptor, name + suffix, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw writeFailure("make \(path)/\(name)", in: path) }
        names.append(name)
        return file
    }

    func add(_ name: String, content: Data) throws {
        let file = try create(name)
        defer { close(file) }
        try content.withUnsafeBytes { bytes in
            try writeAll(bytes, to: file, at: 0) { writeFailure("write \(path)/\(name)", in: path) }
        }
        guard fsync(file) == 0 else { throw writeFailure("write \(path)/\(name)", in: path) }
    }

    func add(_ device: ArchiveDevice) throws {
        let file = try create(device.fileName)
        disks[device.number] = file
        guard let size = off_t(exactly: device.size), ftruncate(file, size) == 0 else {
            throw writeFailure("make \(path)/\(device.fileName) with \(device.size) bytes", in: path)
        }
    }

    /// Writes the blocks that are not zero, neighbours together.
    func store(_ device: ArchiveDevice, _ slot: ExtentSlot, _ blocks: UnsafeRawBufferPointer) throws {
        guard let file = disks[device.number] else { return }
        let start = UInt64(slot.cluster) * UInt64(VMAFormat.cluster)
        var position = 0
        var index = 0
        while index < VMAFormat.blocksPerCluster {
            var count = 0
            while index + count < VMAFormat.blocksPerCluster, slot.mask >> UInt16(index + count) & 1 == 1,
                !isZeroBlock(blocks, position + count * VMAFormat.block)
            { count += 1 }
            if count > 0 {
                let offset = start + UInt64(index * VMAFormat.block)
                let length = min(UInt64(count * VMAFormat.block), device.size - offset)
                try writeAll(
                    UnsafeRawBufferPointer(rebasing: blocks[position..<position + Int(length)]), to: file, at: offset
                ) { writeFailure("write \(path)/\(device.fileName)", in: path) }
                position += count * VMAFormat.block
                index += count
            } else {
                if slot.mask >> UInt16(index) & 1 == 1 { position += VMAFormat.block }
                index += 1
            }
        }
    }

    /// Gives all files their names.
    func finish() throws {
        for (number, file) in disks {
            guard fsync(file) == 0 else { throw writeFailure("write disk \(number) in \(path)", in: path) }
        }
        for name in names {
            guard renameat(descriptor, name + suffix, descriptor, name) == 0 else {
                throw writeFailure("make \(path)/\(name)", in: path)
            }
        }
        isFinished = true
        // The files are complete; that their names survive a power cut is as much as can be tried.
        fsync(descriptor)
    }
}

private func isZeroBlock(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
    isZero(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + VMAFormat.block]))
}

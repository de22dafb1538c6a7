import DiskImages
import Foundation
import Scopes

/// What an archive was found to hold.
package struct ArchiveSummary: Sendable, Hashable {
    package var header: ArchiveHeader
    package var extents: UInt64 = 0
    /// Blocks of 4096 bytes that are stored.
    package var storedBlocks: UInt64 = 0
    /// Clusters that are zeroes throughout.
    package var zeroClusters: UInt64 = 0
}

/// Reads only an archive's header: what it holds.
package func listArchive(_ path: String) async throws -> ArchiveHeader {
    try await onOwnThread("archive reader") { flag in
        try naming(path) { try readHeader(try ArchiveInput(path, flag)) }
    }
}

/// Reads all of an archive and throws unless it is whole: every checksum, every cluster of every disk exactly once.
///
/// - Parameter onProgress: The part that is done, 0 to 1, never falling; called on another thread.
package func verifyArchive(
    _ path: String, onProgress: @escaping @Sendable (Double) -> Void = { _ in }
) async throws -> ArchiveSummary {
    try await onOwnThread("archive reader") { flag in
        try readArchive(path, flag, onProgress) { _ in { _, _, _ in } }
    }
}

/// Takes a cluster: its disk, its slot, and its stored blocks one after the other.
typealias ClusterHandler = (ArchiveDevice, ExtentSlot, UnsafeRawBufferPointer) throws -> Void

/// Reads an archive strictly.
///
/// - Parameter begin: Gets the header, gives what takes the clusters. What it takes is checked against the disk's bounds
///   and against what was there before; only at the end is it sure that nothing is missing.
func readArchive(
    _ path: String, _ flag: CancellationFlag, _ onProgress: @escaping @Sendable (Double) -> Void,
    _ begin: (ArchiveHeader) throws -> ClusterHandler
) throws -> ArchiveSummary {
    try naming(path) {
        let input = try ArchiveInput(path, flag)
        let header = try readHeader(input)
        var summary = ArchiveSummary(header: header)
        var devices = DeviceTable(header.devices)
        let handler = try begin(header)
        let buffer = ExtentBuffer()
        var progress = ProgressSteps(onProgress)
        while true {
            try flag.check()
            let start = input.offset
            let got = try input.fill(UnsafeMutableRawBufferPointer(rebasing: buffer.memory[..<VMAFormat.extentHeader]))
            if got == 0 { break }
            guard got == VMAFormat.extentHeader else {
                throw ArchiveDamage(reason: "it ends within an extent's header", offset: start)
            }
            let slots = try buffer.slots(uuid: header.uuid, offset: start)
            let blocks = slots.reduce(0) { $0 + $1.mask.nonzeroBitCount }
            let end = VMAFormat.extentHeader + blocks * VMAFormat.block
            let payload = UnsafeMutableRawBufferPointer(rebasing: buffer.memory[VMAFormat.extentHeader..<end])
            guard try input.fill(payload) == payload.count else {
                throw ArchiveDamage(reason: "it ends within an extent", offset: start)
            }
            var position = 0
            for slot in slots {
                let length = slot.mask.nonzeroBitCount * VMAFormat.block
                let stored = UnsafeRawBufferPointer(rebasing: payload[position..<position + length])
                let device = try devices.take(slot, stored, offset: start)
                try handler(device, slot, stored)
                position += length
                if slot.mask == 0 { summary.zeroClusters += 1 }
            }
            summary.extents += 1
            summary.storedBlocks += UInt64(blocks)
            progress.reached(input.progress * 0.999)
        }
        try devices.requireAll(offset: input.offset)
        progress.reached(1)
        return summary
    }
}

/// The disks by number, and what of them was seen.
private struct DeviceTable {
    private var rows: [Int: (device: ArchiveDevice, seen: ClusterSet)] = [:]
    private var spareMaps = ClusterSet.mostMaps

    init(_ devices: [ArchiveDevice]) {
        for device in devices { rows[device.number] = (device, ClusterSet(clusters: device.clusters)) }
    }

    /// Checks a slot against its disk.
    mutating func take(_ slot: ExtentSlot, _ stored: UnsafeRawBufferPointer, offset: UInt64) throws -> ArchiveDevice {
        guard let device = rows[slot.device]?.device else {
            throw ArchiveDamage(
                reason: "the extent has a cluster of disk \(slot.device), which does not exist", offset: offset)
        }
        let cluster = UInt64(slot.cluster)
        func damage(_ reason: String) -> ArchiveDamage {
            ArchiveDamage(reason: "cluster \(cluster) of \(device.name) \(reason)", offset: offset)
        }
        if device.name == VMAFormat.memoryDevice, rows[slot.device]?.seen.firstMissing != cluster {
            throw damage("is out of order")
        }
        switch rows[slot.device]?.seen.insert(cluster, spareMaps: &spareMaps) {
        case .added: break
        case .known: throw damage("is there twice")
        case .outside, nil: throw damage("lies beyond the disk's end")
        case .tooScattered: throw damage("is too far out of order")
        }
        let start = cluster * UInt64(VMAFormat.cluster)
        let inside = min(device.size - start, UInt64(VMAFormat.cluster))
        let blocks = (inside + UInt64(VMAFormat.block) - 1) / UInt64(VMAFormat.block)
        if blocks < VMAFormat.blocksPerCluster, slot.mask >> UInt16(blocks) != 0 {
            throw damage("has blocks beyond the disk's end")
        }
        let rest = Int(inside % UInt64(VMAFormat.block))
        if rest != 0, slot.mask >> UInt16(blocks - 1) & 1 == 1 {
            guard stored.suffix(VMAFormat.block - rest).allSatisfy({ $0 == 0 }) else {
                throw damage("has content beyond the disk's end")
            }
        }
        return device
    }

    func requireAll(offset: UInt64) throws {
        for (_, row) in rows.sorted(by: { $0.key < $1.key }) where !row.seen.isComplete {
            throw ArchiveDamage(
                reason: "it ends without cluster \(row.seen.firstMissing) of \(row.device.name)", offset: offset)
        }
    }
}

private func readHeader(_ input: ArchiveInput) throws -> ArchiveHeader {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: VMAFormat.largestHeader, alignment: 8)
    defer { memory.deallocate() }
    let fixed = UnsafeMutableRawBufferPointer(rebasing: memory[..<VMAFormat.fixedHeader])
    let short = ArchiveDamage(reason: "it ends within the header", offset: 0)
    guard try input.fill(fixed) == fixed.count else { throw short }
    let length = try ArchiveHeader.length(UnsafeRawBufferPointer(fixed))
    let rest = UnsafeMutableRawBufferPointer(rebasing: memory[VMAFormat.fixedHeader..<length])
    guard try input.fill(rest) == rest.count else { throw short }
    return try ArchiveHeader(UnsafeRawBufferPointer(rebasing: memory[..<length]))
}

/// Says of which archive a damage is.
func naming<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let damage as ArchiveDamage {
        throw BuildError(operation: "read the archive \(path)", underlying: damage)
    }
}

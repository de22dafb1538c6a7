package import DiskImages
import Foundation
import Scopes

/// Reads all of an archive, as `verifyArchive` does, and throws unless these disks in it are what the others are.
///
/// - Parameter disks: By their names in the archive. Holes of theirs are not read.
package func compareArchive(
    _ path: String, with disks: [String: any DiskContent],
    onProgress: @escaping @Sendable (Double) -> Void = { _ in }
) async throws -> ArchiveSummary {
    let operation = "compare the archive \(path) with what went into it"
    return try await onOwnThread("archive reader") { flag in
        try readArchive(path, flag, onProgress) { header in
            for (name, content) in disks {
                guard header.devices.contains(where: { $0.name == name && $0.size == content.size }) else {
                    throw BuildError(operation, because: "it has no disk \(name) of \(content.size) bytes")
                }
            }
            let scratch = ClusterPair()
            return { device, slot, blocks in
                guard let content = disks[device.name] else { return }
                guard try scratch.isEqual(content, slot, blocks) else {
                    throw BuildError(operation, because: "cluster \(slot.cluster) of \(device.name) differs")
                }
            }
        }
    }
}

/// Memory for a cluster as it should be and as it is.
private final class ClusterPair {
    private let stored = UnsafeMutableRawBufferPointer.allocate(byteCount: VMAFormat.cluster, alignment: 4096)
    private let original = UnsafeMutableRawBufferPointer.allocate(byteCount: VMAFormat.cluster, alignment: 4096)

    deinit {
        stored.deallocate()
        original.deallocate()
    }

    func isEqual(_ content: any DiskContent, _ slot: ExtentSlot, _ blocks: UnsafeRawBufferPointer) throws -> Bool {
        let start = UInt64(slot.cluster) * UInt64(VMAFormat.cluster)
        let end = min(start + UInt64(VMAFormat.cluster), content.size)
        guard start < end else { return false }
        if slot.mask == 0, try content.data(in: start..<end) == nil { return true }
        let length = Int(end - start)
        let read = UnsafeMutableRawBufferPointer(rebasing: original[..<length])
        try content.read(at: start, into: read)
        if slot.mask == 0 { return isZero(UnsafeRawBufferPointer(read)) }
        if slot.mask == .max { return isSame(UnsafeRawBufferPointer(read), blocks) }
        stored.initializeMemory(as: UInt8.self, repeating: 0)
        var position = 0
        for index in 0..<VMAFormat.blocksPerCluster where slot.mask >> UInt16(index) & 1 == 1 {
            UnsafeMutableRawBufferPointer(rebasing: stored[(index * VMAFormat.block)...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: blocks[position..<position + VMAFormat.block]))
            position += VMAFormat.block
        }
        return isSame(UnsafeRawBufferPointer(read), UnsafeRawBufferPointer(stored))
    }
}

/// Whether `other`, which is at least as long, begins with these bytes.
private func isSame(_ bytes: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard let first = bytes.baseAddress, let second = other.baseAddress else { return bytes.isEmpty }
    return memcmp(first, second, bytes.count) == 0
}

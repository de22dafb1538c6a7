import DiskImages
import Foundation

/// Which clusters go into which extent: all of the first disk, then all of the second, 59 to an extent.
///
/// An extent depends on nothing but its number, so that several threads can fill them.
struct ExtentPlan: Sendable {
    struct Disk: Sendable {
        var number: Int
        var content: any DiskContent
        /// Clusters of the disks before it.
        var first: UInt64
        var clusters: UInt64
    }

    let disks: [Disk]
    let clusters: UInt64
    let uuid: UUID

    var extents: UInt64 { (clusters + UInt64(VMAFormat.slots) - 1) / UInt64(VMAFormat.slots) }

    init(_ contents: [(number: Int, content: any DiskContent)], uuid: UUID) {
        var disks: [Disk] = []
        var total: UInt64 = 0
        for (number, content) in contents {
            let count = VMAFormat.clusterCount(content.size)
            disks.append(Disk(number: number, content: content, first: total, clusters: count))
            total += count
        }
        self.disks = disks
        self.uuid = uuid
        clusters = total
    }

    /// Fills the extent with this number. What a disk does not store is not read.
    func fill(_ buffer: ExtentBuffer, extent: UInt64) throws {
        let first = extent * UInt64(VMAFormat.slots)
        let end = min(first + UInt64(VMAFormat.slots), clusters)
        var slots: [ExtentSlot] = []
        slots.reserveCapacity(VMAFormat.slots)
        buffer.length = VMAFormat.extentHeader
        for disk in disks where disk.first < end && first < disk.first + disk.clusters {
            let from = max(first, disk.first) - disk.first
            let to = min(end, disk.first + disk.clusters) - disk.first
            try add(from..<to, of: disk, to: buffer, &slots)
        }
        buffer.seal(slots, uuid: uuid)
    }

    private func add(
        _ clusters: Range<UInt64>, of disk: Disk, to buffer: ExtentBuffer, _ slots: inout [ExtentSlot]
    ) throws {
        let base = slots.count
        for cluster in clusters {
            slots.append(ExtentSlot(device: disk.number, cluster: UInt32(truncatingIfNeeded: cluster), mask: 0))
        }
        let block = UInt64(VMAFormat.block)
        let size = disk.content.size
        var position = clusters.lowerBound * UInt64(VMAFormat.cluster)
        let end = min(clusters.upperBound * UInt64(VMAFormat.cluster), size)
        while position < end, let data = try disk.content.data(in: position..<end) {
            let start = max(data.lowerBound / block * block, position)
            let last = min((data.upperBound + block - 1) / block * block, (end + block - 1) / block * block)
            let stored = Int(min(last, size) - start)
            let target = UnsafeMutableRawBufferPointer(
                rebasing: buffer.memory[buffer.length..<buffer.length + Int(last - start)])
            try disk.content.read(at: start, into: UnsafeMutableRawBufferPointer(rebasing: target[..<stored]))
            // The block over the disk's end is stored whole.
            UnsafeMutableRawBufferPointer(rebasing: target[stored...]).initializeMemory(as: UInt8.self, repeating: 0)
            keepContent(of: target, buffer) { index in
                let number = start / block + UInt64(index)
                let slot = base + Int(number / UInt64(VMAFormat.blocksPerCluster) - clusters.lowerBound)
                slots[slot].mask |= 1 << UInt16(number % UInt64(VMAFormat.blocksPerCluster))
            }
            position = last
        }
    }

    /// Moves the blocks that are not zero together.
    ///
    /// - Parameters:
    ///   - blocks: They begin where the buffer's content ends.
    ///   - keep: Called with the number of each block that stays.
    private func keepContent(of blocks: UnsafeMutableRawBufferPointer, _ buffer: ExtentBuffer, keep: (Int) -> Void) {
        guard let base = blocks.baseAddress else { return }
        var kept = 0
        for index in 0..<blocks.count / VMAFormat.block {
            let source = base + index * VMAFormat.block
            if isZero(UnsafeRawBufferPointer(start: source, count: VMAFormat.block)) { continue }
            let target = base + kept * VMAFormat.block
            if target != source { memcpy(target, source, VMAFormat.block) }
            kept += 1
            keep(index)
        }
        buffer.length += kept * VMAFormat.block
    }
}

import Foundation

/// One cluster's place in an extent's header.
struct ExtentSlot: Equatable {
    /// The disk's number; 0: the slot is empty.
    var device: Int
    var cluster: UInt32
    /// Bit n: the n-th block of 4096 bytes is stored; the others are zeroes.
    var mask: UInt16
}

/// Memory for one extent: its header of 512 bytes and up to 59 clusters.
///
/// One thread has it at a time.
final class ExtentBuffer: @unchecked Sendable {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: VMAFormat.largestExtent, alignment: 4096)
    /// Bytes that are filled.
    var length = 0

    deinit { memory.deallocate() }

    var filled: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<length]) }

    /// Writes the header in front of what is stored already.
    func seal(_ slots: [ExtentSlot], uuid: UUID) {
        var header = [UInt8](repeating: 0, count: VMAFormat.extentHeader)
        header.replaceSubrange(0..<4, with: VMAFormat.extentMagic)
        header.put(UInt16((length - VMAFormat.extentHeader) / VMAFormat.block), at: 6)
        header.replaceSubrange(8..<24, with: uuid.bytes)
        for (index, slot) in slots.enumerated() {
            header.put(slot.mask, at: 40 + 8 * index)
            header[40 + 8 * index + 3] = UInt8(truncatingIfNeeded: slot.device)
            header.put(slot.cluster, at: 40 + 8 * index + 4)
        }
        let sum = header.withUnsafeBytes { checksum($0, at: 24) }
        header.replaceSubrange(24..<40, with: sum)
        memory.copyBytes(from: header)
    }

    /// Reads the header strictly, but for what depends on the disks.
    ///
    /// - Parameter offset: Where the extent begins, for what is said.
    func slots(uuid: UUID, offset: UInt64) throws -> [ExtentSlot] {
        let header = UnsafeRawBufferPointer(rebasing: memory[..<VMAFormat.extentHeader])
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
            if !condition { throw ArchiveDamage(reason: reason(), offset: offset) }
        }
        try require(header.prefix(4).elementsEqual(VMAFormat.extentMagic), "the extent header is missing")
        try require(header[24..<40].elementsEqual(checksum(header, at: 24)), "the extent's checksum is wrong")
        try require(header[8..<24].elementsEqual(uuid.bytes), "the extent is of another archive (its UUID)")
        try require(header.number(at: 4, UInt16.self) == 0, "reserved bytes of the extent are not zero")
        var slots: [ExtentSlot] = []
        var blocks = 0
        for index in 0..<VMAFormat.slots {
            let entry = header.number(at: 40 + 8 * index, UInt64.self)
            if entry == 0 { continue }
            let slot = ExtentSlot(
                device: Int(entry >> 32 & 0xFF), cluster: UInt32(truncatingIfNeeded: entry),
                mask: UInt16(truncatingIfNeeded: entry >> 48))
            try require(entry >> 40 & 0xFF == 0, "a reserved byte of slot \(index) is not zero")
            try require(slot.device != 0, "slot \(index) has content without a disk")
            slots.append(slot)
            blocks += slot.mask.nonzeroBitCount
        }
        let count = Int(header.number(at: 6, UInt16.self))
        try require(count == blocks, "the extent claims \(count) blocks, and its slots \(blocks)")
        return slots
    }
}

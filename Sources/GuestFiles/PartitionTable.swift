/// A partition table parsed from the disk's bytes, and the changes that make the disk end earlier.
///
/// The layouts are that of the MBR (entries at byte 446) and that of GPT (UEFI Specification 2.10, chapter 5.3).
package struct PartitionTable: Sendable {
    /// Bytes to write to the disk.
    package struct Edit: Sendable, Equatable {
        /// The position on the disk in bytes.
        package var offset: Int64
        /// The bytes to write there.
        package var bytes: [UInt8]
    }

    static let sectorSize: Int64 = 512

    /// The beginning of the disk: the MBR, and the header and entries of a GPT.
    private let start: [UInt8]
    private let gpt: GPT?

    /// - Parameter start: The disk's first bytes, `wantedBytes` of them or all there are.
    package init?(_ start: [UInt8]) {
        guard start.count >= 512, start[510] == 0x55, start[511] == 0xaa else { return nil }
        self.start = start
        let isProtective = (0..<4).contains { start[446 + 16 * $0 + 4] == 0xee }
        gpt = isProtective ? GPT(start) : nil
        if isProtective && gpt == nil { return nil }
    }

    /// The size of the MBR, the GPT header and the usual 128 entries.
    package static let wantedBytes = 34 * 512

    /// The changes that make partition `number` end at `end`, and the disk as early as possible after it.
    ///
    /// - Parameter end: In bytes, at a sector boundary.
    /// - Returns: nil if there is no such partition, or if it begins later.
    package func shortened(partition number: Int, end: Int64) -> (edits: [Edit], diskSize: Int64)? {
        guard end > 0, end % Self.sectorSize == 0 else { return nil }
        let sectors = UInt64(end / Self.sectorSize)
        let mebibyte: Int64 = 1 << 20
        if let gpt {
            // The backup of the table takes the disk's last sectors.
            let size = (end + Int64(gpt.tableSectors + 1) * Self.sectorSize + mebibyte - 1) / mebibyte * mebibyte
            guard var edits = gpt.shortened(partition: number, end: sectors, disk: UInt64(size / Self.sectorSize))
            else { return nil }
            edits.append(Edit(offset: 0, bytes: protectiveMBR(sectors: UInt64(size / Self.sectorSize))))
            return (edits, size)
        }
        guard (1...4).contains(number) else { return nil }
        var sector = Array(start.prefix(512))
        let entry = 446 + 16 * (number - 1)
        let first = UInt64(sector.value(at: entry + 8, UInt32.self))
        guard first > 0, sectors > first, let length = UInt32(exactly: sectors - first) else { return nil }
        sector.set(length, at: entry + 12)
        return ([Edit(offset: 0, bytes: sector)], (end + mebibyte - 1) / mebibyte * mebibyte)
    }

    private func protectiveMBR(sectors: UInt64) -> [UInt8] {
        var sector = Array(start.prefix(512))
        for number in 0..<4 where sector[446 + 16 * number + 4] == 0xee {
            sector.set(UInt32(clamping: sectors - 1), at: 446 + 16 * number + 12)
        }
        return sector
    }
}

/// A GUID partition table.
private struct GPT: Sendable {
    private let header: [UInt8]
    private let entries: [UInt8]
    private let entrySize: Int
    private let entriesSector: UInt64
    let tableSectors: UInt64

    init?(_ start: [UInt8]) {
        guard start.count >= 1024, start[512..<520].elementsEqual("EFI PART".utf8) else { return nil }
        let sector = Array(start[512..<1024])
        let size = Int(sector.value(at: 12, UInt32.self))
        let count = Int(sector.value(at: 80, UInt32.self))
        entrySize = Int(sector.value(at: 84, UInt32.self))
        entriesSector = sector.value(at: 72, UInt64.self)
        guard (92...512).contains(size), (1...1024).contains(count), (128...512).contains(entrySize),
            (2...64).contains(entriesSector)
        else { return nil }
        let first = Int(entriesSector) * 512
        guard first + count * entrySize <= start.count else { return nil }
        header = Array(sector.prefix(size))
        entries = Array(start[first..<first + count * entrySize])
        tableSectors = UInt64((count * entrySize + 511) / 512)
    }

    func shortened(partition number: Int, end: UInt64, disk sectors: UInt64) -> [PartitionTable.Edit]? {
        let entry = (number - 1) * entrySize
        guard number >= 1, entry + entrySize <= entries.count else { return nil }
        var entries = entries
        let first = entries.value(at: entry + 32, UInt64.self)
        guard first > 0, end > first, sectors > end + tableSectors else { return nil }
        entries.set(end - 1, at: entry + 40)
        let last = sectors - 1
        let copySector = last - tableSectors
        var main = header
        main.set(UInt64(1), at: 24)
        main.set(last, at: 32)
        main.set(copySector - 1, at: 48)
        main.set(entriesSector, at: 72)
        main.set(checksum(entries), at: 88)
        var copy = main
        copy.set(last, at: 24)
        copy.set(UInt64(1), at: 32)
        copy.set(copySector, at: 72)
        func offset(_ sector: UInt64) -> Int64 { Int64(sector) * PartitionTable.sectorSize }
        // The backup first: until the main header refers to it, the old pair is intact.
        return [
            .init(offset: offset(copySector), bytes: entries), .init(offset: offset(last), bytes: signed(copy)),
            .init(offset: offset(entriesSector), bytes: entries), .init(offset: offset(1), bytes: signed(main)),
        ]
    }

    /// The sector of a header, with its checksum.
    private func signed(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.set(UInt32(0), at: 16)
        header.set(checksum(header), at: 16)
        return header + [UInt8](repeating: 0, count: 512 - header.count)
    }

    /// CRC-32 as in IEEE 802.3.
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xffff_ffff
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        return ~value
    }
}

/// Reads little-endian numbers; the caller must check the bounds.
extension [UInt8] {
    fileprivate func value<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        self[offset..<offset + Number.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    fileprivate mutating func set(_ number: some FixedWidthInteger, at offset: Int) {
        for index in 0..<number.bitWidth / 8 { self[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }
}

import Foundation
import Scopes

/// The header of a qcow2 image; the layout is that of QEMU's `docs/interop/qcow2.txt`.
struct Qcow2Header {
    static let magic: [UInt8] = [0x51, 0x46, 0x49, 0xFB]
    /// QEMU's own limit of the first-level table, in bytes.
    private static let largestTable: UInt64 = 32 << 20

    var size: UInt64
    var clusterBits: UInt64
    var tableOffset: UInt64
    /// Entries of the first-level table that the disk's size needs.
    var tableLength: Int
    var hasZeroFlag: Bool
    var isZstd: Bool

    var clusterSize: UInt64 { 1 << clusterBits }
    /// Entries in a second-level table.
    var entriesPerTable: UInt64 { clusterSize / 8 }

    /// Why Ingot itself cannot read an image that is whole; qemu-img can.
    struct Unsupported: Error, CustomStringConvertible {
        var description: String
    }

    /// QEMU found damage in the image and marked it.
    struct Corrupt: Error {}

    /// - Throws: `Unsupported`, `Corrupt`, or a `Reason` when it is damaged.
    init(_ bytes: [UInt8]) throws {
        guard bytes.count >= 72, Array(bytes.prefix(4)) == Self.magic else {
            throw Reason(text: "it is not a qcow2 image")
        }
        let version = bytes.bigEndian32(4)
        guard version == 2 || version == 3 else { throw Unsupported(description: "qcow2 version \(version)") }
        guard bytes.bigEndian64(8) == 0 else { throw Unsupported(description: "a backing file") }
        guard bytes.bigEndian32(32) == 0 else { throw Unsupported(description: "encryption") }
        let features = version == 3 && bytes.count >= 104 ? bytes.bigEndian64(72) : 0
        // Bit 0 is about reference counts, which reading does not need.
        guard features & 2 == 0 else { throw Corrupt() }
        guard features & 4 == 0 else { throw Unsupported(description: "an external data file") }
        guard features & ~0b1011 == 0 else { throw Unsupported(description: "features \(features)") }
        let headerLength = version == 3 && bytes.count >= 104 ? bytes.bigEndian32(100) : 72
        let compression = features & 8 != 0 && headerLength > 104 && bytes.count > 104 ? bytes[104] : 0
        guard compression <= 1 else { throw Unsupported(description: "compression type \(compression)") }
        isZstd = compression == 1
        hasZeroFlag = version == 3

        clusterBits = UInt64(bytes.bigEndian32(20))
        guard (9...21).contains(clusterBits) else { throw Reason(text: "its cluster size is 2^\(clusterBits)") }
        size = bytes.bigEndian64(24)
        guard size % 512 == 0, size < 1 << 60 else { throw Reason(text: "its size is \(size) bytes") }
        let perEntry = (UInt64(1) << clusterBits) * ((UInt64(1) << clusterBits) / 8)
        let needed = (size + perEntry - 1) / perEntry
        guard needed <= Self.largestTable / 8, UInt64(bytes.bigEndian32(36)) >= needed else {
            throw Reason(text: "its first-level table does not fit its size")
        }
        tableLength = Int(needed)
        tableOffset = bytes.bigEndian64(40)
        guard tableOffset % (UInt64(1) << clusterBits) == 0, tableOffset < 1 << 60 else {
            throw Reason(text: "its first-level table lies at \(tableOffset)")
        }
    }
}

extension [UInt8] {
    /// The caller knows that the bytes are there.
    func bigEndian32(_ offset: Int) -> UInt32 {
        self[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    func bigEndian64(_ offset: Int) -> UInt64 {
        self[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

package import Foundation

/// Sizes and marks of the VMA format, Proxmox VE's backup archive (`vma_spec.txt` of pve-qemu).
enum VMAFormat {
    static let magic: [UInt8] = Array("VMA\0".utf8)
    static let extentMagic: [UInt8] = Array("VMAE".utf8)
    static let block = 4096
    static let blocksPerCluster = 16
    static let cluster = 65536
    /// Clusters in an extent.
    static let slots = 59
    static let extentHeader = 512
    static let largestExtent = extentHeader + slots * cluster
    /// The header's fixed part, before its blobs.
    static let fixedHeader = 12288
    /// The most that Proxmox VE's own writer makes.
    static let largestHeader = 524_288
    static let entries = 256
    /// Device numbers that its tools look at.
    static let deviceNumbers = 1...254
    static let largestDevice = UInt64(cluster) << 32
    /// The machine's memory, of a snapshot; its clusters have to be in order.
    static let memoryDevice = "vmstate"

    static func clusterCount(_ size: UInt64) -> UInt64 { size / 65536 + (size % 65536 == 0 ? 0 : 1) }
}

/// A file that an archive holds beside its disks, such as `qemu-server.conf`.
package struct ArchiveConfig: Sendable, Hashable {
    package var name: String
    package var content: Data

    package init(name: String, content: Data) {
        self.name = name
        self.content = content
    }
}

/// A disk in an archive.
package struct ArchiveDevice: Sendable, Hashable {
    /// 1 to 254.
    package var number: Int
    /// `drive-scsi0`
    package var name: String
    /// Bytes, a multiple of 512.
    package var size: UInt64

    var clusters: UInt64 { VMAFormat.clusterCount(size) }
}

/// What an archive says of itself before the disks' content.
package struct ArchiveHeader: Sendable, Hashable {
    package var uuid: UUID
    /// Seconds since 1970.
    package var time: Int64
    package var configs: [ArchiveConfig]
    package var devices: [ArchiveDevice]
}

/// Names become file names: letters, digits and `._+-`, not first a dot or a dash, at most 128 bytes.
func isUsableName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
    let punctuation = Set("._+-".utf8)
    let isPlain = name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || punctuation.contains(byte)
    }
    return isPlain && first != UInt8(ascii: ".") && first != UInt8(ascii: "-")
}

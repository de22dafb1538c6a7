import Crypto
import Foundation

/// An unpacked archive in pieces that a test can damage.
struct TestArchive {
    var header: [UInt8]
    var extents: [[UInt8]]

    init(_ bytes: [UInt8]) {
        let length = Int(Self.number(bytes, 56, 4))
        header = Array(bytes[..<length])
        extents = []
        var offset = length
        while offset < bytes.count {
            let end = offset + 512 + 4096 * Int(Self.number(bytes, offset + 6, 2))
            extents.append(Array(bytes[offset..<end]))
            offset = end
        }
    }

    var bytes: [UInt8] { header + extents.joined() }

    /// Makes the header's checksum right again.
    mutating func sealHeader() { Self.seal(&header, 32, header.count) }

    mutating func sealExtent(_ index: Int) { Self.seal(&extents[index], 24, 512) }

    private static func seal(_ bytes: inout [UInt8], _ offset: Int, _ length: Int) {
        bytes.replaceSubrange(offset..<offset + 16, with: [UInt8](repeating: 0, count: 16))
        let sum = Insecure.MD5.hash(data: bytes[..<length])
        bytes.replaceSubrange(offset..<offset + 16, with: Array(sum))
    }

    static func number(_ bytes: [UInt8], _ offset: Int, _ length: Int) -> UInt64 {
        bytes[offset..<offset + length].reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func put(_ bytes: inout [UInt8], _ offset: Int, _ length: Int, _ value: UInt64) {
        for index in 0..<length {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * (length - 1 - index)))
        }
    }

    /// Changes a number of the header, with its checksum.
    mutating func header(_ offset: Int, _ length: Int, _ value: UInt64) {
        Self.put(&header, offset, length, value)
        sealHeader()
    }

    /// Changes a number of an extent, with its checksum.
    mutating func extent(_ index: Int, _ offset: Int, _ length: Int, _ value: UInt64) {
        Self.put(&extents[index], offset, length, value)
        sealExtent(index)
    }

    /// The offset of the blob's content that a pointer leads to.
    func blob(_ pointerOffset: Int) -> Int { 12288 + Int(Self.number(header, pointerOffset, 4)) + 2 }
}

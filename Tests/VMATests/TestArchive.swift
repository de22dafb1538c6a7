import Crypto
import DiskImages
import Foundation
import Testing
import VMA

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

/// An archive of two disks whose last clusters are not whole.
func sampleArchive(_ folder: String) async throws -> TestArchive {
    let path = folder + "/sample"
    try await CreateArchive(
        configs: [machine, ArchiveConfig(name: "qemu-server.fw", content: Data("rules".utf8))],
        disks: [
            ("drive-efidisk0", TestDisk.sample(size: 540_672, seed: 1)),
            ("drive-scsi0", TestDisk.sample(size: 8 * 1_048_576 + 1536, seed: 2)),
        ], compression: .none
    ).write(to: path)
    defer { unlink(path) }
    return TestArchive(try #require(contents(path)))
}

/// What reading it says; the folder must be as before.
func refusal(_ bytes: [UInt8], _ folder: String, extracts: Bool = true) async throws -> String {
    let path = folder + "/damaged"
    try Data(bytes).write(to: URL(filePath: path))
    let said = await message { _ = try await verifyArchive(path) }
    if extracts {
        let extracted = await message { _ = try await extractArchive(path, to: folder + "/out") }
        // Few file systems have room for a name of 256 TiB.
        #expect(extracted == said || extracted.contains("File too large"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }
    #expect(said.isEmpty || said.contains("could not read the archive \(path): it is "), "\(said)")
    return said
}

import Foundation
import Testing
import VMA

@Suite struct LyingArchiveTests {
    private typealias Change = (reason: String, change: (inout TestArchive) -> Void)

    @Test("a header that lies under a right checksum is refused with the reason")
    func lyingHeaders() async throws {
        func name(_ text: [UInt8]) -> (inout TestArchive) -> Void {
            { archive in
                // Blobs are not moved: the new name has the old one's length.
                let start = archive.blob(2044)
                let room = machine.name.utf8.count
                let bytes = text + [UInt8](repeating: UInt8(ascii: "x"), count: max(0, room - text.count))
                archive.header.replaceSubrange(start..<start + room, with: bytes.prefix(room))
                archive.sealHeader()
            }
        }
        let second = 4096 + 32 * 2
        let changes: [Change] = [
            ("not a VMA archive", { $0.header(0, 4, 0x564D_4142) }),
            ("version is 2", { $0.header(4, 4, 2) }),
            ("version is 0", { $0.header(4, 4, 0) }),
            ("of another archive", { $0.header(8, 4, 1) }),
            ("checksum is wrong", { TestArchive.put(&$0.header, 24, 8, 1) }),
            ("blobs", { $0.header(48, 4, 12287) }),
            ("blobs", { $0.header(48, 4, 12800) }),
            ("blobs", { $0.header(48, 4, 0xFFFF_FFFF) }),
            ("blobs", { $0.header(52, 4, 0) }),
            ("blobs", { $0.header(52, 4, 0xFFFF_FFFF) }),
            ("longer than the room", { $0.header(52, 4, 30) }),
            ("claims to have 12288", { $0.header(56, 4, 12288) }),
            ("claims to have 0", { $0.header(56, 4, 0) }),
            ("claims to have 12801", { $0.header(56, 4, 12801) }),
            ("claims to have 4294967295", { $0.header(56, 4, 0xFFFF_FFFF) }),
            ("claims to have 524800", { $0.header(56, 4, 524_800) }),
            ("checksum is wrong", { TestArchive.put(&$0.header, 56, 4, 13312) }),
            ("reserved", { $0.header(60, 1, 1) }),
            ("reserved", { $0.header(2043, 1, 1) }),
            ("reserved", { $0.header(4092, 4, 1) }),
            ("leads to nothing", { $0.header(2044, 4, 2) }),
            ("leads to nothing", { $0.header(2044, 4, 0xFFFF_FFFF) }),
            ("leads to nothing", { $0.header(3068, 4, 5) }),
            ("only a name", { $0.header(3068, 4, 0) }),
            ("only a name", { $0.header(2044, 4, 0) }),
            ("only a name", { $0.header(3068 + 4 * 255, 4, 1) }),
            ("there twice", { $0.header(2048, 4, TestArchive.number($0.header, 2044, 4)) }),
            ("longer than the room", { $0.header(12289, 2, 0xFFFF) }),
            ("longer than the room", { $0.header(12289, 1, 3) }),
            ("has no end", { $0.header($0.blob(2044) + machine.name.utf8.count, 1, 65) }),
            ("name of file 0", name(Array("../../etc/passwd".utf8))),
            ("name of file 0", name(Array("/etc/cron.d/x".utf8))),
            ("name of file 0", name(Array(".bashrc".utf8))),
            ("name of file 0", name(Array("-rf".utf8))),
            ("name of file 0", name(Array("a\0b".utf8))),
            ("name of file 0", name(Array("a\nb".utf8))),
            ("name of file 0", name([0xFF, 0xFE])),
            ("padding is not zero", { $0.header($0.header.count - 1, 1, 1) }),
            ("there is a disk 0", { $0.header(4096, 4, TestArchive.number($0.header, second, 4)) }),
            ("there is a disk 255", { $0.header(4096 + 32 * 255, 4, TestArchive.number($0.header, second, 4)) }),
            ("disk 2 has no name", { $0.header(second, 4, 0) }),
            ("leads to nothing", { $0.header(second, 4, 7) }),
            ("there twice", { $0.header(second, 4, TestArchive.number($0.header, second - 32, 4)) }),
            ("reserved bytes of disk 2", { $0.header(second + 4, 4, 1) }),
            ("reserved bytes of disk 2", { $0.header(second + 31, 1, 1) }),
            ("claims to have 8390145 bytes", { $0.header(second + 8, 8, 8_390_145) }),
            ("claims to have 18446744073709551104", { $0.header(second + 8, 8, UInt64.max - 511) }),
            ("claims to have 281474976711168", { $0.header(second + 8, 8, (1 << 48) + 512) }),
            ("without cluster 129 of drive-scsi0", { $0.header(second + 8, 8, 1 << 48) }),
            ("without cluster 129 of drive-scsi0", { $0.header(second + 8, 8, 8 * 1_048_576 + 65536 + 512) }),
            ("cluster 128 of drive-scsi0 lies beyond", { $0.header(second + 8, 8, 8 * 1_048_576) }),
            ("content beyond the disk's end", { $0.header(second + 8, 8, 8 * 1_048_576 + 512) }),
            ("of disk 2, which does not exist", { $0.header(second + 8, 8, 0) }),
            (
                "without cluster 0 of drive-extra",
                { archive in
                    // A third disk under the name of the second's blob would be there twice: it gets its own.
                    let end = 12288 + Int(TestArchive.number(archive.header, 52, 4))
                    let blob: [UInt8] = [12, 0] + Array("drive-extra".utf8) + [0]
                    archive.header.replaceSubrange(end..<end + blob.count, with: blob)
                    TestArchive.put(&archive.header, 52, 4, UInt64(end + blob.count - 12288))
                    TestArchive.put(&archive.header, second + 32, 4, UInt64(end - 12288))
                    archive.header(second + 40, 8, 65536)
                }
            ),
        ]
        try await refuse(changes)
    }

    @Test("an extent that lies under a right checksum is refused with the reason")
    func lyingExtents() async throws {
        // The first extent: clusters 0 to 8 of the first disk, and 0 to 49 of the second.
        let changes: [Change] = [
            ("the extent header is missing", { $0.extent(0, 0, 4, 0) }),
            ("reserved bytes of the extent", { $0.extent(0, 4, 2, 1) }),
            ("reserved bytes of the extent", { $0.extent(2, 4, 2, 0xFFFF) }),
            ("of another archive", { $0.extent(1, 8, 4, 5) }),
            ("of another archive", { $0.extent(1, 23, 1, TestArchive.number($0.extents[1], 23, 1) ^ 1) }),
            ("claims 0 blocks", { $0.extent(0, 6, 2, 0) }),
            ("claims 65535 blocks", { $0.extent(0, 6, 2, 65535) }),
            ("claims", { $0.extent(1, 6, 2, TestArchive.number($0.extents[1], 6, 2) + 1) }),
            ("a reserved byte of slot 0", { $0.extent(0, 42, 1, 1) }),
            ("a reserved byte of slot 58", { $0.extent(0, 40 + 8 * 58 + 2, 1, 255) }),
            ("slot 58 has content without a disk", { $0.extent(0, 40 + 8 * 58 + 3, 1, 0) }),
            ("of disk 3, which does not exist", { $0.extent(0, 43, 1, 3) }),
            ("of disk 255, which does not exist", { $0.extent(0, 43, 1, 255) }),
            ("cluster 1 of drive-efidisk0 is there twice", { $0.extent(0, 44, 4, 1) }),
            ("cluster 0 of drive-scsi0 is there twice", { $0.extent(1, 44, 4, 0) }),
            ("cluster 9 of drive-efidisk0 lies beyond", { $0.extent(0, 44, 4, 9) }),
            ("cluster 4294967295 of drive-efidisk0 lies beyond", { $0.extent(0, 44, 4, 0xFFFF_FFFF) }),
            (
                "blocks, and its slots",
                { archive in
                    archive.extent(0, 200, 1, TestArchive.number(archive.extents[0], 200, 1) ^ 0x80)
                }
            ),
        ]
        try await refuse(changes)
        try await withScratch { folder in
            // The last cluster of the first disk holds one block of 4096 and one of 12288: 540672 = 8 * 65536 + 16384.
            var archive = try await sampleArchive(folder)
            let slot = 40 + 8 * 8
            archive.extents[0].replaceSubrange(slot..<slot + 2, with: [0x80, 0])
            Self.matchBlocks(&archive, 0)
            #expect(try await refusal(archive.bytes, folder).contains("blocks beyond the disk's end"))
            // The second disk ends 1536 bytes into its last block.
            archive = try await sampleArchive(folder)
            archive.extents[2][archive.extents[2].count - 1] = 1
            #expect(try await refusal(archive.bytes, folder).contains("content beyond the disk's end"))
        }
    }

    /// Makes the count of blocks and the payload's length those of the slots.
    private static func matchBlocks(_ archive: inout TestArchive, _ extent: Int) {
        let blocks = (0..<59).reduce(0) { sum, slot in
            sum + TestArchive.number(archive.extents[extent], 40 + 8 * slot, 2).nonzeroBitCount
        }
        let length = 512 + 4096 * blocks
        archive.extents[extent] = Array(archive.extents[extent].prefix(length))
        archive.extents[extent] += [UInt8](repeating: 0, count: length - archive.extents[extent].count)
        archive.extent(extent, 6, 2, UInt64(blocks))
    }

    private func refuse(_ changes: [Change]) async throws {
        try await withScratch { folder in
            let good = try await sampleArchive(folder)
            #expect(good.extents.count == 3)
            for (index, (reason, change)) in changes.enumerated() {
                var archive = good
                change(&archive)
                let said = try await refusal(archive.bytes, folder)
                #expect(said.contains(reason), "change \(index): \(said)")
            }
        }
    }
}

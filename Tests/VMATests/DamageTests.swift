import DiskImages
import Foundation
import Scopes
import Testing
import VMA

@Suite struct DamageTests {
    @Test("a flipped bit anywhere in the header or in an extent's header is refused")
    func flippedBits() async throws {
        try await withScratch { folder in
            let good = try await sampleArchive(folder)
            #expect(try await refusal(good.bytes, folder, extracts: false) == "")
            let offsets =
                Array(0..<64) + [
                    1000, 2043, 2044, 2048, 3067, 3068, 3072, 4091, 4095, 4096, 4128, 4130, 4136, 4143, 4160,
                ]
                + [4200, 12287, 12288, 12289, 12291, 12300, good.header.count - 1]
            for offset in offsets {
                var archive = good
                archive.header[offset] ^= 1 << UInt8(offset % 8)
                #expect(try await refusal(archive.bytes, folder, extracts: false) != "", "header, byte \(offset)")
            }
            for offset in Array(0..<64) + stride(from: 64, to: 512, by: 7) {
                var archive = good
                archive.extents[1][offset] ^= 1 << UInt8(offset % 8)
                #expect(try await refusal(archive.bytes, folder, extracts: false) != "", "extent, byte \(offset)")
            }
        }
    }

    @Test("a missing, a repeated and a foreign extent are refused")
    func wrongExtents() async throws {
        try await withScratch { folder in
            let (good, other) = (try await sampleArchive(folder), try await sampleArchive(folder))
            for index in good.extents.indices {
                var archive = good
                archive.extents.remove(at: index)
                #expect(try await refusal(archive.bytes, folder).contains("ends without cluster"))
                archive = good
                archive.extents.insert(archive.extents[index], at: 0)
                #expect(try await refusal(archive.bytes, folder).contains("is there twice"))
                archive = good
                archive.extents[index] = other.extents[index]
                #expect(try await refusal(archive.bytes, folder).contains("of another archive"))
            }
            // A cluster without content must have its slot all the same.
            let path = folder + "/empty"
            try await CreateArchive(
                configs: [machine], disks: [("d", TestDisk(size: 5 * 65536, parts: []))], compression: .none
            ).write(to: path)
            var empty = TestArchive(try #require(contents(path)))
            empty.extent(0, 40 + 8 * 3, 8, 0)
            unlink(path)
            #expect(try await refusal(empty.bytes, folder).contains("without cluster 3 of d"))
            var archive = good
            archive.extents = []
            #expect(try await refusal(archive.bytes, folder).contains("without cluster 0 of drive-efidisk0"))
        }
    }

    @Test("an archive cut off anywhere, or with something behind it, is refused")
    func truncations() async throws {
        try await withScratch { folder in
            let good = try await sampleArchive(folder)
            var ends = [0, 1, 3, 4, 8, 60, 4096, 12287, 12288, 12289, good.header.count - 1, good.header.count]
            var offset = good.header.count
            for extent in good.extents {
                ends += [1, 40, 511, 512, 513, 512 + 4096, extent.count / 2, extent.count - 1].map { offset + $0 }
                offset += extent.count
            }
            for end in ends where end < good.bytes.count {
                let said = try await refusal(Array(good.bytes[..<end]), folder)
                #expect(said.contains("ends within") || said.contains("without cluster") || end < 4, "\(end): \(said)")
                #expect(said != "")
            }
            for tail in [[0], [UInt8](repeating: 0, count: 512), Array("VMAE".utf8), good.extents[0]] {
                #expect(try await refusal(good.bytes + tail, folder) != "")
            }
        }
    }

    @Test("a packed archive that is cut off, damaged or followed by something is refused")
    func packed() async throws {
        try await withScratch { folder in
            let path = folder + "/packed"
            try await CreateArchive(
                configs: [machine], disks: [("drive-scsi0", TestDisk.sample(size: 1_048_576, seed: 5))]
            ).write(to: path)
            let good = try #require(contents(path))
            #expect(try await refusal(good, folder, extracts: false) == "")
            var random = Seeded(state: 1)
            for end in [4, 5, 9, 20, good.count / 3, good.count / 2, good.count - 5, good.count - 4, good.count - 1] {
                let said = try await refusal(Array(good[..<end]), folder)
                #expect(said != "", "\(end)")
            }
            for _ in 0..<60 {
                var bad = good
                let offset = Int.random(in: 4..<bad.count, using: &random)
                bad[offset] ^= UInt8.random(in: 1...255, using: &random)
                let said = try await refusal(bad, folder)
                // One bit of the frame's header says nothing: it is unused, and its sister is reserved.
                #expect(said != "" || offset == 4, "byte \(offset)")
            }
            #expect(try await refusal(good + [1, 2, 3, 4], folder).contains("zstd"))
            #expect(try await refusal(good + good, folder).contains("the extent header is missing"))
            let window: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0, 0xF8, 1, 0, 0]
            #expect(try await refusal(window + good, folder).contains("zstd"))
        }
    }

    @Test("clusters strewn over a disk of 256 TiB end in a refusal, not in memory")
    func scattered() async throws {
        try await withScratch { folder in
            var archive = try await sampleArchive(folder)
            archive.header(4096 + 64 + 8, 8, 1 << 48)
            let template = archive.extents[0].prefix(512)
            var all: [[UInt8]] = []
            var cluster: UInt64 = 1
            while cluster < 1 << 32, all.count < 2400 {
                var extent = [UInt8](repeating: 0, count: 512)
                extent.replaceSubrange(0..<24, with: template.prefix(24))
                TestArchive.put(&extent, 4, 4, 0)
                for slot in 0..<59 {
                    TestArchive.put(&extent, 40 + 8 * slot, 8, 2 << 32 | cluster)
                    cluster += 4096
                }
                all.append(extent)
            }
            archive.extents = all
            for index in archive.extents.indices { archive.sealExtent(index) }
            #expect(try await refusal(archive.bytes, folder).contains("too far out of order"))
        }
    }

    @Test("random damage under right checksums never ends in a crash, and what is accepted is extracted whole")
    func fuzz() async throws {
        try await withScratch { folder in
            let path = folder + "/small"
            try await CreateArchive(
                configs: [machine], disks: [("d", TestDisk.sample(size: 200_704, seed: 3, parts: 2))],
                compression: .none
            ).write(to: path)
            let good = TestArchive(try #require(contents(path)))
            var random = Seeded(state: 77)
            let places =
                Array(0..<60) + Array(2044..<2060) + Array(3068..<3080) + Array(4096..<4180) + Array(12288..<12400)
            for _ in 0..<600 {
                var archive = good
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let value = UInt8.random(in: 0...255, using: &random)
                    if Bool.random(using: &random), let place = places.randomElement(using: &random) {
                        archive.header[place] = value
                    } else {
                        archive.extents[0][Int.random(in: 0..<112, using: &random)] = value
                    }
                }
                archive.sealHeader()
                archive.sealExtent(0)
                let damaged = folder + "/damaged"
                try Data(archive.bytes).write(to: URL(filePath: damaged))
                let said = await message { _ = try await extractArchive(damaged, to: folder + "/out") }
                #expect(FileManager.default.fileExists(atPath: folder + "/out") == said.isEmpty)
                if said.isEmpty { try FileManager.default.removeItem(atPath: folder + "/out") }
            }
        }
    }
}

import DiskImages
import Foundation
import Processes
import Scopes
import Synchronization
import Testing
import VMA

@Suite struct RoundTripTests {
    @Test(
        "disks of any size come back byte by byte, whatever packs the archive",
        arguments: [
            512, 4096, 65536, 65536 + 512, 540_672, 131_072, 9 * 1_048_576 + 1536, 59 * 65536, 60 * 65536 + 3584,
        ])
    func sizes(size: Int) async throws {
        try await withScratch { folder in
            let disk = TestDisk.sample(size: size, seed: UInt64(size))
            for compression in [ArchiveCompression.none, .zstd(level: 1), .zstd(level: 3, threads: 1)] {
                let archive = folder + "/a"
                try await CreateArchive(
                    configs: [machine], disks: [("drive-scsi0", disk)], compression: compression
                ).write(to: archive)
                #expect(!disk.wasHoleRead.withLock { $0 })
                _ = try await extractArchive(archive, to: folder + "/out")
                #expect(holds(folder + "/out/disk-drive-scsi0.raw", disk.bytes))
                #expect(holds(folder + "/out/qemu-server.conf", Array(machine.content)))
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a", "out"])
                try FileManager.default.removeItem(atPath: folder + "/out")
                try FileManager.default.removeItem(atPath: archive)
            }
        }
    }

    @Test("three disks, one of them empty, and two files are listed, found whole and extracted")
    func threeDisks() async throws {
        try await withScratch { folder in
            let disks: [(name: String, content: any DiskContent)] = [
                ("drive-efidisk0", TestDisk.sample(size: 540_672, seed: 1)),
                ("drive-scsi0", TestDisk.sample(size: 12 * 1_048_576 + 1536, seed: 2)),
                ("drive-scsi1", TestDisk(size: 5 * 1_048_576, parts: [])),
            ]
            let firewall = ArchiveConfig(name: "qemu-server.fw", content: Data())
            let archive = folder + "/three.vma.zst"
            let uuid = UUID()
            let progress = Mutex<[Double]>([])
            try await CreateArchive(
                configs: [machine, firewall], disks: disks, uuid: uuid, time: 1_700_000_000
            ).write(to: archive) { part in progress.withLock { $0.append(part) } }
            let seen = progress.withLock { $0 }
            #expect(seen.last == 1 && seen == seen.sorted())

            let header = try await listArchive(archive)
            #expect(header.uuid == uuid && header.time == 1_700_000_000)
            #expect(header.configs == [machine, firewall])
            #expect(header.devices.map(\.name) == disks.map(\.name))
            #expect(header.devices.map(\.number) == [1, 2, 3])
            #expect(header.devices.map(\.size) == disks.map(\.content.size))

            let summary = try await verifyArchive(archive)
            let clusters = UInt64(9 + 193 + 80)
            #expect(summary.header == header && summary.extents == (clusters + 58) / 59)
            #expect(summary.zeroClusters >= 80)

            _ = try await extractArchive(archive, to: folder + "/out")
            for (name, disk) in disks {
                #expect(holds("\(folder)/out/disk-\(name).raw", (disk as? TestDisk)?.bytes))
            }
            _ = try await extractArchive(archive, to: folder + "/one", device: "drive-scsi1")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/one") == ["disk-drive-scsi1.raw"])
            _ = try await compareArchive(
                archive, with: Dictionary(uniqueKeysWithValues: disks.map { ($0.name, $0.content) }))
            let other = await message {
                _ = try await compareArchive(
                    archive, with: ["drive-scsi0": TestDisk.sample(size: 12 * 1_048_576 + 1536, seed: 3)])
            }
            #expect(other.contains("of drive-scsi0 differs"))
        }
    }

    @Test("zeroes that a disk stores are not stored in the archive, and extracted disks have holes")
    func zeroes() async throws {
        try await withScratch { folder in
            let size = 8 * 1_048_576
            let stored = (offset: 0, bytes: [UInt8](repeating: 0, count: size))
            let one = (offset: 3 * 1_048_576 + 5, bytes: [UInt8](repeating: 1, count: 1))
            let disk = TestDisk(size: size, parts: [stored, one])
            try await CreateArchive(configs: [], disks: [("d", disk)], compression: .none).write(to: folder + "/a")
            let summary = try await verifyArchive(folder + "/a")
            #expect(summary.storedBlocks == 1 && summary.zeroClusters == 127)
            _ = try await extractArchive(folder + "/a", to: folder + "/out")
            var status = stat()
            #expect(stat(folder + "/out/disk-d.raw", &status) == 0)
            #expect(status.st_size == size && status.st_blocks * 512 < 1_048_576)
            #expect(holds(folder + "/out/disk-d.raw", disk.bytes))
        }
    }

    @Test("an archive packed by gzip, in several zstd frames, or with its extents in another order is read")
    func foreignForms() async throws {
        try await withScratch { folder in
            let disk = TestDisk.sample(size: 9 * 1_048_576, seed: 9)
            let plain = folder + "/a.vma"
            try await CreateArchive(configs: [machine], disks: [("drive-scsi0", disk)], compression: .none)
                .write(to: plain)
            let script = """
                gzip -c a.vma > a.gz
                head -c 100000 a.vma | zstd -q > a.zst; tail -c +100001 a.vma | zstd -q >> a.zst
                """
            let exit = try await runProcess("sh", ["-ec", script], workingDirectory: folder) { _ in }
            #expect(exit.isSuccess)
            var archive = TestArchive(try #require(contents(plain)))
            archive.extents.reverse()
            try Data(archive.bytes).write(to: URL(filePath: folder + "/reversed"))
            for name in ["a.gz", "a.zst", "reversed"] {
                _ = try await extractArchive("\(folder)/\(name)", to: "\(folder)/\(name).d")
                #expect(holds("\(folder)/\(name).d/disk-drive-scsi0.raw", disk.bytes))
            }
        }
    }

    @Test("a disk that fails, or a cancellation, leaves no file and keeps a former archive")
    func failures() async throws {
        try await withScratch { folder in
            let archive = folder + "/a.vma"
            try Data("former".utf8).write(to: URL(filePath: archive))
            let noise = [(offset: 0, bytes: [UInt8](repeating: 5, count: 20 << 20))]
            let broken = TestDisk(size: 20 << 20, parts: noise) { offset in
                if offset > 8 << 20 { throw BuildError("read the disk", because: "a bad sector") }
            }
            let said = await message {
                try await CreateArchive(configs: [], disks: [("d", broken)]).write(to: archive)
            }
            #expect(said.contains("a bad sector"))
            let work = Mutex<Task<Void, any Error>?>(nil)
            let cancelling = TestDisk(size: 20 << 20, parts: noise) { _ in work.withLock { $0?.cancel() } }
            let task = Task {
                while work.withLock({ $0 == nil }) { await Task.yield() }
                try await CreateArchive(configs: [], disks: [("d", cancelling)]).write(to: archive)
            }
            work.withLock { $0 = task }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.vma"])
            #expect(holds(archive, Array("former".utf8)))
            let missing = await message {
                try await CreateArchive(configs: [], disks: [("d", broken)]).write(to: folder + "/none/a")
            }
            #expect(missing.contains("No such file"))
        }
    }

    @Test("what an archive cannot hold is refused before anything is written")
    func unwritable() async throws {
        try await withScratch { folder in
            let disk = TestDisk(size: 4096, parts: [])
            func attempt(
                _ configs: [ArchiveConfig], _ disks: [(name: String, content: any DiskContent)], level: Int = 3
            ) async -> String {
                await message {
                    try await CreateArchive(configs: configs, disks: disks, compression: .zstd(level: level))
                        .write(to: folder + "/a")
                }
            }
            let large = ArchiveConfig(name: "x", content: Data(count: 65536))
            #expect(await attempt([large], [("d", disk)]).contains("at most 65535"))
            let many = (0..<9).map { ArchiveConfig(name: "x\($0)", content: Data(count: 65535)) }
            #expect(await attempt(many, [("d", disk)]).contains("too large together"))
            #expect(await attempt([machine, machine], [("d", disk)]).contains("twice"))
            #expect(await attempt([], [("d", disk), ("d", disk)]).contains("twice"))
            #expect(await attempt([], [("../d", disk)]).contains("not a usable name"))
            #expect(await attempt([], [("vmstate", disk)]).contains("memory"))
            #expect(await attempt([], [("d", TestDisk(size: 1000, parts: []))]).contains("1000 bytes"))
            #expect(await attempt([], [("d", TestDisk(size: 0, parts: []))]).contains("0 bytes"))
            #expect(await attempt([], (0..<255).map { ("d\($0)", disk) }).contains("254"))
            #expect(await attempt([], [("d", disk)], level: 99).contains("Levels go from 1 to"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.isEmpty)
        }
    }

    @Test("extracting refuses to touch what is there, and removes what it made when it fails")
    func extractionFolder() async throws {
        try await withScratch { folder in
            let disk = TestDisk.sample(size: 1_048_576, seed: 4)
            let archive = folder + "/a"
            try await CreateArchive(configs: [machine], disks: [("d", disk)], compression: .none).write(to: archive)
            let out = folder + "/out"
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(atPath: out + "/disk-d.raw", withDestinationPath: "/nowhere")
            #expect(await message { _ = try await extractArchive(archive, to: out) }.contains("it exists already"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["disk-d.raw"])
            await #expect {
                _ = try await extractArchive(archive, to: folder + "/new", device: "e")
            } throws: {
                "\($0)".contains("there is no such disk in it\n  Its disks: d.")
            }
            #expect(!FileManager.default.fileExists(atPath: folder + "/new"))
            #expect(await message { _ = try await extractArchive(folder, to: folder + "/new") }.contains("folder"))
            try Data("not an archive".utf8).write(to: URL(filePath: archive))
            #expect(await message { _ = try await listArchive(archive) }.contains("not a VMA archive"))
        }
    }

    @Test("what Proxmox VE's restore demands of the machine's configuration is checked")
    func restore() {
        #expect(restoreProblems([machine], devices: ["drive-scsi0"]).isEmpty)
        #expect(restoreProblems([], devices: []).first?.contains("no qemu-server.conf") == true)
        let problems = restoreProblems([machine], devices: ["drive-virtio1"])
        #expect(problems.count == 2)
        #expect(problems.first?.contains("#qmdump#map:virtio1:drive-virtio1::raw:") == true)
        #expect(problems.last?.contains("maps drive-scsi0, which is not in the archive") == true)
    }
}

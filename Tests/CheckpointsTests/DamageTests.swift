import Checkpoints
import Foundation
import Scopes
import Testing

@Suite struct DamageTests {
    /// A memory image as machines have: zeros, text and noise; more than one piece long, and not of whole pieces.
    static let memory: Data = {
        var generator = SystemRandomNumberGenerator()
        var data = Data(count: 1 << 20) + Data((0..<50_000).flatMap { Array("\($0) ".utf8) })
        data += Data((0..<600_000).map { _ in UInt8.random(in: 0...255, using: &generator) })
        return data + Data(count: (4 << 20) - data.count)
    }()

    private func reason(_ body: () async throws -> Void) async -> String? {
        do { try await body() } catch let error as DamagedCheckpoint { return error.reason } catch { return "\(error)" }
        return nil
    }

    @Test("memory comes back as it was, its zeros as holes", arguments: [0, 1, 1 << 20, 3 << 20, 4 << 20, 2_500_001])
    func roundTrip(size: Int) async throws {
        let bench = try StoreBench()
        let memory = Self.memory.prefix(size)
        let made = try await bench.commit(bench.stages("a"), 0, on: nil, memory: memory)
        #expect(made.manifest.memory?.size == Int64(size) && made.manifest.memory?.requirements == ["qemu": "7.2.1"])
        #expect(made.manifest.files.map(\.name) == ["disk-0", "memory.zst"])
        #expect(!FileManager.default.fileExists(atPath: made.folder + "/memory"))
        let target = bench.path + "/memory.raw"
        try await made.unpackMemory(to: target)
        #expect(FileManager.default.contents(atPath: target) == memory)
        var status = stat()
        #expect(stat(target, &status) == 0)
        if size == 4 << 20 { #expect(Int(status.st_blocks) * 512 < 3 << 20) }
        for name in ["disk-0", "memory.zst"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: made.folder + "/" + name)
            #expect((attributes[.posixPermissions] as? Int) == 0o400)
        }
    }

    @Test(
        "a missing, cut, longer, rewritten or flipped file is found", arguments: ["disk-0", "memory.zst", "tpm/state"])
    func files(name: String) async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b")
        let first = try await bench.commit(stages, 0, on: nil)
        let folder = try bench.store.makeFolder(parent: first.id)
        try FileManager.default.createDirectory(atPath: folder.path + "/tpm", withIntermediateDirectories: true)
        let noise = Self.memory.suffix(1 << 21)
        for file in ["disk-0", "memory", "tpm/state"] { try noise.write(to: URL(filePath: folder.path + "/" + file)) }
        let key = try #require(stageKeys(stages)[1])
        let draft = ManifestDraft(key: key, stage: stages[1], index: 1, owner: bench.owner, took: .zero, memory: [:])
        let made = try await bench.store.commit(folder, draft)
        let path = made.folder + "/" + name
        var status = stat()
        try #require(stat(path, &status) == 0)
        let good = try Data(contentsOf: URL(filePath: path))
        func damage(_ content: Data?) throws {
            unlink(path)
            try content?.write(to: URL(filePath: path))
            utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0)
        }
        #expect(await reason(made.verify) == nil)
        try damage(nil)
        #expect(await reason { try made.check() } == "\(name) is missing")
        #expect(try await bench.resolve(stages).miss?.reason == "its checkpoint is damaged: \(name) is missing")
        try damage(good.dropLast())
        #expect(await reason { try made.check() }?.contains("\(name) has \(good.count - 1) bytes") == true)
        try damage(good + [0])
        #expect(await reason { try made.check() }?.contains("\(name) has \(good.count + 1) bytes") == true)
        try damage(good)
        try good.write(to: URL(filePath: path))
        #expect(await reason { try made.check() } == "\(name) was modified")
        for offset in [0, good.count / 2, good.count - 1] {
            var flipped = good
            flipped[flipped.startIndex + offset] ^= 1
            try damage(flipped)
            #expect(await reason { try made.check() } == nil)
            #expect(await reason(made.verify) == "the content of \(name) changed")
            if name == "memory.zst" {
                let target = bench.path + "/raw"
                #expect(await reason { try await made.unpackMemory(to: target) }?.hasPrefix("memory.zst: ") == true)
                #expect(!FileManager.default.fileExists(atPath: target))
            }
        }
        made.markDamaged()
        #expect(try await bench.resolve(stages).checkpoint?.id == first.id)
        #expect(try await bench.resolve(stages).miss?.reason == "it has no checkpoint")
    }

    @Test("a damaged ancestor is found, and once it is marked none of its descendants is used")
    func ancestors() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c")
        let made = try await bench.build(stages)
        try bench.flip(made[0].folder + "/disk-0", at: 3)
        let checkpoint = try #require(try await bench.resolve(stages).checkpoint)
        do {
            try await checkpoint.verify()
            Issue.record("the damage was not found")
        } catch let damage as DamagedCheckpoint {
            #expect(damage == DamagedCheckpoint(id: made[0].id, reason: "the content of disk-0 changed"))
            checkpoint.markDamaged(damage)
        }
        #expect(try await bench.resolve(stages).next == 0)
        #expect(
            try bench.store.list().map(\.damage)
                == Array(repeating: "an ancestor of it is missing or damaged", count: 2))
        #expect(try Set(bench.store.prune(limit: nil, olderThan: nil).map(\.id)) == Set(made.map(\.id)))
    }

    @Test("a manifest with any byte flipped, cut or replaced is no checkpoint")
    func manifest() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a")
        let made = try await bench.build(stages)
        let path = made[0].folder + "/checkpoint.json"
        let good = try Data(contentsOf: URL(filePath: path))
        // A line break that becomes a space, or the like, says the same.
        for offset in 0..<good.count where !Set("\n \r\t".utf8).contains(good[offset]) {
            var flipped = good
            flipped[offset] ^= UInt8(1) << UInt8(offset % 7)
            if Set("\n \r\t".utf8).contains(flipped[offset]) { continue }
            try flipped.write(to: URL(filePath: path))
            let found = try await bench.resolve(stages)
            // Nothing that differs is taken for the checkpoint, save for one that says the same in other letters.
            if let found = found.checkpoint { #expect(found.manifest == made[0].manifest, "byte \(offset)") }
        }
        let others = [
            good.prefix(0), good.prefix(1), good.prefix(good.count / 2), good.dropLast(2),
            Data(repeating: 0x5b, count: 100_000), Data("{\"version\":1}".utf8), Data("{\"version\":1e400}".utf8),
            Data(repeating: 0, count: good.count), Data(count: 9 << 20),
        ]
        for bytes in others {
            try bytes.write(to: URL(filePath: path))
            #expect(try await bench.resolve(stages).checkpoint == nil)
            #expect(try bench.store.list().first?.damage?.contains("checkpoint.json") == true)
        }
        try good.write(to: URL(filePath: path))
        #expect(try await bench.resolve(stages).checkpoint != nil)
        for name in ["parent", "lease"] {
            try FileManager.default.moveItem(atPath: made[0].folder + "/" + name, toPath: bench.path + "/" + name)
            let found = try await bench.resolve(stages)
            // A first stage has no parent: the file says nothing.
            #expect((found.checkpoint == nil) == (name == "lease"))
            try FileManager.default.moveItem(atPath: bench.path + "/" + name, toPath: made[0].folder + "/" + name)
        }
        let copy = bench.path + "/0000000000000"
        try FileManager.default.copyItem(atPath: made[0].folder, toPath: copy)
        #expect(try bench.store.list().filter { $0.damage == nil }.map(\.id) == [made[0].id])
    }

    @Test("folders that stand on each other in a circle are garbage")
    func circle() async throws {
        let bench = try StoreBench()
        let made = try await bench.build(bench.stages("a", "b"))
        try Data(made[1].id.utf8).write(to: URL(filePath: made[0].folder + "/parent"))
        #expect(try await bench.resolve(bench.stages("a", "b")).checkpoint == nil)
        #expect(try bench.store.list().count == 2)
        #expect(try bench.store.prune(limit: nil, olderThan: nil).count == 2)
    }

    @Test("a link among the files, and a parent that is no checkpoint, are refused by commit")
    func refusedCommits() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b")
        let folder = try bench.store.makeFolder(parent: nil)
        symlink("/etc/passwd", folder.path + "/disk-0")
        let keys = stageKeys(stages)
        let first = try #require(keys[0])
        let draft = ManifestDraft(key: first, stage: stages[0], index: 0, owner: bench.owner, took: .zero)
        await #expect { try await bench.store.commit(folder, draft) } throws: { "\($0)".contains("not a regular file") }
        let child = try bench.store.makeFolder(parent: folder.id)
        let second = try #require(keys[1])
        let other = ManifestDraft(key: second, stage: stages[1], index: 1, owner: bench.owner, took: .zero)
        await #expect { try await bench.store.commit(child, other) } throws: {
            "\($0)".contains("is not a valid checkpoint")
        }
        #expect(throws: BuildError.self) { try bench.store.makeFolder(parent: "0000000000000") }
        #expect(try bench.store.list().isEmpty)
    }

    @Test("commit and verify answer cancellation")
    func cancellation() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a")
        let folder = try bench.store.makeFolder(parent: nil)
        try Self.memory.write(to: URL(filePath: folder.path + "/memory"))
        let key = try #require(stageKeys(stages)[0])
        let draft = ManifestDraft(key: key, stage: stages[0], index: 0, owner: bench.owner, took: .zero, memory: [:])
        let commit = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await bench.store.commit(folder, draft).release()
        }
        await #expect(throws: CancellationError.self) { try await commit.value }
        #expect(try bench.store.list().isEmpty)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["lease", "memory", "parent"])
        let made = try await bench.build(stages)
        let verify = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await made[0].verify()
        }
        await #expect(throws: CancellationError.self) { try await verify.value }
    }
}

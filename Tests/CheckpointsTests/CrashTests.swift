import Checkpoints
import Foundation
import Scopes
import Testing

/// They start many processes, so one after the other.
@Suite(.serialized) struct CrashTests {
    private let path: String

    init() { path = NSTemporaryDirectory() + "checkpoints-" + UUID().uuidString.prefix(8).lowercased() }

    /// As the exerciser writes it.
    private func content(_ key: StageKey, _ name: String) -> Data {
        let line = Data("\(key) \(name)\n".utf8)
        return Data((0..<200).flatMap { _ in line })
    }

    private func stages(_ store: CheckpointStore, variant: Int) -> [Stage] {
        (0..<3).map { place in
            Stage(title: "stage \(place)", inputs: [store.input("variant", place == 0 ? "0" : "\(variant)")])
        }
    }

    /// Whether all that resolves is what it should be.
    ///
    /// - Returns: how many checkpoints were looked at.
    private func examine(_ store: CheckpointStore) async throws -> Int {
        var count = 0
        for variant in 0..<3 {
            let stages = stages(store, variant: variant)
            let found = try await store.resolve(stages, owner: StageOwner(template: "", build: ""))
            guard let checkpoint = found.checkpoint else { continue }
            defer { checkpoint.release() }
            try await checkpoint.verify()
            let keys = stageKeys(stages)
            for (manifest, key) in zip(checkpoint.chain, keys) {
                #expect(manifest.key == key)
                let disk = FileManager.default.contents(atPath: checkpoint.folder(of: manifest.id) + "/disk-0")
                #expect(disk == content(manifest.key, "disk-0"))
                count += 1
            }
            let target = path + "/stages/raw"
            try await checkpoint.unpackMemory(to: target)
            #expect(FileManager.default.contents(atPath: target) == content(checkpoint.manifest.key, "memory"))
            unlink(target)
        }
        return count
    }

    @Test("no process killed at any moment, of several at once, leaves a checkpoint that lies or garbage that stays")
    func killed() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try CheckpointStore(path: path)
        var examined = 0
        for _ in 0..<50 {
            let running = try (0..<4).map { _ in try Exerciser(path, rounds: 2000) }
            for exerciser in running {
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...40)))
                exerciser.kill()
                examined += try await examine(store)
            }
            for exerciser in running {
                let (status, output) = try await exerciser.finish()
                #expect(status == SIGKILL, "\(output)")
            }
            _ = try store.prune(limit: nil, olderThan: nil)
            let listed = try store.list()
            #expect(listed.allSatisfy { $0.damage == nil && !$0.isInUse })
            let others = try Set(FileManager.default.contentsOfDirectory(atPath: path)).subtracting(listed.map(\.id))
            #expect(others.isSubset(of: ["lock", "secret", "stages"]), "\(others)")
        }
        #expect(examined > 200)
    }

    @Test("several processes that build, resolve and prune at once end well")
    func several() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let running = try (0..<4).map { _ in try Exerciser(path, rounds: 15) }
        for exerciser in running {
            let (status, output) = try await exerciser.finish()
            #expect(status == 0, "\(output)")
        }
        #expect(try await examine(CheckpointStore(path: path)) > 0)
    }

    @Test("a commit that may not write as much as it has to fails with a reason, and makes no checkpoint")
    func fileLimit() async throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        for limit in [0, 40, 100, 500, 900] {
            let (status, output) = try await Exerciser(path, rounds: 1, fileLimit: limit).finish()
            #expect(status == 1 && output.contains("File too large"), "\(limit): \(output)")
            let store = try CheckpointStore(path: path)
            #expect(try store.list().isEmpty)
            #expect(try store.prune(limit: nil, olderThan: nil).count == 1)
        }
    }

    @Test(
        "a full disk fails with a reason and makes no checkpoint, and there is one once there is room",
        .enabled(if: canMount, "a file system of its own can only be mounted by root"))
    func fullDisk() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try #require(mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0)
        defer { umount2(path, 2) }
        let store = try CheckpointStore(path: path)
        let stage = Stage(title: "t", inputs: [store.input("a", "b")])
        let key = try #require(stageKeys([stage])[0])
        let owner = StageOwner(template: "t", build: "b")
        for ballast in [0, 300 << 10, 500 << 10] {
            let folder = try store.makeFolder(parent: nil)
            let noise = Data((0..<400 << 10).map { _ in UInt8.random(in: 0...255) })
            try noise.write(to: URL(filePath: folder.path + "/memory"))
            let filler = path + "/filler"
            try Data(count: ballast).write(to: URL(filePath: filler))
            let draft = ManifestDraft(key: key, stage: stage, index: 0, owner: owner, took: .zero, memory: [:])
            if ballast == 0 {
                try await store.commit(folder, draft).release()
            } else {
                await #expect { try await store.commit(folder, draft) } throws: {
                    "\($0)".contains("No space left") && "\($0)".contains("MiB are free")
                }
            }
            folder.abandon()
            #expect(try store.list().count == (ballast == 0 ? 1 : 0))
            _ = try store.prune(limit: 0, olderThan: nil)
            unlink(filler)
        }
    }
}

/// Containers often may not, even as root.
private let canMount: Bool = {
    let folder = NSTemporaryDirectory() + "checkpoints-mount-\(getpid())"
    defer { rmdir(folder) }
    guard mkdir(folder, 0o700) == 0, mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0 else { return false }
    return umount2(folder, 2) == 0
}()

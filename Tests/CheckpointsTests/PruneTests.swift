import Checkpoints
import Foundation
import Testing

@Suite struct PruneTests {
    @Test("without limits only garbage goes, the rest in use or whole stays")
    func garbage() async throws {
        let bench = try StoreBench()
        let made = try await bench.build(bench.stages("a", "b"))
        let abandoned = try bench.store.makeFolder(parent: made[1].id)
        try Data("x".utf8).write(to: URL(filePath: abandoned.path + "/disk-0"))
        let working = try bench.store.makeFolder(parent: made[1].id)
        let base = try bench.store.makeFolder(parent: nil)
        let onBase = try bench.store.makeFolder(parent: base.id)
        for name in [".removed-0000000000000", ".partial-x", "0000000000000"] {
            try FileManager.default.createDirectory(atPath: bench.path + "/" + name, withIntermediateDirectories: true)
        }
        rmdir(bench.path + "/.partial-x")
        try Data("x".utf8).write(to: URL(filePath: bench.path + "/.partial-x"))
        abandoned.abandon()
        base.abandon()
        let removed = try bench.store.prune(limit: nil, olderThan: nil)
        #expect(Set(removed.map(\.id)) == [abandoned.id, "0000000000000"])
        #expect(bench.folders == Set([working.id, base.id, onBase.id] + made.map(\.id)))
        working.abandon()
        onBase.abandon()
        #expect(try Set(bench.store.prune(limit: nil, olderThan: nil).map(\.id)) == [working.id, base.id, onBase.id])
        #expect(bench.folders == Set(made.map(\.id)))
        #expect(try bench.store.prune(limit: nil, olderThan: nil) == [])
    }

    @Test("leaves go in the order of their last use until the limit holds")
    func leastRecentlyUsed() async throws {
        let bench = try StoreBench()
        let one = try await bench.build(bench.stages("a", "b", "c"))
        let other = try await bench.build(bench.stages("a2", "b2"))
        bench.pass(10)
        _ = try await bench.resolve(bench.stages("a", "b"))
        let sizes = Dictionary(uniqueKeysWithValues: try bench.store.list().map { ($0.id, $0.bytes) })
        var total = sizes.values.reduce(0, +)
        #expect(try bench.store.prune(limit: total, olderThan: nil) == [])
        // c and its sibling were used before a and b; of those, descendants are removed first.
        for expected in [one[2], other[1], other[0], one[1], one[0]] {
            let removed = try bench.store.prune(limit: total - 1, olderThan: nil)
            #expect(removed.map(\.id) == [expected.id])
            #expect(removed.first?.bytes == sizes[expected.id] && removed.first?.title == expected.manifest.title)
            total -= sizes[expected.id] ?? 0
        }
        #expect(bench.folders == [])
    }

    @Test("what was replaced by a newer run goes first")
    func superseded() async throws {
        let bench = try StoreBench()
        let old = try await bench.build(bench.stages("a", "b"))
        bench.pass(10)
        let other = try await bench.build(bench.stages("x"))
        bench.pass(10)
        let fresh = try await bench.commit(bench.stages("a"), 0, on: nil)
        _ = try await bench.store.resolve(bench.stages("a", "b"), owner: bench.owner)
        var order: [String] = []
        while let removed = try bench.store.prune(limit: 1, olderThan: nil).map(\.id) as [String]?, !removed.isEmpty {
            order += removed
        }
        #expect(order == [old[1].id, old[0].id, other[0].id, fresh.id])
    }

    @Test("what was not used for long goes, what stands below something younger stays")
    func unused() async throws {
        let bench = try StoreBench()
        let one = try await bench.build(bench.stages("a", "b"))
        let other = try await bench.build(bench.stages("x"))
        bench.pass(1000)
        let young = try await bench.commit(bench.stages("a", "c"), 1, on: one[0].id)
        #expect(
            try Set(bench.store.prune(limit: nil, olderThan: .seconds(500)).map(\.id)) == [one[1].id, other[0].id])
        #expect(bench.folders == [one[0].id, young.id])
    }

    @Test("a leased chain stays whatever the limit, until it is released")
    func leases() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b")
        let made = try await bench.build(stages)
        let other = try await bench.build(bench.stages("x"))
        let checkpoint = try #require(try await bench.store.resolve(stages, owner: bench.owner).checkpoint)
        #expect(try bench.store.prune(limit: 0, olderThan: .zero).map(\.id) == [other[0].id])
        #expect(try bench.store.list().map(\.isInUse) == [true, true])
        #expect(try bench.store.remove(ids: [made[0].id]) == Removal(inUse: [made[0].id]))
        // A new folder protects its ancestors.
        let folder = try bench.store.makeFolder(parent: made[1].id)
        checkpoint.release()
        #expect(try bench.store.prune(limit: 0, olderThan: .zero) == [])
        try folder.remove()
        #expect(bench.folders == Set(made.map(\.id)))
        #expect(try bench.store.prune(limit: 0, olderThan: .zero).map(\.id) == [made[1].id, made[0].id])
    }

    @Test("a checkpoint is removed with all its descendants, and its folder is not removed as unfinished")
    func removal() async throws {
        let bench = try StoreBench()
        let made = try await bench.build(bench.stages("a", "b", "c"))
        let result = try bench.store.remove(ids: [made[1].id, made[2].id, "none"])
        #expect(result.removed.map(\.id) == [made[2].id, made[1].id] && result.unknown == ["none"])
        #expect(bench.folders == [made[0].id])
        let folder = try bench.store.makeFolder(parent: nil)
        let stage = bench.stage("z")
        let key = try #require(stageKeys([stage])[0])
        let draft = ManifestDraft(key: key, stage: stage, index: 0, owner: bench.owner, took: .zero)
        try await bench.store.commit(folder, draft).release()
        try folder.remove()
        #expect(bench.folders == [made[0].id, folder.id])
    }

    @Test("another version's checkpoints and what they stand on stay, as long as there is room")
    func foreign() async throws {
        let bench = try StoreBench()
        let made = try await bench.build(bench.stages("a", "b"))
        let manifest = made[1].folder + "/checkpoint.json"
        let text = try String(contentsOfFile: manifest, encoding: .utf8)
        #expect(text.contains("\"version\" : 1"))
        try Data(text.replacing("\"version\" : 1", with: "\"version\" : 2").utf8).write(to: URL(filePath: manifest))
        #expect(try await bench.resolve(bench.stages("a", "b")).next == 1)
        #expect(try bench.store.list().last?.damage == "it was made by another version of Ingot")
        #expect(try bench.store.prune(limit: nil, olderThan: nil) == [])
        #expect(try bench.store.prune(limit: 0, olderThan: nil).map(\.id) == [made[1].id, made[0].id])
    }

    @Test("processes that prune, build and resolve at the same time do not disturb each other")
    func atOnce() async throws {
        let bench = try StoreBench()
        for round in 0..<5 { try await bench.build(bench.stages("\(round)", "b")) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask { try CheckpointStore(path: bench.path).prune(limit: 0, olderThan: nil).count }
            }
            group.addTask {
                for round in 0..<5 {
                    let found = try await bench.store.resolve(bench.stages("\(round)", "b"), owner: bench.owner)
                    try await found.checkpoint?.verify()
                    found.checkpoint?.release()
                }
                return 0
            }
            _ = try await group.reduce(0, +)
        }
        _ = try bench.store.prune(limit: 0, olderThan: nil)
        #expect(bench.folders == [])
    }
}

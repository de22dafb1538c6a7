import Checkpoints
import Foundation
import Testing

@Suite struct ResolveTests {
    @Test("the deepest checkpoint of the chain is found, with its ancestors")
    func deepest() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c")
        #expect(try await bench.resolve(stages).miss == Resolution.Miss(stage: 0, reason: "there is no checkpoint yet"))
        let made = try await bench.build(stages)
        let found = try await bench.resolve(stages)
        #expect(found.next == 3 && found.miss == nil)
        let checkpoint = try #require(found.checkpoint)
        #expect(checkpoint.chain.map(\.id) == made.map(\.id))
        #expect(checkpoint.manifest == made[2].manifest)
        #expect(checkpoint.manifest.details == ["a": "b"] && checkpoint.manifest.seconds == 1.5)
        let longer = try await bench.resolve(stages + [bench.stage("new")])
        #expect(longer.next == 3 && longer.checkpoint?.id == made[2].id)
        #expect(longer.miss == Resolution.Miss(stage: 3, reason: "it has no checkpoint"))
        try await checkpoint.verify()
    }

    @Test("the reason names what changed, by the inputs' labels")
    func changes() async throws {
        let bench = try StoreBench()
        func stage(_ inputs: [(String, String)]) -> [Stage] {
            [Stage(title: "t", inputs: inputs.map { bench.store.input($0, $1) })]
        }
        let base = [("a.sh", "1"), ("memory", "2048"), ("environment FOO", "x")]
        try await bench.build(stage(base))
        func reason(_ inputs: [(String, String)]) async throws -> String? {
            try await bench.resolve(stage(inputs)).miss?.reason
        }
        #expect(try await reason(base) == nil)
        #expect(try await reason([("a.sh", "2"), base[1], base[2]]) == "a.sh changed")
        #expect(try await reason([("a.sh", "2"), ("memory", "1"), base[2]]) == "a.sh, memory changed")
        #expect(try await reason(base + [("environment BAR", "1")]) == "environment BAR was added")
        #expect(try await reason([base[0], base[1]]) == "environment FOO was removed")
        #expect(
            try await reason([("a.sh", "2"), base[1], ("b.sh", "")])
                == "a.sh changed; b.sh was added; environment FOO was removed")
        #expect(try await reason([("b.sh", "1"), base[1], base[2]]) == "a.sh was replaced by b.sh")
        #expect(
            try await reason([base[0], base[1], ("environment BAR", "x")])
                == "environment FOO was replaced by environment BAR")
        #expect(try await reason([base[1], base[0], base[2]]) == "the order of its inputs changed")
        let others = StageOwner(template: "b.pkr.hcl", build: "x")
        let other = try await bench.resolve(stage([("a.sh", "2"), base[1], base[2]]), owner: others)
        #expect(other.miss?.reason == "there is no checkpoint yet")
    }

    @Test("the reason compares with the latest checkpoint of the same build")
    func latest() async throws {
        let bench = try StoreBench()
        try await bench.build(bench.stages("a", "b"))
        try await bench.build(bench.stages("x", "b"))
        let flipped = try await bench.resolve(bench.stages("a", "c"))
        #expect(flipped.next == 1 && flipped.miss?.reason == "stage 1 changed")
        #expect(try await bench.resolve(bench.stages("y", "b")).miss == .init(stage: 0, reason: "stage 0 changed"))
    }

    @Test("a build that shares its first stage with another is compared with the other's second")
    func sharedParent() async throws {
        let bench = try StoreBench()
        try await bench.build(bench.stages("a", "b"))
        let found = try await bench.resolve(
            bench.stages("a", "c"), owner: StageOwner(template: "b.pkr.hcl", build: "x"))
        #expect(found.next == 1 && found.miss?.reason == "stage 1 changed")
    }

    @Test("a stage after one that ran again has that as its reason")
    func rerun() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b")
        let old = try await bench.build(stages)
        let fresh = try await bench.commit(stages, 0, on: nil)
        let found = try await bench.resolve(stages)
        #expect(found.checkpoint?.id == fresh.id, "the newest wins; descendants of the old one are not used")
        #expect(found.miss == Resolution.Miss(stage: 1, reason: "a stage before it was run again"))
        let child = try await bench.commit(stages, 1, on: fresh.id)
        #expect(try await bench.resolve(stages).checkpoint?.id == child.id)
        #expect(old[0].manifest.generation == 1 && fresh.manifest.generation == 2)
    }

    @Test("the newest wins although the clock was set back")
    func clock() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a")
        try await bench.build(stages)
        bench.pass(-100_000)
        let fresh = try await bench.commit(stages, 0, on: nil)
        #expect(try await bench.resolve(stages).checkpoint?.id == fresh.id)
        #expect(try await bench.resolve(stages, maxAge: .seconds(1)).checkpoint?.id == fresh.id)
    }

    @Test("a stage without a checkpoint is no obstacle for a deeper one")
    func gaps() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c", "d")
        let made = try await bench.build(stages, without: [0, 2])
        let found = try await bench.resolve(stages)
        #expect(found.next == 4 && found.checkpoint?.chain.map(\.id) == made.map(\.id))
        var changed = stages
        changed[2] = bench.stage("stage 2", "x")
        let partial = try await bench.resolve(changed)
        #expect(partial.next == 2 && partial.checkpoint?.id == made[0].id)
        #expect(partial.miss == Resolution.Miss(stage: 2, reason: "it has no checkpoint"))
        try FileManager.default.removeItem(atPath: made[1].folder + "/disk-0")
        #expect(
            try await bench.resolve(stages).miss
                == Resolution.Miss(stage: 3, reason: "its checkpoint is damaged: disk-0 is missing"))
    }

    @Test("--max-age counts the ancestors, too")
    func age() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c")
        let first = try await bench.commit(stages, 0, on: nil)
        bench.pass(5 * 86400)
        let second = try await bench.commit(stages, 1, on: first.id)
        bench.pass(3 * 86400)
        try await bench.commit(stages, 2, on: second.id)
        #expect(try await bench.resolve(stages, maxAge: .seconds(9 * 86400)).next == 3)
        let found = try await bench.resolve(stages, maxAge: .seconds(7 * 86400))
        #expect(found.checkpoint == nil && found.next == 0)
        #expect(
            found.miss == Resolution.Miss(stage: 0, reason: "its checkpoint is 8 days old (--max-age 7d)"))
        let hours = try await bench.resolve(stages, maxAge: .seconds(12 * 3600))
        #expect(hours.miss?.reason == "its checkpoint is 8 days old (--max-age 12h)")
    }

    @Test("nothing from --fresh-from on is reused")
    func fresh() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c")
        let made = try await bench.build(stages)
        for place in 0..<3 {
            let found = try await bench.resolve(stages, freshFrom: place)
            #expect(found.next == place && found.checkpoint?.id == (place == 0 ? nil : made[place - 1].id))
            #expect(found.miss == Resolution.Miss(stage: place, reason: "--fresh-from"))
        }
        #expect(try await bench.resolve(stages, freshFrom: 3).miss == nil)
    }

    @Test("the reason why a stage cannot be reused is given")
    func unusable() async throws {
        let bench = try StoreBench()
        let stages = [
            bench.stage("a"), bench.stage("b", unusable: "shell-local reads what it likes"), bench.stage("c"),
        ]
        try await bench.commit(stages, 0, on: nil)
        let found = try await bench.resolve(stages)
        #expect(found.next == 1 && found.miss == .init(stage: 1, reason: "shell-local reads what it likes"))
    }

    @Test("a checkpoint whose output is gone is not used, nor are its descendants")
    func outputs() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a", "b", "c")
        let first = try await bench.commit(stages, 0, on: nil)
        let output = Manifest.Output(path: bench.path + "/report.txt", digest: "d")
        let second = try await bench.commit(stages, 1, on: first.id, outputs: [output])
        try await bench.commit(stages, 2, on: second.id)
        #expect(try await bench.resolve(stages).next == 3)
        let gone = try await bench.resolve(stages) { $0.digest != "d" }
        #expect(gone.checkpoint?.id == first.id)
        #expect(
            gone.miss == .init(stage: 1, reason: "\(output.path), which it downloaded, is missing"))
        try Data().write(to: URL(filePath: output.path))
        #expect(
            try await bench.resolve(stages) { $0.digest != "d" }.miss?.reason
                == "\(output.path), which it downloaded, was changed")
    }

    @Test("a store that was moved is not used: layers name their backing files by absolute path")
    func moved() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a")
        try await bench.build(stages)
        let path = bench.path + "-moved"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.copyItem(atPath: bench.path, toPath: path)
        let found = try await CheckpointStore(path: path).resolve(stages, owner: bench.owner)
        #expect(found.checkpoint == nil && found.miss?.reason.contains("the cache was moved") == true)
    }

    @Test("two builds that want the same stage run it once")
    func claims() async throws {
        let bench = try StoreBench()
        let stages = bench.stages("a")
        let key = try #require(stageKeys(stages)[0])
        let runs = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let waits = Counter()
                    let claim = try await bench.store.claim(key) { waits.add() }
                    defer { claim.release() }
                    if try await bench.resolve(stages).next == 1 { return (0, waits.value) }
                    try await Task.sleep(for: .milliseconds(100))
                    try await bench.commit(stages, 0, on: nil)
                    return (1, waits.value)
                }
            }
            return try await group.reduce(into: (0, 0)) { $0 = ($0.0 + $1.0, $0.1 + $1.1) }
        }
        #expect(runs.0 == 1 && runs.1 == 3)
    }

    @Test("waiting for a stage ends with cancellation")
    func cancelledClaim() async throws {
        let bench = try StoreBench()
        let key = try #require(stageKeys(bench.stages("a"))[0])
        let claim = try await bench.store.claim(key) {}
        let waiter = Task { try await bench.store.claim(key) {} }
        try await Task.sleep(for: .milliseconds(50))
        waiter.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiter.value }
        claim.release()
        try await bench.store.claim(key) { Issue.record("it is free") }.release()
    }
}

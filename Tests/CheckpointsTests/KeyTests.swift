import Checkpoints
import Foundation
import Testing

@Suite struct KeyTests {
    @Test("each input changes the key from its stage on, and no earlier one")
    func chain() throws {
        let bench = try StoreBench()
        func stages(_ values: [[String]]) -> [Stage] {
            values.enumerated().map { place, values in
                Stage(
                    title: "stage \(place)",
                    inputs: values.enumerated().map { bench.store.input("input \($0)", $1) })
            }
        }
        let values = [["iso", "memory", "answers"], ["a.sh"], ["b.sh", "FOO=1"], []]
        let keys = stageKeys(stages(values))
        #expect(Set(keys).count == 4 && !keys.contains(nil))
        #expect(stageKeys(stages(values)) == keys)
        for place in values.indices {
            for input in values[place].indices {
                var changed = values
                changed[place][input] += "x"
                let others = stageKeys(stages(changed))
                #expect(others[..<place] == keys[..<place])
                #expect(zip(others[place...], keys[place...]).allSatisfy { $0 != $1 })
                changed[place].remove(at: input)
                #expect(stageKeys(stages(changed))[place] != keys[place])
            }
        }
        var more = values
        more[3].append("")
        #expect(stageKeys(stages(more))[3] != keys[3])
    }

    @Test("digests in another order are another stage; another name of a file is not")
    func order() throws {
        let bench = try StoreBench()
        let (a, b) = (bench.store.digest(Data("a".utf8)), bench.store.digest(Data("b".utf8)))
        func key(_ inputs: [(String, String)]) -> StageKey? {
            stageKeys([Stage(title: "t", inputs: inputs.map { StageInput(label: $0.0, digest: $0.1) })])[0]
        }
        #expect(key([("a.sh", a), ("b.sh", b)]) != key([("a.sh", b), ("b.sh", a)]))
        #expect(key([("a.sh", a), ("b.sh", b)]) == key([("c.sh", a), ("d.sh", b)]))
        #expect(key([("a.sh", a)]) != key([("a.sh", a), ("a.sh", a)]))
    }

    @Test("a setting's digest covers its name, a file's only its content")
    func inputs() async throws {
        let bench = try StoreBench()
        #expect(bench.store.input("FOO", "1").digest != bench.store.input("BAR", "1").digest)
        #expect(bench.store.input("FOO", "1").digest == bench.store.input("FOO", "1").digest)
        #expect(bench.store.input("a", "bc").digest != bench.store.input("ab", "c").digest)
        try Data("one".utf8).write(to: URL(filePath: bench.path + "/one"))
        try Data("one".utf8).write(to: URL(filePath: bench.path + "/two"))
        let one = try await bench.store.input("one", file: bench.path + "/one")
        #expect(one.digest == (try await bench.store.input("two", file: bench.path + "/two")).digest)
        #expect(one.digest == bench.store.digest(Data("one".utf8)))
    }

    @Test("from a stage that can never be reused on, there are no keys")
    func unusable() throws {
        let bench = try StoreBench()
        let stages = [
            bench.stage("a"), bench.stage("b", unusable: "shell-local reads what it likes"), bench.stage("c"),
        ]
        let keys = stageKeys(stages)
        #expect(keys[0] != nil && keys[1] == nil && keys[2] == nil)
    }

    @Test("another secret gives other digests, and a store keeps its own")
    func secret() throws {
        let (one, other) = (try StoreBench(), try StoreBench())
        let data = Data("password".utf8)
        #expect(one.store.digest(data) != other.store.digest(data))
        #expect(try CheckpointStore(path: one.path).digest(data) == one.store.digest(data))
        let attributes = try FileManager.default.attributesOfItem(atPath: one.path + "/secret")
        #expect((attributes[.posixPermissions] as? Int) == 0o600)
        #expect((attributes[.size] as? Int) == 32)
        // One that was cut is not used.
        try Data("short".utf8).write(to: URL(filePath: one.path + "/secret"))
        let again = try CheckpointStore(path: one.path).digest(data)
        #expect(again != one.store.digest(data))
        #expect(try CheckpointStore(path: one.path).digest(data) == again)
    }

    @Test("several that open a new store at once have the same secret")
    func secretRace() async throws {
        let bench = try StoreBench()
        let path = bench.path + "/new"
        let digests = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<16 { group.addTask { try CheckpointStore(path: path).digest(Data("x".utf8)) } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(digests.count == 1)
    }

    @Test("no input's text is in any file of the store")
    func noText() async throws {
        let bench = try StoreBench()
        let secret = "correct horse battery staple"
        let file = bench.path + "-input"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data((secret + String(repeating: "\(secret)\n", count: 60_000)).utf8).write(to: URL(filePath: file))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -100)], ofItemAtPath: file)
        let stage = Stage(
            title: "t",
            inputs: [
                bench.store.input("environment FOO", secret), try await bench.store.input("a.sh", file: file),
            ])
        try await bench.build([stage])
        _ = try await bench.resolve([stage])
        let all = FileManager.default.enumerator(atPath: bench.path).map { Array($0) } ?? []
        #expect(all.count >= 8)
        for case let name as String in all {
            guard let data = FileManager.default.contents(atPath: bench.path + "/" + name) else { continue }
            #expect(data.range(of: Data("horse".utf8)) == nil, "\(name)")
        }
    }

    @Test("a big file is read once, and again when it changed")
    func cache() async throws {
        let bench = try StoreBench()
        let path = bench.path + "/image.iso"
        try Data(repeating: 7, count: 3 << 20).write(to: URL(filePath: path))
        let first = try await bench.store.digest(file: path)
        #expect(!FileManager.default.fileExists(atPath: bench.path + "/digests.json"), "it was written a moment ago")
        // Its change time has to be some seconds old.
        try await Task.sleep(for: .seconds(3.2))
        #expect(try await bench.store.digest(file: path) == first)
        let document = bench.path + "/digests.json"
        var text = try String(contentsOfFile: document, encoding: .utf8)
        #expect(text.contains(first))
        // Whether the cache is used shows when it lies.
        text = text.replacingOccurrences(of: first, with: String(repeating: "0", count: 64))
        try Data(text.utf8).write(to: URL(filePath: document))
        let second = try CheckpointStore(path: bench.path)
        #expect(try await second.digest(file: path) == String(repeating: "0", count: 64))
        try Data(repeating: 8, count: 3 << 20).write(to: URL(filePath: path))
        let changed = try await second.digest(file: path)
        #expect(changed != first && changed.count == 64 && changed.contains { $0 != "0" })
        try Data("{".utf8).write(to: URL(filePath: document))
        #expect(try await CheckpointStore(path: bench.path).digest(file: path) == changed)
    }

    @Test("a missing file and a folder are refused with a reason")
    func refusals() async throws {
        let bench = try StoreBench()
        await #expect { _ = try await bench.store.digest(file: bench.path + "/none") } throws: {
            "\($0)".contains("No such file")
        }
        await #expect { _ = try await bench.store.digest(file: bench.path) } throws: { "\($0)".contains("regular") }
        #expect { _ = try CheckpointStore(path: "/proc/none/such") } throws: { "\($0)".contains("cache folder") }
    }
}

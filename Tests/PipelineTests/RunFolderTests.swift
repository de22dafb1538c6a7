import Foundation
import Pipeline
import Testing

@Suite("Run folders")
struct RunFolderTests {
    /// A folder that is removed with the test.
    private final class Base {
        let path = NSTemporaryDirectory() + "ingot-runs-\(UUID().uuidString)"
        deinit { try? FileManager.default.removeItem(atPath: path) }
        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
        func read(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }
    }

    private let base = Base()
    private let noon = Date(timeIntervalSince1970: 1_700_000_000)

    private func event(_ kind: Event.Kind, _ text: String) -> Event {
        Event(time: noon, build: "qemu.x", kind: kind, text: text)
    }

    @Test("a provisioner's output is in the log and nowhere else; what happened is in the events as well")
    func onceOnly() throws {
        let folder = try RunFolder(base: base.path, build: "qemu.x", now: noon)
        folder.receive(event(.stepStarted, "Provisioning"))
        folder.receive(event(.guest(isError: false), "output of a script"))
        folder.receive(event(.request, "GET /x 200"))
        folder.receive(event(.installer, "main-menu: text"))
        folder.receive(event(.progress(fraction: 0.5), "downloading"))
        folder.receive(event(.terminalLent, "a shell"))
        let name = base.names[0]
        let log = try base.read(name + "/log.txt")
        #expect(log.split(separator: "\n").count == 4)
        #expect(log.contains("2023-11-14T22:13:20.000Z guest output of a script\n"))
        let events = try base.read(name + "/events.jsonl")
        #expect(events.contains("Provisioning") && events.contains("GET /x 200"))
        #expect(!events.contains("output of a script") && !events.contains("main-menu"))
        #expect(try base.read(name + "/installer.log") == "main-menu: text\n")
        #expect(folder.tail(of: "installer.log", lines: 3) == ["main-menu: text"])
    }

    @Test("a file that grows too long keeps its beginning and its end, in whole lines")
    func bounded() throws {
        try FileManager.default.createDirectory(atPath: base.path, withIntermediateDirectories: true)
        let file = try LineFile(base.path + "/log.txt", limit: 4096)
        for number in 1...5000 { file.write("line \(number)") }
        let lines = try base.read("log.txt").split(separator: "\n").map(String.init)
        #expect(lines.first == "line 1" && lines.last == "line 5000")
        #expect(lines.reduce(0) { $0 + $1.utf8.count + 1 } <= 4096)
        let cut = try #require(lines.firstIndex { $0.contains("left out") })
        #expect(lines.count { $0.contains("left out") } == 1)
        #expect(lines[..<cut].enumerated().allSatisfy { $1 == "line \($0 + 1)" })
        let end = lines[(cut + 1)...]
        #expect(end.enumerated().allSatisfy { $1 == "line \(5001 - end.count + $0)" })
    }

    /// Makes a run folder that nobody uses any more, with so many bytes in it.
    private func addFolder(daysAgo days: Double, bytes: Int = 0) throws -> String {
        let folder = try RunFolder(base: base.path, build: "qemu.x", now: noon.addingTimeInterval(-days * 86400))
        try Data(count: bytes).write(to: URL(filePath: folder.path + "/serial.log"))
        return URL(filePath: folder.path).lastPathComponent
    }

    @Test("old run folders are removed by age, by size and by number; the newest stay")
    func pruning() async throws {
        let names = try (0..<5).map { try addFolder(daysAgo: Double($0) * 10, bytes: 1000) }
        await PruneRunFolders(
            base: base.path, longestAge: .seconds(35 * 86400), mostBytes: 1 << 20, mostFolders: 10
        ).run(now: noon)
        #expect(base.names == names[..<4].sorted())
        await PruneRunFolders(
            base: base.path, longestAge: .seconds(35 * 86400), mostBytes: 3500, mostFolders: 10
        ).run(now: noon)
        #expect(base.names == names[..<3].sorted())
        await PruneRunFolders(
            base: base.path, longestAge: .seconds(35 * 86400), mostBytes: 1 << 20, mostFolders: 1
        ).run(now: noon)
        #expect(base.names == [names[0]])
    }

    @Test("a run folder in use stays, and so does everything that is not a run folder")
    func spared() async throws {
        let running = try RunFolder(base: base.path, build: "qemu.x", now: noon.addingTimeInterval(-1e7))
        for name in ["20200101T000000-notes", "photos"] {
            try FileManager.default.createDirectory(
                atPath: base.path + "/" + name, withIntermediateDirectories: true)
        }
        let before = base.names
        await PruneRunFolders(base: base.path, longestAge: .zero, mostBytes: 0, mostFolders: 0).run(now: noon)
        #expect(base.names == before && before.count == 3)
        withExtendedLifetime(running) {}
    }
}

@Suite("Events as JSON lines")
struct EventJSONTests {
    private func object(_ event: Event) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(event.json.utf8)) as? [String: Any])
    }

    @Test("numbers, booleans, lists and null have their own types")
    func types() throws {
        let event = Event(
            time: Date(timeIntervalSince1970: 0), build: "b",
            kind: .stepFinished(took: .milliseconds(1500), failed: false),
            text: "t",
            fields: ["files": .strings(["a", "b"]), "in_use": .bool(false), "parent": .null, "bytes": .integer(7)])
        #expect(
            event.json == """
                {"build":"b","bytes":7,"event":"step-finished","files":["a","b"],"in_use":false,"parent":null,\
                "seconds":1.5,"text":"t","time":"1970-01-01T00:00:00.000Z"}
                """)
        let progress = Event(time: Date(), build: "b", kind: .progress(fraction: 0.25), text: "downloading")
        #expect(try object(progress)["fraction"] as? Double == 0.25)
    }

    @Test("secrets are replaced in every text of a value")
    func secrets() {
        let hide: (String) -> String = { $0.replacing("secret", with: "***") }
        #expect(JSONValue.string("a secret").mapText(hide) == "a ***")
        #expect(JSONValue.strings(["secret", "x"]).mapText(hide) == .strings(["***", "x"]))
        #expect(JSONValue.integer(1).mapText(hide) == .integer(1))
    }
}

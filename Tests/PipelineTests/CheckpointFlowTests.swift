import Foundation
import Guests
import GuestsTestSupport
import Scopes
import Synchronization
import Templates
import Testing

@testable import Pipeline

@Suite("A build starts at the deepest checkpoint, and starts over where it cannot go on")
struct CheckpointFlowTests {
    private func provisioners(_ words: String...) -> String {
        words.map { "  provisioner \"shell\" {\n    inline = [\"echo \($0)\"]\n  }\n" }.joined()
    }

    private func plan(_ bench: BuildBench, _ words: String) throws -> PlannedBuild {
        try bench.plan(
            source: BuildBench.ssh,
            words.split(separator: " ").map { "  provisioner \"shell\" {\n    inline = [\"echo \($0)\"]\n  }\n" }
                .joined())
    }

    private func scripts(_ guest: FakeGuest) -> [String] {
        guest.calls(.upload).compactMap(\.content).compactMap { text in
            text.split(separator: "\n").last { $0.hasPrefix("echo ") }.map { String($0.dropFirst(5)) }
        }
    }

    /// Starts, freezes and ends of machines, in order.
    private func machines(_ bench: BuildBench) -> [String] {
        bench.host.notes.filter { ["boot", "restore", "freeze", "destroy", "power button"].contains($0) }
    }

    private func built(_ words: String) async throws -> BuildBench {
        let bench = try BuildBench()
        _ = try await bench.build(try plan(bench, words), checkpoints: true)
        #expect(machines(bench) == ["boot", "freeze", "freeze", "freeze", "power button"])
        bench.host.forget()
        return bench
    }

    @Test("only what comes after a change runs again, on the restored machine")
    func resumed() async throws {
        let bench = try await built("one two")
        let guest = FakeGuest()
        let sink = EventList()
        _ = try await bench.build(try plan(bench, "one TWO"), FakeConnector(guest), sink, checkpoints: true)
        #expect(scripts(guest) == ["TWO"])
        #expect(machines(bench) == ["restore", "freeze", "power button"])
        #expect(sink.text.contains("From a checkpoint: install, provisioner 1: shell"))
        #expect(bench.hasImage)
    }

    @Test("the guest's clock is set after each freeze, as after a restore")
    func clock() async throws {
        let bench = try BuildBench()
        let cold = FakeGuest()
        _ = try await bench.build(try plan(bench, "one"), FakeConnector(cold), checkpoints: true)
        #expect(cold.commands.filter { $0.contains("date -u -s") }.count == 2)
        let restored = FakeGuest()
        _ = try await bench.build(try plan(bench, "ONE"), FakeConnector(restored), checkpoints: true)
        #expect(restored.commands.first?.contains("date -u -s") == true)
    }

    @Test("a guest that does not answer after the restore is installed anew")
    func unreachable() async throws {
        let bench = try await built("one two")
        let guest = FakeGuest()
        let sink = EventList()
        let connector = FakeConnector(.failure(GuestError.connectionLost("no answer")), .guest(guest))
        _ = try await bench.build(try plan(bench, "one TWO"), connector, sink, checkpoints: true)
        #expect(sink.text.contains("the machine could not be brought back from its checkpoint"))
        #expect(scripts(guest) == ["one", "TWO"])
        #expect(machines(bench).prefix(3) == ["restore", "destroy", "boot"] && bench.hasImage)
    }

    @Test("a guest that refuses the login after the restore fails the build: another installation would refuse it too")
    func refused() async throws {
        let bench = try await built("one two")
        let connector = FakeConnector(.failure(GuestError.loginRefused(tried: ["password"], offered: [])))
        await #expect(throws: BuildError.self) {
            try await bench.build(try plan(bench, "one TWO"), connector, checkpoints: true)
        }
        #expect(machines(bench) == ["restore", "destroy"])
    }

    @Test("a checkpoint that turns out to be damaged while the machine works is not used again")
    func damaged() async throws {
        let bench = try await built("one two")
        // The disks of all checkpoints, behind the header where QEMU does not look, with their sizes and times as they were.
        let store = bench.path + "/store"
        for name in try FileManager.default.subpathsOfDirectory(atPath: store) where name.hasSuffix("/disk-0") {
            let path = store + "/" + name
            let modified = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
            var status = stat()
            #expect(stat(path, &status) == 0)
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            try file.seek(toOffset: 61440)
            try file.write(contentsOf: Data([0x2A]))
            try file.close()
            var times = [status.st_atim, status.st_mtim]
            #expect(utimensat(AT_FDCWD, path, &times, 0) == 0 && modified != nil)
        }
        let guest = FakeGuest()
        let sink = EventList()
        _ = try await bench.build(try plan(bench, "one TWO"), FakeConnector(guest), sink, checkpoints: true)
        #expect(sink.text.contains("the checkpoint that the machine came from is damaged"), "\(sink.text)")
        #expect(machines(bench).contains("boot") && bench.hasImage)
    }

    @Test("of two builds of the same stages one runs them, and the other goes on from its checkpoint")
    func doneElsewhere() async throws {
        let bench = try BuildBench()
        let (first, second) = (FakeGuest(), FakeGuest())
        let waiting = EventList()
        let connector = FakeConnector(.after({ await waiting.received("Another build is running") }, first))
        let one = try plan(bench, "one")
        let other = try bench.plan(
            source: BuildBench.ssh, output: "out2", provisioners("one", "more"))
        async let leading = bench.build(one, connector, checkpoints: true)
        await bench.sink.received("Waiting for SSH")
        _ = try await bench.build(other, FakeConnector(second), waiting, checkpoints: true)
        _ = try await leading
        #expect(waiting.text.contains("another build has finished this stage"))
        #expect(scripts(first) == ["one"])
        #expect(machines(bench).filter { $0 == "boot" }.count == 1)
        #expect(scripts(second).last == "more")
    }

    @Test("--until stops after the stage, makes no image, and has nothing to do the next time")
    func until() async throws {
        let bench = try BuildBench()
        let guest = FakeGuest()
        let artifacts = try await bench.build(
            try plan(bench, "one two"), FakeConnector(guest), checkpoints: true, until: "1")
        #expect(artifacts.isEmpty && !bench.hasImage && scripts(guest) == ["one"])
        #expect(machines(bench) == ["boot", "freeze", "freeze", "destroy"])
        bench.host.forget()
        let sink = EventList()
        _ = try await bench.build(try plan(bench, "one two"), FakeConnector(guest), sink, checkpoints: true, until: "1")
        #expect(machines(bench) == [] && sink.text.contains("There is a checkpoint of provisioner 1: shell already."))
        #expect(try bench.leftovers == [])
    }

    @Test("a machine whose memory cannot be restored is booted from the disks of the checkpoint")
    func withoutMemory() async throws {
        let bench = try await built("one two")
        bench.host.failRestoring(with: Reason(text: "the memory is of another machine"))
        let guest = FakeGuest()
        let sink = EventList()
        _ = try await bench.build(try plan(bench, "one TWO"), FakeConnector(guest), sink, checkpoints: true)
        #expect(sink.text.contains("so its disks are booted: the memory is of another machine"), "\(sink.text)")
        #expect(scripts(guest) == ["TWO"] && machines(bench) == ["boot", "freeze", "power button"])
    }

    @Test("-on-error=ask: “r” goes back to the checkpoint before the failed provisioner")
    func retry() async throws {
        let bench = try BuildBench()
        let (first, second) = (FakeGuest(), FakeGuest())
        first.on(.upload, "", .failure(GuestError.other("no room")), times: 1)
        let questions = Mutex<[String]>([])
        _ = try await bench.build(
            try plan(bench, "one"), FakeConnector(.guest(first), .guest(second)), onError: .ask, checkpoints: true,
            ask: { question in
                questions.withLock { $0.append(question) }
                return "r"
            })
        #expect(questions.withLock { $0 }.map { $0.contains("retry from the checkpoint before it") } == [true])
        #expect(machines(bench) == ["boot", "freeze", "destroy", "restore", "freeze", "power button"])
        #expect(scripts(second) == ["one"] && bench.sink.text.contains("trying again from the last checkpoint"))
    }
}

@Suite("The names of stages")
struct StageNameTests {
    private func error(_ name: String) throws -> String {
        let bench = try BuildBench()
        let plan = try bench.plan(
            source: BuildBench.ssh,
            """
              provisioner "shell" {
                name   = "packages"
                inline = ["true"]
              }
              provisioner "shell" {
                inline = ["true"]
              }
            """)
        do {
            _ = try BuildStages.index(of: name, in: plan)
            return ""
        } catch { return "\(error)" }
    }

    @Test("a stage is its number, its name, or its type where only one has it")
    func found() throws {
        for name in ["install", "1", "2", "packages", "provisioner 2", "provisioner 2: shell"] {
            #expect(try error(name) == "", "\(name)")
        }
    }

    @Test("a name that no stage has is an error with the one that was meant, and the list")
    func unknown() throws {
        let text = try error("pakages")
        #expect(text.contains("Did you mean “packages”?"))
        #expect(text.contains("install, provisioner 1: packages (shell), provisioner 2: shell"))
        #expect(try error("nosuch").contains("Did you mean") == false)
        #expect(try error("shell").contains("2 of its provisioners are called that"))
        #expect(try error("3").contains("no stage of that name"))
    }

    @Test("a run with a stage that a build does not have ends before anything starts")
    func beforeAnything() async throws {
        let bench = try BuildBench()
        let plan = try bench.plan(source: BuildBench.ssh, "")
        let options = CheckpointOptions(until: "nosuch", store: bench.path + "/store")
        let builds = RunBuilds(
            plan: Plan(builds: [plan], secrets: []), context: bench.context(force: false),
            options: BuildOptions(onError: .cleanup, connectURI: nil, checkpoints: options),
            engine: Engine(connectURI: nil, environment: [:], host: bench.host), parallelBuilds: 0,
            sinks: [bench.sink], attendant: Attendant(onError: .cleanup, pausesBetweenSteps: false, ask: nil),
            runsDirectory: bench.path + "/runs")
        await #expect(throws: BuildError.self) { try await builds.run() }
        #expect(bench.sink.events.isEmpty && bench.host.notes.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: bench.path + "/runs"))
    }
}

import Foundation
import Testing

@Suite("a person at the terminal works with checkpoints", .serialized)
struct CheckpointTerminalTests {
    private static let question = "[s] open a shell in the machine, or [r] retry from the checkpoint before it? "
    private static let ask = ["build", "-color=false", "-force", "-on-error=ask", "t.pkr.hcl"]

    @Test("-on-error=ask: a look into the machine, an edited script, and only that is run again")
    func retry() async throws {
        let bench = try CheckpointBench()
        try bench.write(bench.stage(1, "one"), "provisioner \"shell\" {\n script = \"second.sh\"\n}\n")
        try bench.bench.write(bench.stageScript(2, "wrong", then: "exit 3"), to: "second.sh")
        let ingot = try bench.start(Self.ask, atTerminal: true)
        try #require(try await ingot.waitFor(Self.question), "\(ingot.output)")
        try ingot.type("s\n")
        try #require(try await ingot.waitFor("~ # "), "\(ingot.output)")
        try ingot.type("echo seen $((6 * 7)); exit\n")
        try #require(try await ingot.waitFor(Self.question, times: 2), "\(ingot.output)")
        #expect(ingot.output.contains("seen 42"))
        try bench.bench.write(bench.stageScript(2, "right"), to: "second.sh")
        try ingot.type("r\n")
        let run = try await ingot.finish()
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("trying again from the last checkpoint"))
        #expect(run.output.count(of: "ran 1 1") == 1 && run.output.count(of: "ran 12 12") == 2)
        let image = try await ImageContent(bench.path + "/" + bench.image)
        #expect([image[1], image[2], image[40]] == ["one", "right", "12"])
        try await bench.expectClean()
    }

    @Test("-on-error=ask: what is cleaned up is gone, what is aborted keeps running, and neither harms the next build")
    func cleanUpAndAbort() async throws {
        let bench = try CheckpointBench()
        try bench.write(bench.stage(1, "one"), bench.stage(2, "wrong", then: "exit 3"))
        let first = try bench.start(Self.ask, atTerminal: true)
        try #require(try await first.waitFor(Self.question), "\(first.output)")
        try first.type("c\n")
        let cleaned = try await first.finish()
        #expect(cleaned.status == 1)
        try await bench.expectClean()

        let second = try bench.start(Self.ask, atTerminal: true)
        try #require(try await second.waitFor(Self.question), "\(second.output)")
        #expect(second.output.contains("From a checkpoint: install, provisioner 1: shell ("))
        try second.type("a\n")
        let aborted = try await second.finish()
        #expect(aborted.status == 1)
        #expect(aborted.output.contains("keeps running (process"), "\(aborted.output)")
        let left = bench.machines
        #expect(left.count == 1)
        defer { for pid in left { kill(pid, SIGKILL) } }

        try bench.write(bench.stage(1, "one"), bench.stage(2, "right"))
        let run = try await bench.build()
        #expect(run.output.contains("From a checkpoint: install, provisioner 1: shell ("))
        // It still runs, on layers that are still there.
        #expect(bench.machines == left)
        let open = try left.flatMap { pid in
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap {
                try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)")
            }
        }.filter { $0.hasPrefix(bench.store) }
        #expect(!open.isEmpty && open.allSatisfy { !$0.hasSuffix("(deleted)") }, "\(open)")
    }

    @Test("ingot shell opens a machine from any checkpoint, and throws it away")
    func shell() async throws {
        let bench = try CheckpointBench()
        try bench.write(bench.stage(1, "one"), bench.stage(2, "two"))
        let never = try await bench.ingot("shell", "t.pkr.hcl", "1")
        #expect(never.status == 1 && never.output.contains("there is no checkpoint of it"), "\(never.output)")
        try await bench.build()
        for (stage, ran) in [(["1"], "ran 1."), ([], "ran 12.")] {
            let ingot = try bench.start(["shell", "-color=false", "t.pkr.hcl"] + stage, atTerminal: true)
            try #require(try await ingot.waitFor("~ # "), "\(ingot.output)")
            try ingot.type("echo ran $(cat /tmp/ran).; touch /tmp/trace; exit\n")
            let run = try await ingot.finish()
            #expect(run.status == 0 && run.output.contains(ran), "\(run.output)")
            #expect(!run.output.contains("Provisioner"))
        }
        try await bench.expectClean()
    }

    @Test("--watch builds again when a file changes, after a failure too, and Ctrl-C ends it")
    func watch() async throws {
        let bench = try CheckpointBench()
        try bench.write(bench.stage(1, "one"), "provisioner \"shell\" {\n script = \"second.sh\"\n}\n")
        try bench.bench.write(bench.stageScript(2, "two"), to: "second.sh")
        let ingot = try bench.start(["build", "-color=false", "-force", "--watch", "t.pkr.hcl"])
        try #require(try await ingot.waitFor("Watching "), "\(ingot.output)")
        try bench.bench.write(bench.stageScript(2, "wrong", then: "exit 3"), to: "second.sh")
        try #require(try await ingot.waitFor("Watching ", times: 2), "\(ingot.output)")
        #expect(ingot.output.contains("second.sh has changed.") && ingot.output.contains("exit status 3"))
        #expect(try await ImageContent(bench.path + "/" + bench.image)[2] == "two")
        try bench.bench.write(bench.stageScript(2, "TWO"), to: "second.sh")
        try #require(try await ingot.waitFor("Watching ", times: 3), "\(ingot.output)")
        ingot.send(SIGINT)
        let run = try await ingot.finish(minutes: 1)
        #expect(run.status == 130)
        #expect(run.output.count(of: "ran 1 1") == 1 && run.output.count(of: "ran 12 12") == 3)
        #expect(try await ImageContent(bench.path + "/" + bench.image)[2] == "TWO")
        try await bench.expectClean()
    }
}

import Foundation
import Testing

@Suite("checkpoints survive what becomes of the program and of its store", .serialized)
struct CheckpointKillTests {
    @Test("after kill -9, Ctrl-C or SIGTERM at any moment the next build works, and nothing is left of the one before")
    func ends() async throws {
        let bench = try CheckpointBench(ownStore: "store")
        func write(_ turn: Int) throws {
            try bench.write(bench.stage(1, "one-\(turn)"), bench.stage(2, "two-\(turn)"))
        }
        try write(0)
        try await bench.build("--until", "install")
        // Moments that the program tells, and those after them.
        let moments = [
            "Fetching the medium", "Serving files", "From a checkpoint", "Restoring the machine", "Reaching the guest",
            "Connected to SSH", "Provisioner 1 of 2", "ran 1 1", "Provisioner 2 of 2", "ran 12 12", "Shutting down",
            "Finishing the disk", "Moving the image",
        ]
        for turn in 1...20 {
            try write(turn)
            let ingot = try bench.start(["build", "-color=false", "-force", "t.pkr.hcl"])
            #expect(try await ingot.waitFor(moments[turn % moments.count]), "\(ingot.output)")
            try await Task.sleep(for: .milliseconds(turn % 2 == 0 ? Int.random(in: 0...900) : 0))
            ingot.send(SIGKILL)
            _ = try await ingot.finish(minutes: 1)
            let listed = try await bench.checkpoints()
            #expect(listed.allSatisfy { $0.damage.isEmpty }, "killed at \(moments[turn % moments.count])")
            #expect(listed.contains { $0.stage == "install" })
        }
        // While it keeps its first checkpoint, or thereabouts. It cleans up by itself.
        for (turn, signal) in [SIGINT, SIGTERM, SIGINT].enumerated() {
            try write(100 + turn)
            let ingot = try bench.start(["build", "-color=false", "-force", "t.pkr.hcl"])
            #expect(try await ingot.waitFor("ran 1 1"), "\(ingot.output)")
            try await Task.sleep(for: .milliseconds(200 * turn))
            ingot.send(signal)
            #expect(try await ingot.finish(minutes: 2).status == 128 + signal)
            try await bench.expectClean()
            #expect(try await bench.checkpoints().allSatisfy { $0.damage.isEmpty })
        }
        try write(21)
        let run = try await bench.build()
        #expect(run.output.contains("From a checkpoint: install (") && run.output.contains("ran 12 12"))
        let image = try await ImageContent(bench.path + "/" + bench.image)
        #expect([image[1], image[2], image[40]] == ["one-21", "two-21", "12"])
        try await bench.expectClean()
    }

    @Test(
        "a store without room costs the checkpoints, not the build", .enabled(if: geteuid() == 0),
        arguments: [
            ("40M", 0, "checkpoints are neither used nor kept: "), ("1M", 1 << 20, "no checkpoints are kept: "),
        ])
    func fullStore(_ size: String, _ filling: Int, _ warning: String) async throws {
        let bench = try CheckpointBench(ownStore: "store")
        try FileManager.default.createDirectory(atPath: bench.store, withIntermediateDirectories: true)
        let mount = try await command("mount", ["-t", "tmpfs", "-o", "size=\(size)", "none", bench.store])
        try #require(mount.status == 0, "\(mount.output)")
        do {
            // It ends where the room ends.
            try? Data(count: filling).write(to: URL(filePath: bench.store + "/filling"))
            // More than there is room for, were it to lie in the store.
            let much = "dd if=/dev/urandom of=/dev/vda bs=1M seek=1 count=60 2>/dev/null; sync"
            try bench.write(bench.stage(1, "one", then: much), bench.stage(2, "two"))
            let run = try await bench.build()
            #expect(run.output.contains("Warning: \(warning)"), "\(run.output)")
            let image = try await ImageContent(bench.path + "/" + bench.image)
            #expect([image[1], image[2], image[40]] == ["one", "two", "12"])
            #expect(bench.machines.isEmpty)
        } catch {
            _ = try await command("umount", ["-l", bench.store])
            throw error
        }
        _ = try await command("umount", ["-l", bench.store])
    }
}

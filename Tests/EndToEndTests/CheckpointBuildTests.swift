import Foundation
import Testing

@Suite("ingot starts a build at the last stage that has not changed", .serialized)
struct CheckpointBuildTests {
    @Test("only what comes after a change is run again, and the image is whole and stands alone")
    func editedProvisioner() async throws {
        let bench = try CheckpointBench(ownStore: "store")
        func write(_ second: String) throws {
            try bench.bench.write(bench.stageScript(2, second), to: "second.sh")
            try bench.write(
                bench.stage(1, "one"), "provisioner \"shell\" {\n script = \"second.sh\"\n}\n",
                bench.stage(3, "three", on: "vdb"))
        }
        try write("two")
        let first = try await bench.build()
        #expect(first.output.contains("install runs: there is no checkpoint yet"))
        for text in ["ran 1 1", "ran 12 12", "ran 123 123"] { #expect(first.output.contains(text), "\(text)") }

        try write("TWO")
        let second = try await bench.build()
        #expect(second.output.contains("From a checkpoint: install, provisioner 1: shell"))
        #expect(second.output.contains("provisioner 2: shell runs: second.sh changed"))
        #expect(!second.output.contains("ran 1 1") && !second.output.contains("Typing the boot command"))
        // Once each in the life of this machine, which has forgotten nothing.
        for text in ["ran 12 12", "ran 123 123"] { #expect(second.output.contains(text), "\(second.output)") }

        let third = try await bench.build()
        #expect(third.output.contains("From a checkpoint: install, provisioner 1: shell, provisioner 2: shell, prov"))
        #expect(!third.output.contains("ran "))
        try await bench.expectClean()
        #expect(try await bench.checkpoints().allSatisfy { $0.damage.isEmpty })

        // Nothing of it lies in the store.
        try FileManager.default.removeItem(atPath: bench.store)
        let main = try await ImageContent(bench.path + "/" + bench.image)
        #expect([main[1], main[2], main[40]] == ["one", "TWO", "123"])
        let other = try await ImageContent(bench.path + "/\(bench.image)-1")
        #expect(other[3] == "three")
        for image in [main, other] {
            #expect(!image.hasBackingFile && image.information.contains("file format: qcow2"))
        }
    }

    @Test("layers that are not compacted become one image, too; --fresh-from runs what it says")
    func skippedCompaction() async throws {
        let bench = try CheckpointBench()
        try bench.write(source: "  skip_compaction = true", bench.stage(1, "one"), bench.stage(2, "two", on: "vdb"))
        try await bench.build()
        try bench.write(source: "  skip_compaction = true", bench.stage(1, "one"), bench.stage(2, "TWO", on: "vdb"))
        try await bench.build()
        let (main, other) = try await (
            ImageContent(bench.path + "/" + bench.image), ImageContent(bench.path + "/\(bench.image)-1")
        )
        #expect(main[1] == "one" && other[2] == "TWO")
        #expect(!main.hasBackingFile && !other.hasBackingFile)
        // What changes no stage runs none.
        try bench.write(source: "  ssh_timeout = \"5m\"", bench.stage(1, "one"), bench.stage(2, "TWO", on: "vdb"))
        #expect(!(try await bench.build().output.contains("ran ")))
        let fresh = try await bench.build("--fresh-from", "2")
        #expect(!fresh.output.contains("ran 1 1") && fresh.output.contains("ran 12 12"))
        #expect(fresh.output.contains("provisioner 2: shell runs: --fresh-from"))
        try await bench.expectClean()
    }

    @Test("a raw image is made of raw and layered disks")
    func rawFormat() async throws {
        let bench = try CheckpointBench(ownStore: "store")
        let source = "  format = \"raw\"\n  disk_size = \"16M\""
        try bench.write(source: source, bench.stage(1, "one"), bench.stage(2, "two"))
        try await bench.build()
        try bench.write(
            source: source, bench.stage(1, "one"), bench.stage(2, "TWO"), bench.stage(3, "three", on: "vdb"))
        let run = try await bench.build()
        #expect(run.output.contains("From a checkpoint: install, provisioner 1"))
        try FileManager.default.removeItem(atPath: bench.store)
        let image = try #require(FileManager.default.contents(atPath: bench.path + "/" + bench.image))
        #expect(image.count == 16 << 20)
        #expect(image.dropFirst(1024).prefix(4) == Data("TWO\0".utf8))
        #expect(image.dropFirst(512).prefix(4) == Data("one\0".utf8))
        #expect(try await ImageContent(bench.path + "/\(bench.image)-1")[3] == "three")
    }
}

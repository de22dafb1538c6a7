import Foundation
import Testing

@Suite("builds share what they have in common", .serialized)
struct CheckpointSharingTests {
    @Test("two builds of one run with the same installation install once", arguments: ["0", "1"])
    func oneRun(_ parallel: String) async throws {
        let bench = try CheckpointBench(ownStore: "store")
        try writeTwo(bench)
        let run = try await bench.build("-parallel-builds=\(parallel)")
        #expect(run.output.count(of: "Typing the boot command") == 1, "\(run.output)")
        #expect(run.output.count(of: "qemu.second: From a checkpoint: install, prov") == (parallel == "1" ? 1 : 0))
        try await expectBoth(bench)
    }

    @Test("two programs that build the same template at once install once")
    func twoPrograms() async throws {
        let bench = try CheckpointBench(ownStore: "store")
        try bench.write(bench.stage(1, "one"), bench.stage(2, "two"))
        let template = try bench.bench.read("t.pkr.hcl")
        try bench.bench.write(
            template.replacing("vm_name =", with: "output_directory = \"other\"\n  vm_name ="), to: "other.pkr.hcl")
        let both = try ["t.pkr.hcl", "other.pkr.hcl"].map { try bench.start(["build", "-color=false", $0]) }
        var output = ""
        for ingot in both {
            let run = try await ingot.finish()
            #expect(run.status == 0, "\(run.output)")
            output += run.output
        }
        #expect(output.count(of: "Typing the boot command") == 1, "\(output)")
        #expect(output.contains("Another build is running the same stage (install); waiting for its checkpoint"))
        for image in [bench.image, "other/\(bench.id)"] {
            let content = try await ImageContent(bench.path + "/" + image)
            #expect([content[1], content[2], content[40]] == ["one", "two", "12"])
        }
        try await bench.expectClean()
    }

    @Test("when the build that others wait for fails, one of them does the work")
    func failingFirst() async throws {
        let bench = try CheckpointBench()
        try bench.write(bench.stage(1, "one", then: "test -e /tmp/wanted"))
        let failed = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(failed.status == 1)
        // Nothing is kept of a stage that failed.
        let again = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(again.status == 1 && again.output.contains("ran 1 1"), "\(again.output)")
        try await bench.expectClean()
    }

    private func writeTwo(_ bench: CheckpointBench) throws {
        try bench.write(bench.stage(1, "one"), bench.stage(2, "two"))
        let second = """
              source "source.qemu.guest" {
                name             = "second"
                vm_name          = "\(bench.id)-second"
                output_directory = "output-second"
              }
            """
        let template = try bench.bench.read("t.pkr.hcl").replacing("vm_name = \"\(bench.id)\"", with: "")
        let first = second.replacing("second", with: "first").replacing("output-first", with: "output-guest")
            .replacing("\(bench.id)-first", with: bench.id)
        try bench.bench.write(
            template.replacing("  sources = [\"source.qemu.guest\"]", with: first + "\n" + second), to: "t.pkr.hcl")
    }

    private func expectBoth(_ bench: CheckpointBench) async throws {
        for image in [bench.image, "output-second/\(bench.id)-second"] {
            let content = try await ImageContent(bench.path + "/" + image)
            #expect([content[1], content[2], content[40]] == ["one", "two", "12"], "\(image)")
            #expect(!content.hasBackingFile)
        }
        try await bench.expectClean()
    }
}

import Foundation
import Testing

@Suite("checkpoints are kept, used and removed as the command line says", .serialized)
struct CheckpointFlagTests {
    private static let secret = "Tr0ub4dor-and-3"

    /// Stages: install, 1 "alpha", 2 shell, 3 file (a download), 4 shell "omega".
    private func template(_ bench: Workbench) throws {
        let template = try Guest.template(
            parameters: "answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answer",
            source: "  http_content = { \"/answer\" = var.secret }",
            build: shell(
                "test \"$SECRET\" = \"$(cat /tmp/answer)\"", "name = \"alpha\"\n env = { SECRET = var.secret }")
                + shell("echo made >/tmp/proof") + """
                      provisioner "file" {
                        source      = "/tmp/proof"
                        destination = "out/"
                        direction   = "download"
                      }

                    """ + shell("echo the last stage runs", "name = \"omega\""))
        try bench.write(
            "variable \"secret\" {\n sensitive = true\n default = \"\(Self.secret)\"\n}\n" + template,
            to: "t.pkr.hcl")
    }

    private func status(_ bench: Workbench, _ flags: [String] = [], _ environment: [String: String] = [:]) async throws
        -> StageReport
    {
        let run = try await ingot(bench, ["checkpoints", "status"] + flags + ["t.pkr.hcl"], environment)
        return StageReport(run.output)
    }

    private func ingot(
        _ bench: Workbench, _ arguments: [String], _ environment: [String: String] = [:]
    ) async throws -> IngotRun {
        try await RunningIngot(
            arguments, in: bench.path, environment: ["CI": ""].merging(environment) { $1 }
        ).finish()
    }

    private func stored(_ bench: Workbench) -> [String] {
        let names =
            (try? FileManager.default.contentsOfDirectory(atPath: bench.path + "/cache/ingot/checkpoints")) ?? []
        return names.filter { name in bench.exists("cache/ingot/checkpoints/\(name)/checkpoint.json") }
    }

    @Test("a build goes stage by stage where --until says so; CI and --no-checkpoints keep nothing")
    func flags() async throws {
        let bench = try Workbench()
        try template(bench)

        // In CI nothing is kept, and --until has nothing to keep.
        let inCI = try await ingot(bench, ["build", "--until", "install", "t.pkr.hcl"], ["CI": "true"])
        #expect(inCI.status == 1 && inCI.output.contains("CI is set; --checkpoints turns them on"), "\(inCI.output)")
        let statusInCI = try await status(bench, [], ["CI": "true"])
        #expect(statusInCI.output.contains("no checkpoints: CI is set"), "\(statusInCI.output)")
        let other = try Workbench()
        try template(other)
        let without = try RunningIngot(
            ["build", "--no-checkpoints", "t.pkr.hcl"], in: other.path, environment: ["CI": ""])

        // One stage, although it is CI.
        let first = try await ingot(
            bench, ["build", "--checkpoints", "--until", "install", "t.pkr.hcl"], ["CI": "true"])
        #expect(first.status == 0 && stored(bench).count == 1, "\(first.output)")
        #expect(!bench.names.contains { $0.contains("output-guest") })
        let again = try await ingot(bench, ["build", "--until", "install", "t.pkr.hcl"])
        #expect(again.status == 0 && again.output.contains("a checkpoint of install already"), "\(again.output)")

        // The next by its name, and the one after that by its number.
        let second = try await ingot(bench, ["build", "--until", "alpha", "t.pkr.hcl"])
        #expect(second.status == 0 && second.output.contains("From a checkpoint: install"), "\(second.output)")
        #expect(stored(bench).count == 2 && !bench.exists("output-guest"))
        let third = try await ingot(bench, ["build", "--until", "2", "t.pkr.hcl"])
        #expect(third.status == 0 && stored(bench).count == 3 && !bench.exists("output-guest"), "\(third.output)")

        let wholeWithout = try await without.finish()
        #expect(wholeWithout.status == 0 && stored(other).isEmpty, "\(wholeWithout.output)")
        #expect(other.exists("output-guest/packer-guest"))

        // To the end.
        let whole = try await ingot(bench, ["build", "t.pkr.hcl"])
        #expect(whole.status == 0 && bench.exists("output-guest/packer-guest"), "\(whole.output)")
        #expect(whole.output.contains("the last stage runs"))
        #expect(stored(bench).count == 4)
        #expect(try await status(bench).first == nil)

        try await choose(bench)
        try await download(bench)
        try await secrets(bench)
        try await remove(bench)
    }

    private func choose(_ bench: Workbench) async throws {
        // The download before the last stage has no checkpoint of its own.
        for (name, index) in [
            ("install", 0), ("alpha", 1), ("1", 1), ("2", 2), ("file", 3), ("provisioner 3", 3), ("omega", 3),
        ] {
            let report = try await status(bench, ["--fresh-from", name])
            #expect(report.first == index && report.reason.contains("--fresh-from"), "\(report.output)")
        }
        for flag in ["--fresh-from", "--until"] {
            let report = try await status(bench, [flag, "nonsense"])
            #expect(
                report.output.contains(
                    "install, provisioner 1: alpha (shell), provisioner 2: shell, provisioner 3: file, "
                        + "provisioner 4: omega (shell)"),
                "\(report.output)")
        }
        // Two have this type; one has it alone.
        #expect(try await status(bench, ["--fresh-from", "shell"]).stages.isEmpty)

        let old = try await status(bench, ["--max-age", "1s"])
        #expect(old.first == 0 && old.reason.contains("(--max-age 1s)"), "\(old.output)")
        #expect(try await status(bench, ["--max-age", "1h"]).first == nil)
        #expect(try await status(bench, ["--max-age", "0"]).first == nil)
        let wrong = try await ingot(bench, ["checkpoints", "status", "--max-age", "old", "t.pkr.hcl"])
        #expect(wrong.status == 2 && wrong.output.contains("“old”"), "\(wrong.output)")
    }

    private func download(_ bench: Workbench) async throws {
        #expect(try bench.read("out/proof") == "made\n")
        try bench.write("other", to: "out/proof")
        let changed = try await status(bench)
        #expect(changed.first == 3 && changed.reason.contains("was changed"), "\(changed.output)")
        try FileManager.default.removeItem(atPath: bench.path + "/out/proof")
        let gone = try await status(bench)
        #expect(gone.first == 3 && gone.reason.contains("is missing"), "\(gone.output)")
        let run = try await ingot(bench, ["build", "-force", "t.pkr.hcl"])
        #expect(run.status == 0 && run.output.contains("the last stage runs"), "\(run.output)")
        #expect(try bench.read("out/proof") == "made\n")
        #expect(try await status(bench).first == nil)
    }

    private func secrets(_ bench: Workbench) async throws {
        let store = bench.path + "/cache/ingot/checkpoints"
        let names = try FileManager.default.subpathsOfDirectory(atPath: store)
        var texts = names
        for name in names where name.hasSuffix(".json") {
            texts.append(try bench.read("cache/ingot/checkpoints/" + name))
        }
        #expect(texts.contains { $0.contains("environment SECRET") && $0.contains("http_content") == false })
        #expect(texts.contains { $0.contains("http_content /answer") || $0.contains("http_content \\/answer") })
        #expect(!texts.contains { $0.contains(Self.secret) })
    }

    private func remove(_ bench: Workbench) async throws {
        let list = try await ingot(bench, ["checkpoints"])
        for text in ["install", "provisioner 1: alpha", "provisioner 2: shell", "provisioner 4: omega", "in total"] {
            #expect(list.output.contains(text), "\(list.output)")
        }
        let id = try #require(list.output.split(separator: "\n").first { $0.contains("alpha") }?.prefix(8))
        let shown = try await ingot(bench, ["checkpoints", "show", String(id)])
        #expect(shown.output.contains("environment SECRET") && shown.output.contains("parent:"), "\(shown.output)")
        let unknown = try await ingot(bench, ["checkpoints", "show", "nonsense"])
        #expect(unknown.status == 2 && unknown.output.contains("There is no checkpoint nonsense"), "\(unknown.output)")

        // Checkpoints that depend on it are removed with it.
        let removed = try await ingot(bench, ["checkpoints", "remove", String(id)])
        #expect(removed.status == 0 && removed.output.contains("provisioner 4: omega"), "\(removed.output)")
        #expect(stored(bench).count == 1)
        let left = try await status(bench)
        #expect(left.first == 1, "\(left.output)")
        let recent = try await ingot(bench, ["checkpoints", "prune", "--older-than", "1h"])
        #expect(recent.output.contains("Nothing to remove."), "\(recent.output)")

        // A build keeps no checkpoint if there is no room for one.
        let small = try await ingot(
            bench, ["build", "-force", "--until", "alpha", "t.pkr.hcl"], ["INGOT_CHECKPOINTS_SIZE": "1M"])
        #expect(small.status == 0, "\(small.output)")
        #expect(stored(bench).isEmpty)
        let pruned = try await ingot(bench, ["checkpoints", "prune", "--all"])
        #expect(pruned.status == 0, "\(pruned.output)")
        #expect(try await ingot(bench, ["checkpoints", "list"]).output.contains("There are no checkpoints."))
        let wrong = try await ingot(bench, ["build", "-force", "t.pkr.hcl"], ["INGOT_CHECKPOINTS_SIZE": "much"])
        #expect(wrong.status == 2 && wrong.output.contains("“much”"), "\(wrong.output)")
    }

    @Test("what is edited while its stage runs is not kept; what a build puts into the folder it serves is no input")
    func edited() async throws {
        let bench = try Workbench()
        let script = "echo it works; sleep 4\n"
        try bench.write(script, to: "slow.sh")
        try bench.write("answer", to: "www/answer")
        try bench.write(
            Guest.template(
                source: """
                      http_directory = "www"
                      output_directory = "www/out"
                      format = "raw"
                      disk_size = "16M"
                    """,
                build: shell("true") + "provisioner \"shell\" {\n script = \"slow.sh\"\n}\n"
                    + shell("echo after | dd of=/dev/vda bs=512 conv=sync 2>/dev/null; sync")),
            to: "t.pkr.hcl")
        let running = try RunningIngot(["build", "t.pkr.hcl"], in: bench.path, environment: ["CI": ""])
        #expect(try await running.waitFor("it works"))
        try bench.write("echo other\n", to: "slow.sh")
        let run = try await running.finish()
        #expect(run.status == 0 && run.output.contains("was changed meanwhile"), "\(run.output)")
        #expect(!run.output.contains("Warning: no checkpoint") && stored(bench).count == 2, "\(run.output)")
        // The machine went on, and so does the image.
        let image = FileManager.default.contents(atPath: bench.path + "/www/out/packer-guest")
        #expect(image?.prefix(5) == Data("after".utf8))
        // Whichever of the two it was, it is run again.
        #expect(try await status(bench).first == 2)
        try bench.write(script, to: "slow.sh")
        let report = try await status(bench)
        #expect(report.first == 2 && report.stages.count == 4, "\(report.output)")
    }
}

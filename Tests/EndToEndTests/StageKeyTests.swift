import Foundation
import Testing

@Suite("a build runs again what was changed, and nothing else", .serialized)
struct StageKeyTests {
    @Test("a build keeps its stages, and the next one has nothing to run")
    func built() async throws {
        let bench = try await StageBench.built.value
        let build = bench.build
        #expect(build.status == 0, "\(build.output)")
        #expect(!build.output.contains("no checkpoint is kept"), "\(build.output)")
        let report = try await bench.status([StageBench.name])
        #expect(report.stages.count == 10 && report.first == nil, "\(report.output)")
    }

    @Test("of the installation", arguments: StageChange.ofInstall)
    func install(_ change: StageChange) async throws { try await check(change) }

    @Test("of the seeds", arguments: StageChange.ofSeeds)
    func seeds(_ change: StageChange) async throws { try await check(change) }

    @Test("of the provisioners", arguments: StageChange.ofProvisioners)
    func provisioners(_ change: StageChange) async throws { try await check(change) }

    @Test("of the variables", arguments: StageChange.ofVariables)
    func variables(_ change: StageChange) async throws { try await check(change) }

    @Test("what decides no result", arguments: StageChange.ofNothing)
    func nothing(_ change: StageChange) async throws { try await check(change) }

    private func check(_ change: StageChange) async throws {
        let report = try await StageBench.built.value.report(on: change)
        #expect(report.stages.count >= 9, "\(report.output)")
        #expect(report.first == change.first, "\(report.output)")
        #expect(report.isChain, "\(report.output)")
        #expect(change.reason.isEmpty || report.reason.contains(change.reason), "\(report.output)")
    }

    @Test("another medium is another installation")
    func medium() async throws {
        let report = try await StageBench.built.value.reportOnOtherMedium()
        #expect(report.first == 0 && report.reason.contains("the installation medium changed"), "\(report.output)")
    }

    @Test("the medium's content is what counts: not its place, nor the checksum in the template")
    func mediumElsewhere() async throws {
        let bench = try await StageBench.built.value
        let iso = try Guest.iso.get()
        let moved = try await bench.report(on: .same("", "\"medium.iso\"", quoted(iso)))
        #expect(moved.first == nil, "\(moved.output)")
        let sum = try await command("sha256sum", [iso]).output.prefix(64)
        let checked = try await bench.report(on: .same("", "\"none\"", quoted("sha256:\(sum)")))
        #expect(checked.first == nil && checked.stages.count == 10, "\(checked.output)")
    }

    @Test("times, the template's name and the folder that all of it lies in do not count")
    func times() async throws {
        let bench = try await StageBench.built.value
        let touched = try await bench.reportOnNewTimes()
        #expect(touched.first == nil && touched.stages.count == 10, "\(touched.output)")
        let moved = try await bench.reportOnMoved()
        #expect(moved.first == nil && moved.stages.count == 10, "\(moved.output)")
    }

    @Test("the same template in JSON has the same stages")
    func json() async throws {
        let bench = try await StageBench.built.value
        var change = StageChange(testDescription: "", files: ["u.pkr.json": StageBench.json])
        change.arguments = ["u.pkr.json"]
        let report = try await bench.report(on: change, template: nil)
        #expect(report.first == nil && report.stages.count == 10, "\(report.output)")
    }

    @Test("no secret is found in what the store says of its checkpoints")
    func secrets() async throws {
        let text = try await StageBench.built.value.storedText()
        #expect(text.contains("\"environment TOKEN\"") && text.contains("checkpoint.json"))
        // The password is a part of the key's name as well.
        let other = text.replacing("packer_", with: "")
        for secret in StageBench.secrets { #expect(!other.contains(secret)) }
    }

    @Test("--until is refused before the machine starts where nothing can be kept of the stage")
    func until() async throws {
        let local = "provisioner \"shell-local\" {\n inline = [\"true\"]\n}"
        let run = try await StageBench.built.value.build(["--until", "3"], edit: ("# 2", local))
        #expect(run.status == 1 && run.output.contains("provisioner 2: shell-local: shell-local may"), "\(run.output)")
        #expect(!run.output.contains("Restoring the machine") && !run.output.contains("Booting the machine"))
    }

    @Test("after all of it nothing has to be run, as nothing was changed for good")
    func undone() async throws {
        let report = try await StageBench.built.value.status([StageBench.name])
        #expect(report.stages.count == 10 && report.first == nil, "\(report.output)")
    }
}

import Foundation
import Libvirt
import Pipeline
import Scopes
import Testing

@Suite("The output directory")
struct OutputFolderTests {
    @Test("it is there from the start, and what the build puts there is a part of the output")
    func fresh() throws {
        let bench = try OutputBench()
        let output = try bench.begin()
        #expect(bench.names("out") == [])
        try bench.write("from the guest", to: "out/os-release")
        try bench.write("a report", to: "out/reports/one.txt")
        try FileManager.default.createSymbolicLink(atPath: bench.path + "/out/link", withDestinationPath: "os-release")
        try bench.write("image", to: "work/output/vm")
        try bench.write("in a folder of the same name", to: "work/output/reports/two.txt")
        #expect(try output.commit(bench.workspace, isComplete: true) == bench.path + "/out")
        #expect(bench.names("out") == ["link", "os-release", "reports", "reports/one.txt", "reports/two.txt", "vm"])
        #expect(try bench.read("out/link") == "from the guest")
        #expect(bench.names().filter { !$0.contains("/") } == ["out", "work"])
        try output.discard { Issue.record("\($0)") }
        #expect(try bench.read("out/vm") == "image")
    }

    @Test("an older output stays until the new one replaces it, with what the build wrote or changed there")
    func replacing() throws {
        let bench = try OutputBench(old: ["vm": "old image", "sums": "old", "notes": "one", "sub/kept": "by download"])
        let output = try bench.begin(replaces: true)
        #expect(try bench.read("out/vm") == "old image")
        try bench.write("two words", to: "out/notes")
        try bench.write("new", to: "out/sub/added")
        try bench.write("image", to: "work/output/vm")
        _ = try output.commit(bench.workspace, isComplete: true, carried: [bench.path + "/out/sub/kept"])
        #expect(bench.names("out") == ["notes", "sub", "sub/added", "sub/kept", "vm"])
        #expect(try bench.read("out/vm") == "image" && bench.read("out/notes") == "two words")
        #expect(try bench.read("work/replaced/vm") == "old image")
    }

    @Test("a failed build removes the folder that it made")
    func failure() throws {
        let bench = try OutputBench()
        let output = try bench.begin()
        try bench.write("x", to: "out/sub/x")
        try output.discard { Issue.record("\($0)") }
        #expect(!bench.names().contains("out"))
    }

    @Test("a failed build empties a folder that was there")
    func failureInEmpty() throws {
        let bench = try OutputBench()
        try FileManager.default.createDirectory(atPath: bench.path + "/out", withIntermediateDirectories: true)
        let output = try bench.begin()
        try bench.write("x", to: "out/sub/x")
        try output.discard { Issue.record("\($0)") }
        #expect(bench.names("out") == [])
    }

    @Test("a failed build leaves an older output as it was, and names what it cannot restore")
    func failureWithOld() throws {
        let bench = try OutputBench(old: ["vm": "old image", "notes": "one", "sub/file": "two", "gone": "three"])
        try Data(count: 2 << 20).write(to: URL(filePath: bench.path + "/out/large"))
        let output = try bench.begin(replaces: true)
        try bench.write("changed", to: "out/notes")
        try bench.write("added", to: "out/new/x")
        try bench.write("a file in place of a folder's", to: "out/gone/x", replacing: "out/gone")
        try bench.write("changed", to: "out/large")
        try FileManager.default.removeItem(atPath: bench.path + "/out/sub")
        var reports: [String] = []
        try output.discard { reports.append($0) }
        #expect(bench.names("out") == ["gone", "large", "notes", "sub", "sub/file", "vm"])
        #expect(try bench.read("out/notes") == "one" && bench.read("out/sub/file") == "two")
        #expect(try bench.read("out/gone") == "three")
        #expect(reports == ["out/large stays as the failed build has left it"])
    }

    @Test("an image that lacks something goes beside an older output, and takes the place where there is none")
    func incomplete() throws {
        let bench = try OutputBench(old: ["vm": "old image"])
        let output = try bench.begin(replaces: true)
        try bench.write("x", to: "out/x")
        try bench.write("image", to: "work/output/vm")
        #expect(try output.commit(bench.workspace, isComplete: false) == bench.path + "/out.unfinished")
        try output.discard { Issue.record("\($0)") }
        #expect(bench.names("out") == ["vm"] && bench.names("out.unfinished") == ["vm", "x"])
        #expect(try bench.read("out/vm") == "old image")

        let empty = try OutputBench()
        let first = try empty.begin()
        try empty.write("image", to: "work/output/vm")
        #expect(try first.commit(empty.workspace, isComplete: false) == empty.path + "/out")
    }

    @Test("an output that is there is refused unless it is empty or to be replaced; so is one that is no folder")
    func refused() throws {
        let full = try OutputBench(old: ["vm": "old image"])
        #expect(throws: BuildError.self) { try full.begin() }
        let file = try OutputBench()
        try file.write("a file", to: "out")
        #expect(throws: BuildError.self) { try file.begin(replaces: true) }
        let link = try OutputBench()
        try FileManager.default.createSymbolicLink(atPath: link.path + "/out", withDestinationPath: "nothing")
        #expect(throws: BuildError.self) { try link.begin(replaces: true) }
        #expect(try full.read("out/vm") == "old image" && file.read("out") == "a file")
    }

    @Test("a link to a folder stays, and what it leads to is replaced")
    func link() throws {
        let bench = try OutputBench()
        try bench.write("old image", to: "elsewhere/disk/vm")
        try FileManager.default.createSymbolicLink(atPath: bench.path + "/out", withDestinationPath: "elsewhere/disk")
        let output = try bench.begin(replaces: true)
        try bench.write("x", to: "out/x")
        try bench.write("image", to: "work/output/vm")
        _ = try output.commit(bench.workspace, isComplete: true, carried: [bench.path + "/out/x"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: bench.path + "/out") == "elsewhere/disk")
        #expect(bench.names("elsewhere/disk") == ["vm", "x"])
    }

    @Test("a folder in which the build works is filled, and nothing else in it is touched")
    func inhabited() throws {
        let bench = try OutputBench(old: ["t.pkr.hcl": "template", "sub/data": "of somebody else", "vm": "old image"])
        let output = try bench.begin(replaces: true, residents: [bench.path + "/out/t.pkr.hcl"])
        #expect(output.place.isFixed)
        try bench.write("x", to: "out/sub/x")
        try bench.write("image", to: "work/output/vm")
        try bench.write("more", to: "work/output/sub/more")
        #expect(try output.commit(bench.workspace, isComplete: true) == bench.path + "/out")
        #expect(bench.names("out") == ["sub", "sub/data", "sub/more", "sub/x", "t.pkr.hcl", "vm"])
        #expect(try bench.read("out/vm") == "image")

        let failing = try bench.begin(replaces: true, residents: [bench.path + "/out"])
        try bench.write("y", to: "out/y")
        try failing.discard { Issue.record("\($0)") }
        #expect(try bench.read("out/y") == "y" && bench.read("out/t.pkr.hcl") == "template")
    }

    @Test("a mount point is filled where it is, and a failed build cleans it", .enabled(if: geteuid() == 0))
    func mountPoint() throws {
        let bench = try OutputBench(old: ["vm": "hidden"])
        try #require(mount("none", bench.path + "/out", "tmpfs", 0, nil) == 0)
        defer { umount2(bench.path + "/out", Int32(MNT_DETACH)) }
        try bench.write("old image", to: "out/vm")
        let workspace = Workspace(path: bench.path + "/out/.work")
        try FileManager.default.createDirectory(atPath: workspace.output, withIntermediateDirectories: true)
        let failing = try bench.begin(replaces: true, in: workspace)
        try bench.write("x", to: "out/sub/x")
        try failing.discard { Issue.record("\($0)") }
        #expect(bench.names("out").filter { !$0.hasPrefix(".work") } == ["vm"])
        let output = try bench.begin(replaces: true, in: workspace)
        try bench.write("x", to: "out/sub/x")
        try bench.write("image", to: "out/.work/output/vm")
        #expect(try output.commit(workspace, isComplete: true) == bench.path + "/out")
        #expect(bench.names("out").filter { !$0.hasPrefix(".work") } == ["sub", "sub/x", "vm"])
        #expect(try bench.read("out/vm") == "image")
    }

    @Test("a folder that the build removes or replaces by a file costs no image", arguments: [true, false])
    func removed(_ isFile: Bool) throws {
        let bench = try OutputBench(old: ["vm": "old image"])
        let output = try bench.begin(replaces: true)
        try FileManager.default.removeItem(atPath: bench.path + "/out")
        if isFile { try bench.write("a file", to: "out") }
        try bench.write("image", to: "work/output/vm")
        guard isFile else {
            _ = try output.commit(bench.workspace, isComplete: true)
            #expect(try bench.read("out/vm") == "image")
            return
        }
        let error = #expect(throws: BuildError.self) { try output.commit(bench.workspace, isComplete: true) }
        #expect(error?.description.contains("is kept in \(bench.path)/out.unfinished") == true)
        #expect(try bench.read("out.unfinished/vm") == "image" && bench.read("out") == "a file")
    }

    @Test(
        "whatever step fails, the image is kept where the error says, and the older output is as it was",
        arguments: OutputFolder.Step.allCases, [true, false])
    func faults(_ step: OutputFolder.Step, _ exchanges: Bool) throws {
        let residents = step == .moveFile ? ["vm"] : []
        let bench = try OutputBench(old: ["vm": "old image", "notes": "one"])
        let output = try bench.begin(replaces: true, residents: residents.map { bench.path + "/out/" + $0 })
        try bench.write("x", to: "out/x")
        try bench.write("image", to: "work/output/vm")
        var placing = OutputFolder.Placing()
        placing.exchanges = exchanges
        placing.before = { if $0 == step { throw Reason(text: "a fault") } }
        let isPassed = exchanges && [.moveOldAside, .moveNewIn].contains(step)
        if step == .dropOld || isPassed {
            _ = try output.commit(bench.workspace, isComplete: true, placing: placing)
            #expect(try bench.read("out/vm") == "image" && bench.read("out/x") == "x")
            return
        }
        let error = #expect(throws: BuildError.self) {
            try output.commit(bench.workspace, isComplete: true, placing: placing)
        }
        let kept =
            switch step {
            case .leaveWorkspace: "work/output"
            case .moveFile: "out/unfinished"
            default: "out.unfinished"
            }
        #expect(error?.description.contains("a fault") == true)
        #expect(error?.description.hasSuffix("The finished image is kept in \(bench.path)/\(kept).") == true)
        #expect(output.keepsWorkspace == (step == .leaveWorkspace))
        try output.discard { Issue.record("\($0)") }
        #expect(try bench.read(kept + "/vm") == "image" && bench.read("out/vm") == "old image")
        #expect(step == .moveFile || bench.names("out") == ["notes", "vm"])
    }

    @Test(
        "a kill at any step leaves the older output and the image, and the next run's cleaning does not take them",
        arguments: OutputFolder.Step.allCases, [true, false])
    func kills(_ step: OutputFolder.Step, _ exchanges: Bool) async throws {
        for base in ["/tmp", "/dev/shm"] {
            let bench = try OutputBench(old: ["vm": "old image"], in: base)
            let (path, name, runtime) = (bench.path, step.rawValue, bench.path + "/r")
            try FileManager.default.createDirectory(atPath: runtime, withIntermediateDirectories: true)
            try bench.write("image", to: "work/output/vm")
            let isPassed = step == .moveFile || exchanges && [.moveOldAside, .moveNewIn].contains(step)
            if isPassed { continue }
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, name = name as String, exchanges, runtime = runtime as String] in
                setenv("XDG_RUNTIME_DIR", runtime, 1)
                let workspace = Workspace(path: path + "/work")
                try Claims().add(workspace.path)
                let place = try OutputPlace(named: path + "/out", shown: "out")
                let output = try OutputFolder(place, workspace, replaces: true)
                var placing = OutputFolder.Placing()
                placing.exchanges = exchanges
                placing.before = { if $0.rawValue == name { kill(getpid(), SIGKILL) } }
                _ = try output.commit(workspace, isComplete: true, placing: placing)
            }
            await #expect(processExitsWith: .success) { [runtime = runtime as String] in
                setenv("XDG_RUNTIME_DIR", runtime, 1)
                guard await Leftovers.remove().contains(where: { $0.hasSuffix("/work") }) else { exit(3) }
            }
            let images = try bench.names().filter { $0.hasSuffix("/vm") }.map(bench.read)
            // In the workspace it was not finished yet.
            let expected = step == .leaveWorkspace ? ["old image"] : ["image", "old image"]
            #expect(images.sorted() == expected, "killed before \(name) in \(bench.names())")
        }
    }
}

/// A folder with an output `out` and a workspace `work`.
private final class OutputBench {
    let path: String
    let workspace: Workspace

    init(old: [String: String] = [:], in base: String = "/tmp") throws {
        path = "\(base)/i-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        workspace = Workspace(path: path + "/work")
        try FileManager.default.createDirectory(atPath: workspace.output, withIntermediateDirectories: true)
        for (name, text) in old { try write(text, to: "out/" + name) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func begin(replaces: Bool = false, residents: [String] = [], in other: Workspace? = nil) throws -> OutputFolder {
        try FileManager.default.createDirectory(atPath: workspace.output, withIntermediateDirectories: true)
        return try OutputFolder(
            OutputPlace(named: path + "/out", shown: "out", residents: residents), other ?? workspace,
            replaces: replaces)
    }

    func write(_ text: String, to name: String, replacing old: String? = nil) throws {
        if let old { try FileManager.default.removeItem(atPath: path + "/" + old) }
        let target = URL(filePath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: target)
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }

    func names(_ folder: String = "") -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: path + "/" + folder)) ?? []).sorted()
    }
}

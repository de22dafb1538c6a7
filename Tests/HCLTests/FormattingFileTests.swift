import Diagnostics
import Foundation
import HCL
import Testing

@Suite("formatting files")
struct FormattingFileTests {
    @Test("a file that does not parse stays as it is and is told")
    func broken() {
        let file = FormattedFile(name: "x.pkr.hcl", contents: Array("a=[1\nb  =2\n".utf8))
        #expect(file.diagnostics.hasErrors)
        #expect(!file.isChanged)
    }

    @Test("a file that is not UTF-8 stays as it is and is told")
    func binary() {
        let file = FormattedFile(name: "x.pkr.hcl", contents: [0x61, 0x3D, 0xFF, 0x0A])
        #expect(file.diagnostics.map(\.id) == ["fmt/unreadable"])
        #expect(!file.isChanged)
    }

    @Test("what is missing or no regular file is told")
    func unreadable() throws {
        let folder = try ScratchFolder()
        #expect(FormattedFile(path: folder.path + "/none.pkr.hcl").diagnostics.hasErrors)
        #expect(FormattedFile(path: folder.path).diagnostics.hasErrors)
        #expect(formattableFiles(at: folder.path + "/none", isRecursive: false).diagnostics.hasErrors)
    }

    @Test("a file is replaced behind its link, keeps its mode and leaves nothing beside it")
    func writing() throws {
        let folder = try ScratchFolder()
        try folder.write("a=1\nbbb=2\n", "real/x.pkr.hcl")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o640], ofItemAtPath: folder.path + "/real/x.pkr.hcl")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link.pkr.hcl", withDestinationPath: "real/x.pkr.hcl")
        try FormattedFile(path: folder.path + "/link.pkr.hcl").write()
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/real/x.pkr.hcl")
        #expect(attributes[.posixPermissions] as? Int == 0o640)
        #expect(try folder.read("real/x.pkr.hcl") == "a   = 1\nbbb = 2\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/real") == ["x.pkr.hcl"])
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path + "/link.pkr.hcl") != "")
    }

    @Test("a file that has gone cannot be written, and the error says so")
    func unwritable() throws {
        let folder = try ScratchFolder()
        try folder.write("a=1\n", "x.pkr.hcl")
        let file = FormattedFile(path: folder.path + "/x.pkr.hcl")
        try FileManager.default.removeItem(atPath: folder.path + "/x.pkr.hcl")
        #expect(throws: TemplateError.self) { try file.write() }
    }

    @Test("a folder gives its templates and variable files, not what editors leave there")
    func folder() throws {
        let folder = try ScratchFolder()
        for name in [
            "b.pkr.hcl", "a.pkrvars.hcl", "c.hcl", "d.json", ".e.pkr.hcl", "f.pkr.hcl~", "#g.pkr.hcl#", "h/i.pkr.hcl",
            ".j/k.pkr.hcl",
        ] {
            try folder.write("", name)
        }
        let flat = formattableFiles(at: folder.path, isRecursive: false)
        #expect(flat.value == ["a.pkrvars.hcl", "b.pkr.hcl"].map { "\(folder.path)/\($0)" })
        let all = formattableFiles(at: folder.path + "/", isRecursive: true)
        #expect(all.value == ["a.pkrvars.hcl", "b.pkr.hcl", "h/i.pkr.hcl"].map { "\(folder.path)/\($0)" })
        #expect(formattableFiles(at: folder.path + "/c.hcl", isRecursive: false).diagnostics.hasErrors)
    }

    @Test("differences have the form that patch reads")
    func difference() {
        let text = "a=1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\ng = 7\nh = 8\ni=9\nj=10\nk = 11"
        let expected = """
            --- old/x.pkr.hcl
            +++ new/x.pkr.hcl
            @@ -1,4 +1,4 @@
            -a=1
            +a = 1
             b = 2
             c = 3
             d = 4
            @@ -6,6 +6,6 @@
             f = 6
             g = 7
             h = 8
            -i=9
            -j=10
            +i = 9
            +j = 10
             k = 11
            \\ No newline at end of file

            """
        #expect(unifiedDifference(of: FormattedFile(name: "x.pkr.hcl", contents: Array(text.utf8))) == expected)
        #expect(unifiedDifference(of: FormattedFile(name: "x.pkr.hcl", contents: Array("a = 1\n".utf8))) == "")
    }
}

/// A folder that goes with the test.
private final class ScratchFolder {
    let path = NSTemporaryDirectory() + "/ingot-fmt-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // Left behind, it does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, _ name: String) throws {
        let file = URL(filePath: path + "/" + name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: path + "/" + name)), as: UTF8.self)
    }
}

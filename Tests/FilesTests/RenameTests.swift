import Files
import Foundation
import Scopes
import Testing

@Suite("Renaming")
struct RenameTests {
    @Test("two folders exchange their names", arguments: ["/tmp", "/dev/shm"])
    func exchange(_ base: String) throws {
        let folder = try TestFolder(in: base)
        try folder.write("one", to: "a/file")
        try folder.write("two", to: "b/file")
        #expect(try exchangeNames(folder.path + "/a", folder.path + "/b", "exchange them"))
        #expect(try folder.read("a/file") == "two" && folder.read("b/file") == "one")
    }

    @Test("a name that is missing cannot be exchanged, and the error says so")
    func missing() throws {
        let folder = try TestFolder()
        try folder.write("one", to: "a/file")
        let error = #expect(throws: BuildError.self) {
            try exchangeNames(folder.path + "/a", folder.path + "/b", "exchange them")
        }
        #expect(error?.description == "could not exchange them: No such file or directory")
    }

    @Test("a name that is taken is left alone, and the next free one is found")
    func free() throws {
        let folder = try TestFolder()
        try folder.write("new", to: "x/file")
        for name in ["y", "y-2"] { try folder.write("old", to: name + "/file") }
        #expect(try !rename(folder.path + "/x", toFreeName: folder.path + "/y", "move it"))
        #expect(try rename(folder.path + "/x", toFreeNameLike: folder.path + "/y", "move it") == folder.path + "/y-3")
        #expect(try folder.read("y/file") == "old" && folder.read("y-3/file") == "new")
    }

    @Test("/proc is a mount point, and a folder that has just been made is none")
    func mountPoint() throws {
        let folder = try TestFolder()
        #expect(isMountPoint("/proc") && !isMountPoint(folder.path))
    }
}

/// A folder that is removed with the test.
final class TestFolder {
    let path: String

    init(in base: String = NSTemporaryDirectory()) throws {
        path = (base.hasSuffix("/") ? base : base + "/") + "ingot-files-" + UUID().uuidString.lowercased()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        let target = URL(filePath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: target)
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: path + "/" + name, encoding: .utf8) }
}

import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("copying folders to and from a guest", .serialized)
struct FolderTests {
    private static let kinds = [SSHServer.Kind.openSSH, .openSSHWithoutSFTP]

    /// FOLDER/tree with a file, an empty folder, a deep file, and links to a file and to a folder.
    private func makeTree(in folder: String) throws -> String {
        let tree = folder + "/tree"
        try makeFolder(tree + "/inner/deep")
        try makeFolder(tree + "/empty")
        try makeFolder(folder + "/elsewhere")
        try write("deep", to: tree + "/inner/deep/file", mode: 0o640)
        try write("run", to: tree + "/it's a \"script\"", mode: 0o755)
        try write("else", to: folder + "/elsewhere/file")
        try FileManager.default.createSymbolicLink(atPath: tree + "/link", withDestinationPath: "inner/deep/file")
        try FileManager.default.createSymbolicLink(atPath: tree + "/outside", withDestinationPath: "../elsewhere")
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: tree + "/inner")
        return tree
    }

    private func check(_ copy: String) throws {
        #expect(
            try FileManager.default.subpathsOfDirectory(atPath: copy).sorted() == [
                "empty", "inner", "inner/deep", "inner/deep/file", "it's a \"script\"", "link", "outside",
                "outside/file",
            ])
        #expect(try text(copy + "/inner/deep/file") == "deep")
        #expect(try text(copy + "/link") == "deep")
        #expect(try text(copy + "/outside/file") == "else")
        #expect(try mode(copy + "/inner") == 0o700)
        #expect(try mode(copy + "/inner/deep/file") == 0o640)
        #expect(try mode(copy + "/it's a \"script\"") == 0o755)
        // Links are copied as what they lead to.
        let kind = try FileManager.default.attributesOfItem(atPath: copy + "/link")[.type] as? FileAttributeType
        #expect(kind == .typeRegular)
    }

    @Test("a folder goes up under its name, and with a slash what is in it", arguments: kinds)
    func upload(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let tree = try makeTree(in: server.folder)
        try await connection.uploadTree(tree, to: server.folder + "/new/a b")
        try await connection.uploadTree(tree + "/", to: server.folder + "/new/c/")
        try check(server.folder + "/new/a b/tree")
        try check(server.folder + "/new/c")
        // Again, over what is there.
        try await connection.uploadTree(tree, to: server.folder + "/new/a b")
        try check(server.folder + "/new/a b/tree")
    }

    @Test("a folder that cannot be made in the guest is an error", arguments: kinds)
    func uploadIntoFile(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let tree = try makeTree(in: server.folder)
        try write("x", to: server.folder + "/file")
        let error = await #expect(throws: GuestError.self) {
            try await connection.uploadTree(tree, to: server.folder + "/file")
        }
        #expect(error?.description.contains("could not make the folder") == true)
    }

    @Test("a link that leads back up is an error, not an endless copy", arguments: kinds)
    func uploadLoop(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let tree = try makeTree(in: server.folder)
        try FileManager.default.createSymbolicLink(atPath: tree + "/inner/loop", withDestinationPath: "..")
        let error = await #expect(throws: Reason.self) {
            try await connection.uploadTree(tree, to: server.folder + "/copy")
        }
        #expect(error?.description.contains("loop is a link to a folder above it") == true)
    }

    @Test("a folder comes down under its name, and with a slash what is in it", arguments: kinds)
    func download(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let tree = try makeTree(in: server.folder)
        try runTool("mkfifo", tree + "/inner/pipe")
        try await connection.downloadTree(tree, to: server.folder + "/a")
        try await connection.downloadTree(tree + "/", to: server.folder + "/b/")
        try check(server.folder + "/a/tree")
        try check(server.folder + "/b")
    }

    @Test("a pattern brings each match under its name", arguments: kinds)
    func pattern(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let logs = server.folder + "/var; touch FAIL"
        try makeFolder(logs + "/more.log")
        for name in ["one.log", "two.log", ".hidden.log", "other", "more.log/deep"] {
            try write(name, to: logs + "/" + name)
        }
        let target = server.folder + "/local"
        try await connection.downloadTree(logs + "/*.l[o]g", to: target)
        #expect(
            try FileManager.default.subpathsOfDirectory(atPath: target).sorted() == [
                "more.log", "more.log/deep", "one.log", "two.log",
            ])
        await #expect(throws: GuestError.self) { try await connection.downloadTree(logs + "/*.txt", to: target) }
    }

    @Test("matches of the same name are refused instead of overwriting each other", arguments: kinds)
    func sameNames(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        for folder in ["a", "b"] {
            try makeFolder(server.folder + "/guest/" + folder)
            try write(folder, to: server.folder + "/guest/\(folder)/file")
        }
        let error = await #expect(throws: GuestError.self) {
            try await connection.downloadTree(server.folder + "/guest/*/file", to: server.folder + "/local")
        }
        #expect(error?.description.contains("both called file") == true)
        try await connection.downloadTree(server.folder + "/guest/", to: server.folder + "/tree")
        #expect(try text(server.folder + "/tree/a/file") == "a")
        #expect(try text(server.folder + "/tree/b/file") == "b")
    }

    @Test("a name with a line break and links in a circle come down over SFTP")
    func oddGuest() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let guest = server.folder + "/guest"
        try makeFolder(guest + "/a")
        try write("x", to: guest + "/a/line\nbreak")
        try FileManager.default.createSymbolicLink(atPath: guest + "/a/up", withDestinationPath: "..")
        try FileManager.default.createSymbolicLink(atPath: guest + "/self", withDestinationPath: "a/../self")
        try FileManager.default.createSymbolicLink(atPath: guest + "/gone", withDestinationPath: "nowhere")
        try await connection.downloadTree(guest + "/", to: server.folder + "/local")
        #expect(
            try FileManager.default.subpathsOfDirectory(atPath: server.folder + "/local").sorted() == [
                "a", "a/line\nbreak",
            ])
    }

    @Test("a folder that is not there is an error, and so is a file with a slash", arguments: kinds)
    func missing(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        try write("x", to: server.folder + "/file")
        for path in ["/missing/", "/missing", "/file/"] {
            await #expect(throws: GuestError.self) {
                try await connection.downloadTree(server.folder + path, to: server.folder + "/local")
            }
        }
    }
}

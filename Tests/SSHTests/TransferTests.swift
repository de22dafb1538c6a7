import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("copying files to and from a guest", .serialized)
struct TransferTests {
    @Test("files go over SFTP and over SCP alike", arguments: [SSHServer.Kind.openSSH, .openSSHWithoutSFTP])
    func files(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let data = Data((0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) })
        let path = server.folder + "/copied file"
        try await connection.upload(data, to: path, mode: 0o757)
        #expect(try Data(contentsOf: URL(filePath: path)) == data)
        #expect(try mode(path) == 0o757)
        try await connection.download(path, to: server.folder + "/back")
        #expect(try Data(contentsOf: URL(filePath: server.folder + "/back")) == data)
        try await connection.upload(file: server.folder + "/back", to: server.folder + "/again")
        #expect(try Data(contentsOf: URL(filePath: server.folder + "/again")) == data)
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("an empty file and one that does not tell its size arrive", arguments: [SSHServer.Kind.openSSH])
    func oddFiles(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        try await connection.upload(Data(), to: server.folder + "/empty", mode: 0o600)
        try await connection.download(server.folder + "/empty", to: server.folder + "/empty back")
        #expect(try text(server.folder + "/empty back").isEmpty)
        try await connection.download("/proc/cpuinfo", to: server.folder + "/cpuinfo")
        #expect(try text(server.folder + "/cpuinfo").contains("processor"))
    }

    @Test("a home folder is found by its tilde", arguments: [SSHServer.Kind.openSSH, .openSSHWithoutSFTP])
    func tilde(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let name = ".ingot-test-\(UUID().uuidString.prefix(8))"
        try await connection.upload(Data("x".utf8), to: "~/" + name, mode: 0o600)
        #expect(try await connection.run("rm \"$HOME/\(name)\"") { _ in } == .code(0))
    }

    @Test("writing where one may not says so", arguments: [SSHServer.Kind.openSSH, .openSSHWithoutSFTP])
    func missingFolder(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let error = await #expect(throws: GuestError.self) {
            try await connection.upload(Data("x".utf8), to: server.folder + "/no/such/file", mode: 0o644)
        }
        #expect(error?.description.lowercased().contains("no such file") == true)
    }

    @Test("a download that fails leaves what was there", arguments: [SSHServer.Kind.openSSH, .openSSHWithoutSFTP])
    func failedDownload(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let target = server.folder + "/local"
        try makeFolder(target)
        try write("before", to: target + "/file")
        let error = await #expect(throws: GuestError.self) {
            try await connection.download(server.folder + "/missing", to: target + "/file")
        }
        #expect(error?.description.lowercased().contains("no such file") == true)
        #expect(try text(target + "/file") == "before")
        #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["file"])
    }

    @Test("a guest that stops in the middle is given up, both ways, and leaves no half file", arguments: Way.allCases)
    func stalled(_ way: Way) async throws {
        let server = try SSHServer(way.isSCP ? .openSSHWithoutSFTP : .openSSH)
        var options = SSHOptions(keepAliveInterval: nil)
        options.stallTimeout = .seconds(1)
        let connection = try await server.connect(options)
        let target = server.folder + "/local"
        try makeFolder(target)
        // The first transfer opens SFTP, or finds that there is none.
        try await connection.upload(Data("x".utf8), to: server.folder + "/first", mode: 0o644)
        let big = server.folder + "/big"
        try runTool("truncate", "-s", "20G", big)
        let copy = Task {
            if way.isUpload {
                try await connection.upload(file: big, to: server.folder + "/copy")
            } else {
                try await connection.download(big, to: target + "/copy")
            }
        }
        try await Task.sleep(for: .milliseconds(300))
        try server.freezeConnections()
        let error = await #expect(throws: GuestError.self) { try await copy.value }
        guard case .timedOut = error else {
            Issue.record("not a time-out: \(String(describing: error))")
            return
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty)
    }

    @Test("a cancelled transfer ends although the guest is silent", arguments: Way.allCases)
    func cancelled(_ way: Way) async throws {
        let server = try SSHServer(way.isSCP ? .openSSHWithoutSFTP : .openSSH)
        let connection = try await server.connect(SSHOptions(keepAliveInterval: nil))
        try await connection.upload(Data("x".utf8), to: server.folder + "/first", mode: 0o644)
        try server.freezeConnections()
        let copy = Task {
            if way.isUpload {
                try await connection.upload(Data("x".utf8), to: server.folder + "/copy", mode: 0o644)
            } else {
                try await connection.download(server.folder + "/first", to: server.folder + "/copy")
            }
        }
        try await Task.sleep(for: .milliseconds(100))
        copy.cancel()
        await #expect(throws: CancellationError.self) { try await copy.value }
    }

    enum Way: CaseIterable {
        case sftpUp, sftpDown, scpUp, scpDown
        var isSCP: Bool { self == .scpUp || self == .scpDown }
        var isUpload: Bool { self == .sftpUp || self == .scpUp }
    }

    @Test("a transfer and a command go on at the same time")
    func concurrent() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let data = Data(repeating: 7, count: 5_000_000)
        let lines = Lines()
        async let one: Void = connection.upload(data, to: server.folder + "/one", mode: 0o644)
        async let two: Void = connection.upload(data, to: server.folder + "/two", mode: 0o644)
        async let exit = connection.run("seq 1 50000") { lines.add($0) }
        _ = try await (one, two)
        #expect(try await exit == .code(0))
        #expect(lines.output.count == 50_000)
        #expect(try Data(contentsOf: URL(filePath: server.folder + "/one")) == data)
        #expect(try Data(contentsOf: URL(filePath: server.folder + "/two")) == data)
    }
}

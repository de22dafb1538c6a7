import Foundation
import SSH
import Scopes
import Synchronization
import Testing

@Suite("an SSH connection to a real server")
struct SSHConnectionTests {
    private final class Lines: Sendable {
        private let all = Mutex<[OutputChunk]>([])
        func add(_ chunk: OutputChunk) { all.withLock { $0.append(chunk) } }
        var output: [String] { all.withLock { $0.filter { !$0.isError }.map(\.text) } }
        var errors: [String] { all.withLock { $0.filter { $0.isError }.map(\.text) } }
    }

    @Test("a command's output, errors and exit status arrive")
    func command() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let lines = Lines()
        let exit = try await connection.run("echo out; echo err >&2; printf last; exit 3") { lines.add($0) }
        #expect(exit == .code(3))
        #expect(lines.output == ["out", "last"])
        #expect(lines.errors == ["err"])
    }

    @Test("a large output arrives whole")
    func largeOutput() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let lines = Lines()
        let exit = try await connection.run("seq 1 100000") { lines.add($0) }
        #expect(exit == .code(0))
        #expect(lines.output.count == 100_000)
        #expect(lines.output.last == "100000")
    }

    @Test("a terminal is there when it is asked for, and only then")
    func terminal() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        #expect(try await connection.run("test -t 1", usesPTY: true) { _ in } == .code(0))
        #expect(try await connection.run("test -t 1", usesPTY: false) { _ in } == .code(1))
    }

    @Test("files go over SFTP and over SCP alike", arguments: [SSHServer.Kind.openSSH, .openSSHWithoutSFTP])
    func files(_ kind: SSHServer.Kind) async throws {
        let server = try SSHServer(kind)
        let connection = try await server.connect()
        let data = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let path = server.folder + "/copied file"
        try await connection.upload(data, to: path, mode: 0o750)
        #expect(try Data(contentsOf: URL(filePath: path)) == data)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o750)
        try await connection.download(path, to: server.folder + "/back")
        #expect(try Data(contentsOf: URL(filePath: server.folder + "/back")) == data)
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("a folder keeps its name, and with a slash gives what is in it")
    func folders() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let source = server.folder + "/tree"
        try FileManager.default.createDirectory(atPath: source + "/inner", withIntermediateDirectories: true)
        try "deep".write(toFile: source + "/inner/file", atomically: true, encoding: .utf8)
        try await connection.uploadDirectory(source, to: server.folder + "/a")
        try await connection.uploadDirectory(source + "/", to: server.folder + "/b")
        #expect(try String(contentsOfFile: server.folder + "/a/tree/inner/file", encoding: .utf8) == "deep")
        #expect(try String(contentsOfFile: server.folder + "/b/inner/file", encoding: .utf8) == "deep")
    }

    @Test("writing where one may not says so")
    func missingFolder() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let error = await #expect(throws: SSHError.self) {
            try await connection.upload(Data("x".utf8), to: server.folder + "/no/such/file", mode: 0o644)
        }
        #expect(error?.description.contains("no such file") == true)
    }

    @Test("a key the server does not know is refused, with what was tried")
    func refused() async throws {
        let server = try SSHServer(.openSSH)
        _ = try await server.connect()
        let other = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "other")
        let credentials = SSHCredentials(username: NSUserName(), privateKeys: [SSHKey(pem: other.privateKey)])
        let news = Mutex<[SSHNews]>([])
        let error = await #expect(throws: SSHError.self) {
            _ = try await waitForSSH(
                server.endpoint, credentials, SSHOptions(), timeout: .seconds(30), handshakeAttempts: 2,
                onNews: { item in news.withLock { $0.append(item) } })
        }
        #expect(error?.description.contains("(tried: key; it takes: publickey") == true)
        #expect(news.withLock { $0 }.contains { "\($0)".contains("OpenSSH") })
    }

    @Test("a connection that dies during a command is told apart from an exit")
    func lostConnection() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let run = Task { try await connection.run("sleep 30") { _ in } }
        try await Task.sleep(for: .milliseconds(300))
        try server.cutConnections()
        #expect(try await run.value == .lostConnection)
    }

    @Test("after a loss the next command gets a new connection")
    func reconnection() async throws {
        let server = try SSHServer(.openSSH)
        let shell = ReconnectingSSH(
            try await server.connect(), endpoint: server.endpoint, credentials: server.credentials,
            options: SSHOptions())
        try server.cutConnections()
        try await Task.sleep(for: .milliseconds(200))
        // The loss shows at the first use.
        _ = try? await shell.connection(timeout: .seconds(20)).run("true") { _ in }
        let connection = try await shell.connection(timeout: .seconds(20))
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("a cancelled command ends at once")
    func cancelled() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let run = Task { try await connection.run("sleep 60") { _ in } }
        try await Task.sleep(for: .milliseconds(200))
        run.cancel()
        await #expect(throws: CancellationError.self) { try await run.value }
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("the wait outlasts a closed port and a server that opens late")
    func lateServer() async throws {
        let port = try SSHServer.freePort()
        let news = Mutex<[SSHNews]>([])
        await #expect(throws: TimedOut.self) {
            _ = try await waitForSSH(
                SSHEndpoint(host: "127.0.0.1", port: port), SSHCredentials(username: "x"), SSHOptions(),
                timeout: .seconds(1), handshakeAttempts: 1, onNews: { item in news.withLock { $0.append(item) } })
        }
        #expect(news.withLock { $0 } == [.portClosed])
    }

    @Test("secrets do not show in what is printed")
    func secrets() throws {
        let pair = try TemporaryKeyPair.generate(type: "ecdsa", bits: nil, comment: "x")
        let credentials = SSHCredentials(
            username: "root", password: Sensitive("hunter2"), privateKeys: [SSHKey(pem: pair.privateKey)])
        #expect(!"\(credentials)".contains("hunter2"))
        #expect(!"\(pair)".contains("PRIVATE KEY"))
        #expect(pair.publicKey.hasPrefix("ecdsa-sha2-nistp521 "))
    }
}

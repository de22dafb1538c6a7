import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("an SSH connection to a real server", .serialized)
struct SSHConnectionTests {
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

    @Test("a key the server does not know is refused, with what was tried")
    func refused() async throws {
        let server = try SSHServer(.openSSH)
        _ = try await server.connect()
        let other = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "other")
        let credentials = SSHCredentials(username: NSUserName(), privateKeys: [SSHKey(pem: other.privateKey)])
        let news = NewsLog()
        let error = await #expect(throws: GuestError.self) {
            _ = try await waitForSSH(
                server.endpoint, credentials, SSHOptions(), timeout: .seconds(30), handshakeAttempts: 1,
                onNews: { news.add($0) })
        }
        #expect(error?.description.contains("(tried: key; it takes: publickey") == true)
        #expect(news.all.contains { "\($0)".contains("OpenSSH") })
    }

    @Test("two commands run at the same time on one connection")
    func concurrent() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        // Each waits for the other's file.
        let (one, other) = (server.folder + "/one", server.folder + "/other")
        func command(_ mine: String, _ theirs: String) -> String {
            "touch \(mine); for i in $(seq 100); do test -e \(theirs) && exit 0; sleep 0.1; done; exit 1"
        }
        async let first = connection.run(command(one, other)) { _ in }
        async let second = connection.run(command(other, one)) { _ in }
        #expect(try await first == .code(0))
        #expect(try await second == .code(0))
    }

    @Test("a command that takes too long is told apart, and the connection lives on")
    func commandTimeout() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        await #expect(throws: GuestError.timedOut("running a command")) {
            _ = try await connection.run("sleep 60", timeout: .milliseconds(200)) { _ in }
        }
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
}

import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("a connection that is lost", .serialized)
struct LossTests {
    /// A long command that has written its first line.
    private func startedCommand(on connection: SSHConnection) async throws -> Task<Guests.ExitStatus, any Error> {
        let lines = Lines()
        let run = Task { try await connection.run("echo started; sleep 60") { lines.add($0) } }
        for _ in 0..<2000 where lines.output.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(lines.output == ["started"])
        return run
    }

    @Test("a connection that dies during a command is told apart from an exit")
    func lostConnection() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect()
        let run = try await startedCommand(on: connection)
        try server.cutConnections()
        #expect(try await run.value == .lostConnection)
    }

    @Test("after a loss the next command gets a new connection")
    func reconnection() async throws {
        let server = try SSHServer(.openSSH)
        let guest = try await server.connect().reconnecting(to: server.endpoint, server.credentials, SSHOptions())
        try server.cutConnections()
        try await Task.sleep(for: .milliseconds(200))
        // The loss shows at the first use.
        _ = try? await guest.run("true") { _ in }
        try await guest.ensureConnected(timeout: .seconds(20))
        #expect(try await guest.run("true") { _ in } == .code(0))
    }

    @Test("a guest that hangs during a command is noticed by its silence")
    func frozen() async throws {
        let server = try SSHServer(.openSSH)
        var options = SSHOptions(keepAliveInterval: .milliseconds(700))
        options.silencePatience = .zero
        let connection = try await server.connect(options)
        let run = try await startedCommand(on: connection)
        try server.freezeConnections()
        #expect(try await run.value == .lostConnection)
        let error = await #expect(throws: GuestError.self) { _ = try await connection.run("true") { _ in } }
        #expect(error?.isConnectionLoss == true)
    }

    @Test("a quiet command on a guest that answers is not taken for a loss")
    func quiet() async throws {
        let server = try SSHServer(.openSSH)
        var options = SSHOptions(keepAliveInterval: .milliseconds(500))
        options.silencePatience = .zero
        let connection = try await server.connect(options)
        #expect(try await connection.run("sleep 2.5") { _ in } == .code(0))
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("without keep-alive the limit for silence ends a command")
    func readWriteTimeout() async throws {
        let server = try SSHServer(.openSSH)
        let connection = try await server.connect(
            SSHOptions(keepAliveInterval: nil, readWriteTimeout: .milliseconds(1500)))
        try await Task.sleep(for: .milliseconds(1700))
        #expect(try await connection.run("for i in 1 2 3 4; do sleep 0.5; echo; done") { _ in } == .code(0))
        #expect(try await connection.run("sleep 60") { _ in } == .lostConnection)
    }
}

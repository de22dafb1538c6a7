import Foundation
import Guests
import SSH
import Scopes

/// A real OpenSSH server on the loopback, with keys of its own; gone with the object.
final class SSHServer: @unchecked Sendable {
    enum Kind { case openSSH, openSSHWithoutSFTP }

    let endpoint: SSHEndpoint
    let folder: String
    let keys: TemporaryKeyPair
    private let process = Process()
    private let log = Pipe()

    /// - Parameter configuration: More lines for sshd_config; FOLDER stands for the server's folder.
    init(_ kind: Kind, configuration: String = "") throws {
        folder = try temporaryFolder()
        keys = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "test")
        let host = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "host")
        endpoint = SSHEndpoint(host: "127.0.0.1", port: try freePort())
        try write(host.privateKey.reveal(), to: folder + "/host")
        let sftp = kind == .openSSH ? "Subsystem sftp internal-sftp\n" : ""
        let text = """
            Port \(endpoint.port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized_keys
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            \(configuration.replacing("FOLDER", with: folder))
            \(sftp)
            """
        try write(text, to: folder + "/sshd_config")
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        process.executableURL = URL(filePath: "/usr/sbin/sshd")
        process.arguments = ["-D", "-e", "-f", folder + "/sshd_config"]
        process.standardError = log
        try authorize(keys.publicKey)
        try process.run()
        // It says when it listens; the rest of what it says fits into the pipe.
        var said = Data()
        while !String(decoding: said, as: UTF8.self).contains("listening") {
            let more = log.fileHandleForReading.availableData
            if more.isEmpty { throw CocoaError(.executableNotLoadable) }
            said += more
        }
    }

    deinit {
        // Also the frozen ones.
        try? signalConnections(SIGKILL)
        process.terminate()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Lets in who has this key, and nobody else.
    func authorize(_ line: String) throws { try write(line + "\n", to: folder + "/authorized_keys") }

    /// Ends the connections that are open, as a dying guest does; the server itself goes on.
    func cutConnections() throws { try signalConnections(SIGKILL) }

    /// Makes the other end of the open connections silent, as a guest that hangs.
    func freezeConnections() throws { try signalConnections(SIGSTOP) }

    private func signalConnections(_ signal: Int32) throws {
        let pid = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        for child in children.split(separator: " ").compactMap({ pid_t($0) }) { kill(child, signal) }
    }

    var credentials: SSHCredentials {
        SSHCredentials(username: NSUserName(), privateKeys: [SSHKey(pem: keys.privateKey)])
    }

    func connect(_ options: SSHOptions = SSHOptions(), as credentials: SSHCredentials? = nil) async throws
        -> SSHConnection
    {
        try await waitForSSH(
            endpoint, credentials ?? self.credentials, options, timeout: .seconds(30), handshakeAttempts: 1,
            onNews: { _ in })
    }
}

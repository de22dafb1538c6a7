import ComponentModel
import Foundation
import Guests
import Proxmox
import SSH
import Scopes
import Synchronization
import Templates

/// A shell on a node of Proxmox VE over SSH, connected at its first use.
actor NodeShell: ProxmoxShell {
    private let endpoint: SSHEndpoint
    private let credentials: SSHCredentials
    private let options: SSHOptions
    private let reporter: Reporter
    private var connection: SSHConnection?
    /// For one command: an import copies a whole disk.
    private let commandLimit = Duration.seconds(2 * 3600)

    /// - Throws: `BuildError` for a key file that is none.
    init(
        _ settings: ProxmoxUploadSettings.Shell, server: ProxmoxServer, context: RunContext, reporter: Reporter
    ) throws {
        let host = settings.host ?? URLComponents(string: server.address)?.host ?? ""
        // Brackets are for URLs alone.
        endpoint = SSHEndpoint(host: host.trimmingCharacters(in: ["[", "]"]), port: settings.port)
        let keys = try settings.privateKeyFile.map { [try SSHKey.load(context.absolute($0))] } ?? []
        credentials = SSHCredentials(
            username: settings.username, password: settings.password, privateKeys: keys, usesAgent: settings.usesAgent)
        var options = SSHOptions()
        options.hostKeyFingerprint = settings.hostKeyFingerprint
        self.options = options
        self.reporter = reporter
    }

    func upload(_ localPath: String, to remotePath: String) async throws {
        try await connected().upload(file: localPath, to: remotePath)
    }

    func run(_ command: String) async throws -> (exitCode: Int32, output: String) {
        let output = LastLines()
        let status = try await connected().run(command, usesPTY: false, timeout: commandLimit) { output.add($0.text) }
        switch status {
        case .code(let code): return (Int32(clamping: code), output.text)
        case .signal, .lostConnection: throw GuestError.connectionLost("the command ended by \(status)")
        }
    }

    func remove(_ remotePath: String) async throws {
        let (code, output) = try await run(GuestDialect.posix.removal(of: [remotePath]))
        guard code == 0 else { throw GuestError.other(output) }
    }

    func close() async {
        await connection?.close()
        connection = nil
    }

    private func connected() async throws -> SSHConnection {
        if let connection, await connection.isAlive { return connection }
        do {
            let made = try await SSHConnection.connect(endpoint, credentials, options)
            if options.hostKeyFingerprint == nil, let key = await made.hostKeyFingerprint {
                reporter.warn(
                    "the SSH host key of \(endpoint.host) was NOT checked; if it is the right one, write "
                        + "ssh_host_key_fingerprint = \"\(key)\"")
            }
            connection = made
            return made
        } catch let error where error is SSHError || error is GuestError {
            throw BuildError(
                "log in at \(endpoint.host), port \(endpoint.port), over SSH",
                because: "\(error)".replacing("the guest", with: "the node"),
                hint: "Check ssh_host, ssh_username (root) and its password or key.")
        }
    }
}

/// The end of what a command says.
private final class LastLines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) {
        lines.withLock { lines in
            lines.append(String(line.prefix(2000)))
            if lines.count > 100 { lines.removeFirst() }
        }
    }
    var text: String { lines.withLock { $0.joined(separator: "\n") } }
}

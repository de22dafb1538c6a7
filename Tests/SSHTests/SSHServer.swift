import Foundation
import SSH
import Scopes

/// A real OpenSSH or dropbear server on the loopback, with keys of its own; gone with the object.
final class SSHServer: @unchecked Sendable {
    enum Kind { case openSSH, openSSHWithoutSFTP, dropbear }

    let endpoint: SSHEndpoint
    let folder: String
    let keys: TemporaryKeyPair
    private let process = Process()

    init(_ kind: Kind) throws {
        folder = NSTemporaryDirectory() + "ingot-ssh-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        keys = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "test")
        let host = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "host")
        endpoint = SSHEndpoint(host: "127.0.0.1", port: try Self.freePort())
        try Self.write(host.privateKey.reveal(), to: folder + "/host")
        try Self.write(keys.publicKey + "\n", to: folder + "/authorized_keys")
        let sftp = kind == .openSSH ? "Subsystem sftp internal-sftp\n" : ""
        let configuration = """
            Port \(endpoint.port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized_keys
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            \(sftp)
            """
        try Self.write(configuration, to: folder + "/sshd_config")
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        process.executableURL = URL(filePath: "/usr/sbin/sshd")
        process.arguments = ["-D", "-e", "-f", folder + "/sshd_config"]
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        process.terminate()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Ends the connections that are open, as a dying guest does; the server itself goes on.
    func cutConnections() throws {
        let pid = process.processIdentifier
        let children = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        for child in children.split(separator: " ").compactMap({ pid_t($0) }) { kill(child, SIGKILL) }
    }

    var credentials: SSHCredentials {
        SSHCredentials(username: NSUserName(), privateKeys: [SSHKey(pem: keys.privateKey)])
    }

    func connect(_ options: SSHOptions = SSHOptions()) async throws -> SSHConnection {
        try await waitForSSH(
            endpoint, credentials, options, timeout: .seconds(30), handshakeAttempts: 3, onNews: { _ in })
    }

    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        guard result == 0 else { throw CocoaError(.featureUnsupported) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
}

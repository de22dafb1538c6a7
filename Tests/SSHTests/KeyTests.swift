import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("keys, certificates and agents", .serialized)
struct KeyTests {
    @Test("a key file of each type lets in", arguments: ["rsa", "ecdsa", "ed25519"], ["RFC4716", "PEM"])
    func keyFiles(_ type: String, _ format: String) async throws {
        // ssh-keygen writes Ed25519 in OpenSSH's format whatever one asks for.
        let server = try SSHServer(.openSSH)
        let file = server.folder + "/id"
        try runTool("ssh-keygen", "-q", "-t", type, "-m", format, "-N", "", "-f", file)
        try server.authorize(try text(file + ".pub"))
        let credentials = SSHCredentials(username: NSUserName(), privateKeys: [try SSHKey.load(file)])
        let connection = try await server.connect(as: credentials)
        #expect(try await connection.run("true") { _ in } == .code(0))
    }

    @Test("a temporary key of each type lets in", arguments: ["rsa", "ecdsa", "ed25519"])
    func temporaryKeys(_ type: String) async throws {
        let server = try SSHServer(.openSSH)
        let pair = try TemporaryKeyPair.generate(type: type, bits: type == "rsa" ? 2048 : nil, comment: "temporary")
        try server.authorize(pair.publicKey)
        let credentials = SSHCredentials(username: NSUserName(), privateKeys: [SSHKey(pem: pair.privateKey)])
        _ = try await server.connect(as: credentials)
    }

    @Test("a key with a certificate lets in where only its authority is known", arguments: ["rsa", "ecdsa", "ed25519"])
    func certificate(_ type: String) async throws {
        let server = try SSHServer(.openSSH, configuration: "TrustedUserCAKeys FOLDER/authority.pub")
        let file = try signedKey(type, in: server.folder)
        try server.authorize("")
        let other = try TemporaryKeyPair.generate(type: type, bits: type == "rsa" ? 2048 : nil, comment: "other")
        var credentials = SSHCredentials(
            username: NSUserName(), privateKeys: [SSHKey(pem: other.privateKey), try SSHKey.load(file)])
        await #expect(throws: GuestError.self) { _ = try await server.connect(as: credentials) }
        credentials.certificateFile = file + "-cert.pub"
        _ = try await server.connect(as: credentials)
    }

    @Test("a certificate for another key, or none at all, is told before the wait")
    func wrongCertificate() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = try signedKey("ed25519", in: folder)
        let other = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "other")
        for (path, reason) in [
            (file + "-cert.pub", "for another key"), (file + ".pub", "no OpenSSH certificate"),
            (folder + "/missing", "No such file"),
        ] {
            let credentials = SSHCredentials(
                username: "x", privateKeys: [SSHKey(pem: other.privateKey)], certificateFile: path)
            let error = await #expect(throws: BuildError.self) {
                _ = try await waitForSSH(
                    SSHEndpoint(host: "127.0.0.1", port: 1), credentials, SSHOptions(), timeout: .seconds(30),
                    handshakeAttempts: 1, onNews: { _ in })
            }
            #expect(error?.description.contains(reason) == true)
        }
    }

    /// Makes FOLDER/id, signed by FOLDER/authority.
    private func signedKey(_ type: String, in folder: String) throws -> String {
        let file = folder + "/id"
        try runTool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder + "/authority")
        try runTool("ssh-keygen", "-q", "-t", type, "-N", "", "-f", file)
        try runTool(
            "ssh-keygen", "-q", "-s", folder + "/authority", "-I", "test", "-n", NSUserName(), file + ".pub")
        return file
    }

    @Test("what is wrong with a key file is said, and each thing differently")
    func unusableKeyFiles() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try runTool("ssh-keygen", "-q", "-t", "ed25519", "-N", "phrase", "-f", folder + "/locked")
        try runTool("ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "phrase", "-f", folder + "/lockedPEM")
        try write("hello\n", to: folder + "/text")
        try write("PuTTY-User-Key-File-3: ssh-ed25519\n", to: folder + "/putty")
        for (name, reason) in [
            ("locked", "protected by a passphrase"), ("lockedPEM", "protected by a passphrase"),
            ("locked.pub", "public key"), ("text", "no private key"), ("putty", "PuTTY"),
            ("missing", "No such file"), ("", "not a regular file"),
        ] {
            let error = #expect(throws: BuildError.self) { try SSHKey.load(folder + "/" + name) }
            #expect(error?.description.contains(reason) == true, "\(name): \(String(describing: error))")
        }
    }

    @Test("a key in the agent lets in, and the guest may use the agent only where it is forwarded")
    func agent() async throws {
        let server = try SSHServer(.openSSH)
        let file = server.folder + "/id"
        try runTool("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-C", "in the agent", "-f", file)
        try server.authorize(try text(file + ".pub"))
        let socket = server.folder + "/agent"
        let agent = Process()
        agent.executableURL = URL(filePath: "/usr/bin/ssh-agent")
        agent.arguments = ["-D", "-a", socket]
        agent.standardOutput = FileHandle.nullDevice
        try agent.run()
        // Foundation starts it with its signals blocked.
        defer { kill(agent.processIdentifier, SIGKILL) }
        while !FileManager.default.fileExists(atPath: socket) { try await Task.sleep(for: .milliseconds(10)) }
        try runTool("ssh-add", "-q", file, environment: ["SSH_AUTH_SOCK": socket])

        let credentials = SSHCredentials(username: NSUserName(), usesAgent: true, agentSocket: socket)
        for forwards in [true, false] {
            let connection = try await server.connect(SSHOptions(forwardsAgent: forwards), as: credentials)
            let lines = Lines()
            let exit = try await connection.run("unset SSH_ASKPASS; ssh-add -l") { lines.add($0) }
            #expect((exit == .code(0)) == forwards)
            #expect(lines.output.contains { $0.contains("in the agent") } == forwards)
        }
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

import Crypto
import Foundation
import SSH
import Scopes
import Synchronization

/// A node of a fake cluster with a real SSH server, whose `qm importdisk` puts the disk into the cluster.
final class FakeNode: @unchecked Sendable {
    let folder = NSTemporaryDirectory() + "ingot-node-\(UUID().uuidString.prefix(8))"
    let port: Int
    /// As `ssh-keygen -l` prints it.
    private(set) var hostKeyFingerprint = ""
    private let process = Process()
    private var imports: Task<Void, Never>?

    init(_ cluster: FakeCluster, named name: String = "pve.example.com") throws {
        port = try Self.freePort()
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let keys = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "test")
        let host = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "host")
        try write(keys.privateKey.reveal(), to: "key", mode: 0o600)
        try write(keys.publicKey + "\n", to: "authorized_keys", mode: 0o600)
        try write(host.privateKey.reveal(), to: "host", mode: 0o600)
        try write(host.publicKey + "\n", to: "host.pub", mode: 0o600)
        // Asks the test by a file, and waits for its answer.
        try write(
            """
            #!/bin/sh
            [ "$1" = importdisk ] || exit 2
            echo "$2 $3 $4" >"\(folder)/request.partial"
            mv "\(folder)/request.partial" "\(folder)/request"
            for i in $(seq 500); do [ -e "\(folder)/request" ] || exit 0; sleep 0.02; done
            exit 1
            """, to: "qm", mode: 0o700)
        try write("#!/bin/sh\necho \(name)\n", to: "hostname", mode: 0o700)
        try write(
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized_keys
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin yes
            PasswordAuthentication no
            SetEnv PATH=\(folder):/usr/bin:/bin
            Subsystem sftp internal-sftp
            """, to: "sshd_config", mode: 0o600)
        try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        hostKeyFingerprint = try Self.fingerprint(of: host.publicKey)
        let log = Pipe()
        process.executableURL = URL(filePath: "/usr/sbin/sshd")
        process.arguments = ["-D", "-e", "-f", folder + "/sshd_config"]
        process.standardError = log
        try process.run()
        // It says when it listens.
        var said = Data()
        while !String(decoding: said, as: UTF8.self).contains("listening") {
            let more = log.fileHandleForReading.availableData
            if more.isEmpty { throw CocoaError(.executableNotLoadable) }
            said += more
        }
        let folder = folder
        imports = Task {
            while !Task.isCancelled {
                Self.answer(cluster, folder + "/request")
                try? await Task.sleep(for: .milliseconds(5))  // Cancelled, the loop ends.
            }
        }
    }

    func stop() {
        imports?.cancel()
        process.terminate()
        try? FileManager.default.removeItem(atPath: folder)  // The system clears its temporary folder too.
    }

    /// Images that were copied and not removed again.
    var left: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/var/tmp")) ?? []  // None is none.
        return names.filter { $0.hasPrefix("ingot-packer-vm-") || $0.hasPrefix("ingot-second-") }
    }

    private func write(_ text: String, to name: String, mode: Int) throws {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder + "/" + name)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw CocoaError(.featureUnsupported) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func answer(_ cluster: FakeCluster, _ request: String) {
        guard let text = try? String(contentsOfFile: request, encoding: .utf8) else { return }  // Nothing is asked.
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 3, let vmid = Int(words[0]), let data = FileManager.default.contents(atPath: words[1])
        else { return }
        cluster.state.withLock { state in
            let volume = "\(words[2]):" + state.freeVolume(on: words[2], vmid)
            state.storages[words[2]]?.volumes[volume] = .init(content: "images", data: data, owner: vmid)
            state.machines[vmid]?.config["unused0"] = volume
        }
        unlink(request)
    }

    private static func fingerprint(of line: String) throws -> String {
        let words = line.split(separator: " ")
        guard words.count >= 2, let blob = Data(base64Encoded: String(words[1])) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return "SHA256:" + Data(SHA256.hash(data: blob)).base64EncodedString().replacing("=", with: "")
    }
}

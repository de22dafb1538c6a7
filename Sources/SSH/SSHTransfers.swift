import CLibssh
package import Foundation
import Scopes

extension SSHConnection {
    /// Writes a file in the guest. Its folder must exist.
    package func upload(_ data: Data, to path: String, mode: UInt32) async throws {
        try await transfer(
            { sftp in try await self.write(data, to: path, mode: mode, over: sftp) },
            { try await self.sendBySCP(data, to: path, mode: mode) })
    }

    /// Copies a file into the guest, with its mode.
    package func upload(file: String, to path: String) async throws {
        let data = try Data(contentsOf: URL(filePath: file), options: .mappedIfSafe)
        try await upload(data, to: path, mode: try Self.mode(of: file))
    }

    /// Copies a folder: with a slash at its end what is in it, else the folder under its own name.
    package func uploadDirectory(_ local: String, to remote: String) async throws {
        let root = local.hasSuffix("/") ? remote : remote + "/" + URL(filePath: local).lastPathComponent
        _ = try await run("mkdir -p \(Self.quoted(root))") { _ in }
        let base = local.hasSuffix("/") ? String(local.dropLast()) : local
        let entries = try FileManager.default.subpathsOfDirectory(atPath: base).sorted()
        var folders: [String] = []
        var files: [String] = []
        for entry in entries {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: base + "/" + entry, isDirectory: &isDirectory) else {
                continue
            }
            if isDirectory.boolValue { folders.append(entry) } else { files.append(entry) }
        }
        for folder in folders {
            let exit = try await run("mkdir -p \(Self.quoted(root + "/" + folder))") { _ in }
            guard exit == .code(0) else {
                throw SSHError.other("the guest could not make the folder \(root)/\(folder)")
            }
        }
        for file in files { try await upload(file: base + "/" + file, to: root + "/" + file) }
    }

    /// Copies a file from the guest.
    package func download(_ remote: String, to local: String) async throws {
        let data = try await transfer(
            { sftp in try await self.read(remote, over: sftp) }, { try await self.receiveBySCP(remote) })
        try data.write(to: URL(filePath: local))
    }

    /// Copies what is in a folder of the guest, or what a pattern there matches.
    package func downloadDirectory(_ remote: String, to local: String) async throws {
        let names = Names()
        let pattern = remote.hasSuffix("/") ? Self.quoted(String(remote.dropLast())) : remote
        let exit = try await run("find \(pattern) -type f -print") { if !$0.isError { names.add($0.text) } }
        guard exit == .code(0) else { throw SSHError.other("the guest could not list \(remote)") }
        let base = remote.hasSuffix("/") ? remote : ""
        for name in names.all {
            let relative = base.isEmpty ? URL(filePath: name).lastPathComponent : String(name.dropFirst(base.count))
            // A hostile guest must not write outside the folder.
            guard !relative.split(separator: "/").contains("..") else { continue }
            let target = local + "/" + relative
            try FileManager.default.createDirectory(
                atPath: URL(filePath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try await download(name, to: target)
        }
    }

    private final class Names: @unchecked Sendable {
        private let lock = NSLock()
        private var names: [String] = []
        func add(_ name: String) { lock.withLock { names.append(name) } }
        var all: [String] { lock.withLock { names } }
    }

    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }

    private static func mode(of file: String) throws -> UInt32 {
        var status = stat()
        guard stat(file, &status) == 0 else { throw SSHError.other("\(file): \(String(cString: strerror(errno)))") }
        return status.st_mode & 0o777
    }

    private func transfer<Value: Sendable>(
        _ bySFTP: (sftp_session) async throws -> Value, _ bySCP: () async throws -> Value
    ) async throws -> Value {
        if options.transferMethod == .scp || lacksSFTP { return try await bySCP() }
        guard let sftp = try await openSFTP() else {
            if options.transferMethod == .sftp { throw SSHError.other("the guest has no SFTP") }
            lacksSFTP = true
            // Refused together with the connection: the next one begins with SCP.
            guard isAlive else { throw SSHError.disconnected("the guest has no SFTP and hung up") }
            return try await bySCP()
        }
        return try await bySFTP(sftp)
    }

    // MARK: SFTP

    /// nil when the guest has no SFTP.
    ///
    /// The greeting (draft-ietf-secsh-filexfer-02, section 4) is exchanged here, step by step: libssh's own way of doing it
    /// never ends when the server hangs up instead of answering.
    private func openSFTP() async throws -> sftp_session? {
        guard isAlive else { throw SSHError.disconnected("it was closed") }
        if let sftp { return sftp }
        let channel = try await openChannel()
        let requested = try await retry("asking for SFTP") { ssh_channel_request_sftp(channel.pointer) }
        guard requested == SSH_OK, try await exchangeVersions(channel) else {
            channel.free()
            return nil
        }
        guard let sftp = sftp_new_channel(session, channel.pointer) else { throw SSHError.other(lastError) }
        (sftp.pointee.version, sftp.pointee.client_version, sftp.pointee.server_version) = (3, 3, 3)
        var seconds: Int = 30
        ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &seconds)
        self.sftp = sftp
        return sftp
    }

    /// - Returns: Whether a server answered: false when the channel ended instead.
    private func exchangeVersions(_ channel: SSHChannel) async throws -> Bool {
        let greeting: [UInt8] = [0, 0, 0, 5, 1, 0, 0, 0, 3]
        guard ssh_channel_write(channel.pointer, greeting, UInt32(greeting.count)) == greeting.count else {
            return false
        }
        let clock = ContinuousClock()
        let start = clock.now
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while clock.now - start < .seconds(30) {
            let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(buffer.count), 0)
            if count > 0 { answer += buffer[..<Int(count)] }
            if answer.count >= 4 {
                let length = answer[..<4].reduce(0) { $0 << 8 | Int($1) }
                guard length >= 5, length < 4096 else { return false }
                if answer.count >= 4 + length { return answer[4] == 2 }
            }
            if count < 0 || ssh_channel_is_eof(channel.pointer) != 0 || !isAlive { return false }
            try await pause()
        }
        return false
    }

    private func write(_ data: Data, to path: String, mode: UInt32, over sftp: sftp_session) async throws {
        ssh_set_blocking(session, 1)
        defer { ssh_set_blocking(session, 0) }
        guard let file = sftp_open(sftp, path, O_WRONLY | O_CREAT | O_TRUNC, mode_t(mode)) else {
            throw failure("write \(path)", sftp)
        }
        defer { sftp_close(file) }
        var offset = 0
        while offset < data.count {
            try Task.checkCancellation()
            let piece = data[(data.startIndex + offset)..<(data.startIndex + min(offset + 32_000, data.count))]
            let count = piece.withUnsafeBytes { sftp_write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure("write \(path)", sftp) }
            offset += count
            if offset % (1 << 20) < 32_000 { await Task.yield() }
        }
        // The mode given at opening is cut by the guest's umask.
        guard sftp_chmod(sftp, path, mode_t(mode)) == 0 else { throw failure("set the mode of \(path)", sftp) }
    }

    private func read(_ path: String, over sftp: sftp_session) async throws -> Data {
        ssh_set_blocking(session, 1)
        defer { ssh_set_blocking(session, 0) }
        guard let file = sftp_open(sftp, path, O_RDONLY, 0) else { throw failure("read \(path)", sftp) }
        defer { sftp_close(file) }
        var data = Data()
        var buffer = [UInt8](repeating: 0, count: 32_000)
        while true {
            try Task.checkCancellation()
            let count = sftp_read(file, &buffer, buffer.count)
            guard count >= 0 else { throw failure("read \(path)", sftp) }
            if count == 0 { return data }
            data.append(contentsOf: buffer[..<count])
        }
    }

    private func failure(_ operation: String, _ sftp: sftp_session) -> SSHError {
        if ssh_is_connected(session) == 0 { return .disconnected(lastError) }
        let reasons = [
            2: "no such file or folder", 3: "permission denied", 4: "the guest failed, perhaps for want of room",
        ]
        let code = Int(sftp_get_error(sftp))
        return .other("the guest could not \(operation): \(reasons[code] ?? "SFTP error \(code)")")
    }
}

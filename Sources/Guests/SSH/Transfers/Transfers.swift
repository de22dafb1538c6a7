package import Foundation
import Guests
import Scopes

extension SSHConnection {
    /// Writes a file in the guest. Its folder must exist.
    package func upload(_ data: Data, to path: String, mode: UInt32) async throws {
        try await upload(.data(data), to: path, mode: mode)
    }

    /// Copies a file into the guest, with its mode.
    package func upload(file: String, to path: String) async throws {
        let file = try LocalFile(file)
        try await upload(.file(file), to: path, mode: file.mode)
    }

    private func upload(_ content: UploadContent, to path: String, mode: UInt32) async throws {
        let path = RemoteName.path(path)
        if let sftp = try await sftpIfUsed() {
            try await sendBySFTP(content, to: path, mode: mode, sftp)
        } else {
            try await sendBySCP(content, to: path, mode: mode)
        }
    }

    /// Copies a folder: with a slash at its end what is in it, else the folder under its own name. Links are followed,
    /// modes and empty folders kept; the folder to copy into is made if need be.
    package func uploadTree(_ local: String, to remote: String) async throws {
        let tree = try LocalTree(RemoteName.withoutSlashes(local))
        let name = local.hasSuffix("/") ? nil : URL(filePath: local).standardizedFileURL.lastPathComponent
        let remote = RemoteName.withoutSlashes(RemoteName.path(remote))
        if let sftp = try await sftpIfUsed() {
            try await sendTreeBySFTP(tree, name: name, into: remote, sftp)
        } else {
            try await sendTreeBySCP(tree, name: name, into: remote)
        }
    }

    /// Copies a file from the guest. The local one appears when it is complete.
    package func download(_ remote: String, to local: String) async throws {
        let remote = RemoteName.path(remote)
        if let sftp = try await sftpIfUsed() {
            try await receiveBySFTP(remote, to: local, sftp)
        } else {
            try await receiveBySCP(remote, to: local)
        }
    }

    /// Copies folders and files, which a pattern (`*?[`) may name, into a local folder, as `scp -r` does: each under its
    /// own name with all that is below it, or, with a slash at the end, what is in them. Links are followed; what is
    /// neither file nor folder is left out.
    package func downloadTree(_ remote: String, to local: String) async throws {
        var target = try DownloadTarget(local)
        let isContents = remote.hasSuffix("/")
        let pattern = RemoteName.withoutSlashes(RemoteName.path(remote))
        if let sftp = try await sftpIfUsed() {
            try await receiveTreeBySFTP(pattern, isContents: isContents, into: &target, sftp)
        } else {
            try await receiveTreeBySCP(pattern, isContents: isContents, into: &target)
        }
    }

    /// nil: SCP is to be used.
    private func sftpIfUsed() async throws -> SFTPChannel? {
        if options.transferMethod == .scp || lacksSFTP { return nil }
        if let sftp = try await openSFTP() { return sftp }
        if options.transferMethod == .sftp { throw GuestError.notTransferable("the guest has no SFTP") }
        lacksSFTP = true
        // Refused together with the connection: the next one begins with SCP.
        guard isAlive else { throw GuestError.connectionLost("the guest has no SFTP and hung up") }
        return nil
    }
}

import CLibssh
import Foundation
import Guests
import Scopes

/// The requests of SFTP, each with its answer waited for.
extension SSHConnection {
    /// nil when the guest has no SFTP.
    func openSFTP() async throws -> SFTPChannel? {
        guard isAlive else { throw GuestError.connectionLost("it was closed") }
        if let sftp, !sftp.hasEnded { return sftp }
        closeSFTP()
        let channel = try await openChannel()
        let sftp = SFTPChannel(channel)
        do {
            let requested = try await retry("asking for SFTP") { ssh_channel_request_sftp(channel.pointer) }
            let start = ContinuousClock.now
            while requested == SSH_OK && isAlive && !sftp.hasEnded && ContinuousClock.now - start < options.stallTimeout
            {
                sftp.exchange()
                if sftp.isReady {
                    // Another call may have been faster.
                    if let other = self.sftp, !other.hasEnded {
                        channel.free()
                        return other
                    }
                    self.sftp = sftp
                    return sftp
                }
                try await waitForNetwork()
            }
        } catch {
            channel.free()
            throw error
        }
        channel.free()
        return nil
    }

    private func closeSFTP() {
        sftp?.channel.free()
        sftp = nil
    }

    /// Waits for an answer, as long as anything moves.
    ///
    /// - Parameter operation: What it is for: "write /etc/motd".
    func reply(_ id: UInt32, _ sftp: SFTPChannel, _ operation: String) async throws -> SFTPReply {
        var seen = (progress: sftp.progress, at: ContinuousClock.now)
        do {
            while true {
                sftp.exchange()
                if let reply = sftp.takeReply(id) { return reply }
                if !isAlive { throw GuestError.connectionLost(lastError) }
                if sftp.hasEnded { throw GuestError.connectionLost("the guest's SFTP server ended") }
                if sftp.progress != seen.progress { seen = (sftp.progress, .now) }
                if ContinuousClock.now - seen.at > options.stallTimeout {
                    throw GuestError.timedOut("waiting for the guest to \(operation)")
                }
                try await waitForNetwork()
            }
        } catch {
            sftp.forget([id])
            throw error
        }
    }

    /// A request that is answered with a status only.
    func expectOK(_ id: UInt32, _ sftp: SFTPChannel, _ operation: String) async throws {
        let reply = try await reply(id, sftp, operation)
        guard case .status(SFTPReply.ok) = reply else { throw failure(operation, reply) }
    }

    func handle(_ id: UInt32, _ sftp: SFTPChannel, _ operation: String) async throws -> [UInt8] {
        let reply = try await reply(id, sftp, operation)
        guard case .handle(let handle) = reply else { throw failure(operation, reply) }
        return handle
    }

    /// - Parameter request: `status`, or `linkStatus` to see a link itself.
    /// - Returns: nil when there is nothing of that name.
    func attributes(
        of path: String, _ sftp: SFTPChannel, request: SFTPRequest = .status
    ) async throws -> SFTPAttributes? {
        let reply = try await reply(sftp.request(request) { $0.add(path.utf8) }, sftp, "look at \(path)")
        switch reply {
        case .attributes(let attributes): return attributes
        case .status(2): return nil
        default: throw failure("look at \(path)", reply)
        }
    }

    func realPath(of path: String, _ sftp: SFTPChannel) async throws -> String {
        let reply = try await reply(sftp.request(.realPath) { $0.add(path.utf8) }, sftp, "resolve \(path)")
        guard case .names(let names) = reply, let first = names.first else { throw failure("resolve \(path)", reply) }
        return first.name
    }

    /// The names in a folder, without itself and the one above.
    func list(_ path: String, _ sftp: SFTPChannel) async throws -> [SFTPName] {
        let operation = "list \(path)"
        let handle = try await handle(sftp.request(.openFolder) { $0.add(path.utf8) }, sftp, operation)
        defer { close(handle, sftp) }
        var names: [SFTPName] = []
        while true {
            let reply = try await reply(sftp.request(.readFolder) { $0.add(handle) }, sftp, operation)
            switch reply {
            case .names(let more):
                names += more.filter { $0.name != "." && $0.name != ".." }
                guard !more.isEmpty, names.count <= RemoteName.mostEntries else {
                    throw GuestError.notTransferable("the guest's listing of \(path) does not end")
                }
            case .status(SFTPReply.endOfFile): return names.sorted { $0.name < $1.name }
            default: throw failure(operation, reply)
            }
        }
    }

    /// Gives a handle back without waiting for the answer.
    func close(_ handle: [UInt8], _ sftp: SFTPChannel) {
        sftp.forget([sftp.request(.close) { $0.add(handle) }])
        sftp.exchange()
    }

    func failure(_ operation: String, _ reply: SFTPReply) -> GuestError {
        guard case .status(let code) = reply else {
            return .notTransferable("the guest could not \(operation): an odd answer")
        }
        let reasons: [UInt32: String] = [
            2: "no such file or folder", 3: "permission denied", 4: "the guest failed, perhaps for want of room",
            6: "the connection is gone", 7: "the connection is gone", 8: "its SFTP server does not know how",
        ]
        return .notTransferable("the guest could not \(operation): \(reasons[code] ?? "SFTP error \(code)")")
    }
}

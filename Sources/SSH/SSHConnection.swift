import CLibssh
import Foundation
import Scopes

/// One SSH session. libssh wants a session and its channels in one thread at a time, so they have a thread of their own;
/// every call is cut into slices, between which cancellation gets in.
package actor SSHConnection {
    nonisolated let executor = ThreadExecutor(name: "ssh")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let handle: SessionHandle
    var session: ssh_session { handle.pointer }
    var sftp: sftp_session? {
        get { handle.sftp }
        set { handle.sftp = newValue }
    }
    let options: SSHOptions
    /// SFTP turned out to be missing; SCP is used from then on.
    var lacksSFTP = false
    private var keepAlive: Task<Void, Never>?
    /// Closed by us, or found to be broken.
    private(set) var isClosed = false
    static let slice: Int32 = 50

    /// A session of libssh's, freed exactly once.
    private final class SessionHandle: @unchecked Sendable {  // Used on the actor's thread, freed on any.
        let pointer: ssh_session
        /// Opened for the first transfer and kept: some servers (dropbear) leave when their last channel closes, which
        /// would be between an upload and the command that it is for.
        var sftp: sftp_session?

        init(_ pointer: ssh_session) { self.pointer = pointer }

        deinit {
            sftp.map { sftp_free($0) }
            ssh_free(pointer)
        }
    }

    /// Connects and logs in.
    ///
    /// - Parameter onBanner: Called once the server has introduced itself.
    package static func connect(
        _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ options: SSHOptions,
        onBanner: @Sendable (String) -> Void = { _ in }
    ) async throws -> SSHConnection {
        ssh_init()
        guard let session = ssh_new() else { throw SSHError.other("libssh has no memory for a session") }
        let connection = SSHConnection(session: session, options: options)
        do {
            try await connection.open(endpoint, credentials, onBanner)
        } catch {
            await connection.close()
            throw error
        }
        await connection.startKeepAlive()
        return connection
    }

    private init(session: ssh_session, options: SSHOptions) {
        handle = SessionHandle(session)
        self.options = options
    }

    deinit { executor.stop() }

    /// Ends the session; commands that run on it end as lost.
    package func close() {
        keepAlive?.cancel()
        keepAlive = nil
        isClosed = true
        // Only the socket: disconnecting would free the channels of commands that still run, which find out by
        // themselves that they are cut off. The rest goes with the session.
        let descriptor = ssh_get_fd(session)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    package var isAlive: Bool { !isClosed && ssh_is_connected(session) != 0 }

    var hasError: Bool {
        ssh_get_error(UnsafeMutableRawPointer(session)).map { $0.pointee != 0 } ?? false
    }

    var lastError: String {
        let text = ssh_get_error(UnsafeMutableRawPointer(session)).map { String(cString: $0) } ?? ""
        return text.isEmpty ? "libssh gives no reason" : text
    }

    // MARK: Opening

    private func open(
        _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ onBanner: @Sendable (String) -> Void
    ) async throws {
        var no: Int32 = 0
        var level = SSH_LOG_NOLOG
        // Neither the user's configuration nor their known hosts have to do with a guest that is being built.
        ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no)
        ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &level)
        try set(SSH_OPTIONS_HOST, endpoint.host)
        try set(SSH_OPTIONS_USER, credentials.username)
        try set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null")
        if !options.ciphers.isEmpty {
            try set(SSH_OPTIONS_CIPHERS_C_S, options.ciphers.joined(separator: ","))
            try set(SSH_OPTIONS_CIPHERS_S_C, options.ciphers.joined(separator: ","))
        }
        if !options.keyExchange.isEmpty {
            try set(SSH_OPTIONS_KEY_EXCHANGE, options.keyExchange.joined(separator: ","))
        }

        let descriptor = try await TCPConnection.open(endpoint, timeout: .seconds(10))
        var socket = descriptor
        guard ssh_options_set(session, SSH_OPTIONS_FD, &socket) == 0 else {
            Foundation.close(descriptor)
            throw SSHError.other(lastError)
        }
        ssh_set_blocking(session, 0)
        let clock = ContinuousClock()
        let start = clock.now
        var hasBanner = false
        while true {
            let result = ssh_connect(session)
            if !hasBanner, let banner = ssh_get_serverbanner(session) {
                hasBanner = true
                onBanner(String(cString: banner))
            }
            if result == SSH_OK { break }
            // Behind a forwarded port the connection always comes up; it is the banner that tells of a server.
            guard result == SSH_AGAIN else { throw hasBanner ? SSHError.handshakeFailed(lastError) : SSHError.noBanner }
            if !hasBanner && clock.now - start > options.bannerTimeout { throw SSHError.noBanner }
            if clock.now - start > options.handshakeTimeout { throw SSHError.timedOut("shaking hands over SSH") }
            try await pause()
        }
        try await authenticate(credentials)
    }

    private func set(_ option: ssh_options_e, _ value: String) throws {
        guard ssh_options_set(session, option, value) == 0 else { throw SSHError.other(lastError) }
    }

    /// Lets the network and cancellation get in.
    func pause() async throws {
        try await Task.sleep(for: .milliseconds(10))
    }

    /// Calls until the answer is something else than "again", for a minute at most.
    func retry(_ what: String, limit: Duration = .seconds(60), _ call: () -> Int32) async throws -> Int32 {
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            let result = call()
            if result != SSH_AGAIN { return result }
            if !isAlive { throw SSHError.disconnected(lastError) }
            if clock.now - start > limit { throw SSHError.timedOut(what) }
            try await pause()
        }
    }

    /// A peer that is gone without a word is noticed when it does not take what is sent to it.
    private func startKeepAlive() {
        guard let interval = options.keepAliveInterval, interval > .zero else { return }
        keepAlive = Task { [weak self] in
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { return }
                guard let self, await self.sendKeepAlive() else { return }
            }
        }
    }

    private func sendKeepAlive() -> Bool {
        guard isAlive else { return false }
        return ssh_send_ignore(session, "") == SSH_OK
    }
}

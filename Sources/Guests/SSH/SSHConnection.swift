import CLibssh
import Crypto
import Foundation
import Guests
import Scopes

/// One SSH session. libssh wants a session and its channels in one thread at a time, so they have a thread of their own;
/// every call is cut into slices, between which cancellation and other calls get in.
package actor SSHConnection {
    nonisolated let executor = ThreadExecutor(name: "ssh")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    let handle: SessionHandle
    var session: ssh_session { handle.pointer }
    let options: SSHOptions
    /// Opened for the first transfer and kept: some servers (dropbear) leave when their last channel closes, which would
    /// be between an upload and the command that it is for.
    var sftp: SFTPChannel?
    /// SFTP turned out to be missing; SCP is used from then on.
    var lacksSFTP = false
    /// The socket of the agent that the guest may ask; nil: none is forwarded.
    private(set) var forwardedAgent: String?
    private var keepAlive: Task<Void, Never>?
    /// Closed by us, or found to be broken.
    private var isClosed = false
    /// Why we closed it, if it was for a reason.
    private var lossReason: String?
    private var heard: (bytes: UInt64, at: ContinuousClock.Instant) = (0, .now)
    /// How long the thread waits for the network before it looks after other calls, in milliseconds.
    private static let slice: Int32 = 20

    /// Connects and logs in.
    ///
    /// - Parameter onBanner: Called once the server has introduced itself.
    package static func connect(
        _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ options: SSHOptions,
        onBanner: @Sendable (String) -> Void = { _ in }
    ) async throws -> SSHConnection {
        let connection = SSHConnection(handle: try SessionHandle(), options: options)
        do {
            try await connection.open(endpoint, credentials, onBanner)
        } catch {
            await connection.close()
            throw error
        }
        await connection.startKeepAlive()
        return connection
    }

    private init(handle: SessionHandle, options: SSHOptions) {
        self.handle = handle
        self.options = options
    }

    deinit { executor.stop() }

    /// Ends the session; commands that run on it end as lost.
    package func close() { close(because: nil) }

    private func close(because reason: String?) {
        keepAlive?.cancel()
        keepAlive = nil
        if !isClosed { lossReason = reason }
        isClosed = true
        // Only the socket: disconnecting would free the channels of commands that still run, which find out by
        // themselves that they are cut off. The rest goes with the session.
        let descriptor = ssh_get_fd(session)
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    package var isAlive: Bool { !isClosed && ssh_is_connected(session) != 0 }

    /// `SHA256:…` of the server's key, as `ssh-keygen -l` prints it.
    package var hostKeyFingerprint: String? {
        var key: ssh_key?
        guard ssh_get_server_publickey(session, &key) == SSH_OK, let key else { return nil }
        defer { ssh_key_free(key) }
        var line: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(key, &line) == SSH_OK, let line else { return nil }
        defer { ssh_string_free_char(line) }
        guard let blob = Data(base64Encoded: String(cString: line)) else { return nil }
        return "SHA256:" + Data(SHA256.hash(data: blob)).base64EncodedString().replacing("=", with: "")
    }

    var lastError: String {
        if let lossReason { return lossReason }
        let text = ssh_get_error(UnsafeMutableRawPointer(session)).map { String(cString: $0) } ?? ""
        return text.isEmpty ? "libssh gives no reason" : text
    }

    // MARK: Opening

    private func open(
        _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ onBanner: @Sendable (String) -> Void
    ) async throws {
        try configure(endpoint, credentials)
        let descriptor = try await TCPConnection.open(endpoint, timeout: options.connectTimeout)
        var socket = descriptor
        guard ssh_options_set(session, SSH_OPTIONS_FD, &socket) == 0 else {
            Foundation.close(descriptor)
            throw GuestError.other(lastError)
        }
        ssh_set_blocking(session, 0)
        let start = ContinuousClock.now
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
            let passed = ContinuousClock.now - start
            if !hasBanner && passed > options.bannerTimeout { throw SSHError.noBanner }
            if passed > options.handshakeTimeout { throw SSHError.timedOut("shaking hands over SSH") }
            try await waitForNetwork()
        }
        // Before anything secret is sent.
        if let wanted = options.hostKeyFingerprint, hostKeyFingerprint != wanted {
            throw SSHError.handshakeFailed(
                "the server's key is \(hostKeyFingerprint ?? "unknown"), and \(wanted) was expected")
        }
        try await authenticate(credentials)
    }

    private func configure(_ endpoint: SSHEndpoint, _ credentials: SSHCredentials) throws {
        var no: Int32 = 0
        var level = SSH_LOG_NOLOG
        // Neither the user's configuration nor their known hosts have to do with a guest that is being built.
        ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no)
        ssh_options_set(session, SSH_OPTIONS_LOG_VERBOSITY, &level)
        try set(SSH_OPTIONS_HOST, endpoint.host)
        try set(SSH_OPTIONS_USER, credentials.username)
        try set(SSH_OPTIONS_KNOWNHOSTS, "/dev/null")
        try set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null")
        let agent = credentials.agentSocket ?? ProcessInfo.processInfo.environment["SSH_AUTH_SOCK"]
        if let agent, !agent.isEmpty {
            try set(SSH_OPTIONS_IDENTITY_AGENT, agent)
            if options.forwardsAgent {
                forwardedAgent = agent
                handle.allowAgentChannels()
            }
        }
        if !options.ciphers.isEmpty {
            try set(SSH_OPTIONS_CIPHERS_C_S, options.ciphers.joined(separator: ","))
            try set(SSH_OPTIONS_CIPHERS_S_C, options.ciphers.joined(separator: ","))
        }
        if !options.keyExchange.isEmpty {
            try set(SSH_OPTIONS_KEY_EXCHANGE, options.keyExchange.joined(separator: ","))
        }
    }

    private func set(_ option: ssh_options_e, _ value: String) throws {
        guard ssh_options_set(session, option, value) == 0 else { throw GuestError.other(lastError) }
    }

    // MARK: Waiting

    /// Waits until the network brings or takes something, for a slice at most; then cancellation and other calls get in.
    func waitForNetwork() async throws {
        try Task.checkCancellation()
        var events = Int16(POLLIN)
        if ssh_get_poll_flags(session) & SSH_WRITE_PENDING != 0 { events |= Int16(POLLOUT) }
        let descriptor = ssh_get_fd(session)
        // The peer sends its small packets one at a time, each after the last was acknowledged: at once, then, and not
        // after the usual 40 ms. The system forgets this again and again.
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_QUICKACK, &on, socklen_t(MemoryLayout<Int32>.size))
        var waiting = pollfd(fd: descriptor, events: events, revents: 0)
        poll(&waiting, 1, Self.slice)
        relayToAgent()
        await Task.yield()
        if handle.receivedBytes != heard.bytes {
            noteLife()
        } else if let limit = options.readWriteTimeout, ContinuousClock.now - heard.at > limit {
            close(because: "nothing came from the guest for \(limit.text) (ssh_read_write_timeout)")
        }
    }

    /// The silence that ssh_read_write_timeout limits starts anew.
    func noteLife() { heard = (handle.receivedBytes, .now) }

    /// Calls until the answer is something else than "again", for as long as a stall may last.
    func retry(_ what: String, _ call: () -> Int32) async throws -> Int32 {
        let start = ContinuousClock.now
        while true {
            let result = call()
            if result != SSH_AGAIN { return result }
            if !isAlive { throw GuestError.connectionLost(lastError) }
            if ContinuousClock.now - start > options.stallTimeout { throw GuestError.timedOut(what) }
            try await waitForNetwork()
        }
    }

    // MARK: Keep-alive

    /// A peer that is gone without a word answers no question: after three in a row the connection is given up.
    private func startKeepAlive() {
        guard let interval = options.keepAliveInterval, interval > .zero else { return }
        keepAlive = Task { [weak self] in
            var heard = UInt64.max
            var unanswered = 0
            let patience = self?.options.silencePatience ?? .zero
            while !Task.isCancelled {
                do { try await Task.sleep(for: interval) } catch { return }
                guard let self, let bytes = await self.askForLife() else { return }
                unanswered = bytes == heard ? unanswered + 1 : 0
                heard = bytes
                let silence = interval * unanswered
                guard unanswered >= 3, silence >= patience else { continue }
                await self.close(because: "the guest answers nothing for \(silence.text)")
            }
        }
    }

    /// - Returns: How much has been received so far; nil when the connection is over.
    private func askForLife() -> UInt64? {
        guard isAlive else { return nil }
        // To stop forwarding a port that is not forwarded is refused by every server, and so answered; of libssh's global
        // requests it is the one without effect. The first call takes the last question's answer, if there is one; the
        // second asks, if none is open.
        for _ in 0..<2 { ssh_channel_cancel_forward(session, "localhost", 0) }
        return handle.receivedBytes
    }
}

import Scopes
import Synchronization

/// What the wait for SSH sees.
package enum SSHNews: Sendable, Equatable, CustomStringConvertible {
    case portClosed
    case noBanner
    case banner(String)
    case handshakeFailed(String)
    case refused(String)
    case problem(String)

    package var description: String {
        switch self {
        case .portClosed: "the port is closed"
        case .noBanner: "the guest does not answer on its SSH port yet"
        case .banner(let text): "a server answers: \(text)"
        case .handshakeFailed(let reason): "the handshake failed: \(reason)"
        case .refused(let reason): reason
        case .problem(let reason): reason
        }
    }
}

/// Tries to log in until it works.
///
/// - Parameters:
///   - timeout: nil is no limit.
///   - handshakeAttempts: How many refused logins are borne; 0 is no limit. Nothing else counts.
///   - onNews: Called when what is seen changes.
/// - Throws: `SSHError.authenticationRefused`, `TimedOut`, `CancellationError`.
package func waitForSSH(
    _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ options: SSHOptions, timeout: Duration?,
    handshakeAttempts: Int, onNews: @escaping @Sendable (SSHNews) -> Void
) async throws -> SSHConnection {
    let last = Mutex<SSHNews?>(nil)
    let tell: @Sendable (SSHNews) -> Void = { news in
        let isNew = last.withLock { last in
            defer { last = news }
            return last != news
        }
        if isNew { onNews(news) }
    }
    return try await withDeadline(timeout, "waiting for SSH at \(endpoint.host), port \(endpoint.port)") {
        var refusals = 0
        var options = options
        for attempt in 1... {
            var wait = Duration.milliseconds(250)
            // QEMU's network asks a guest that is still booting again ever more rarely, so a new connection finds the
            // server sooner than an old one; now and then a slow server gets its time.
            options.bannerTimeout = attempt % 4 == 0 ? .seconds(15) : .seconds(2)
            do {
                return try await SSHConnection.connect(endpoint, credentials, options) { tell(.banner($0)) }
            } catch let error as SSHError {
                switch error {
                case .connectionRefused: tell(.portClosed)
                case .noBanner: tell(.noBanner)
                case .handshakeFailed(let reason): tell(.handshakeFailed(reason))
                case .authenticationRefused:
                    refusals += 1
                    tell(.refused("\(error)"))
                    if handshakeAttempts > 0 && refusals >= handshakeAttempts { throw error }
                    // A guest that has just come up may still be about to learn the password.
                    wait = .seconds(2)
                case .disconnected, .timedOut, .other: tell(.problem("\(error)"))
                }
            }
            try await Task.sleep(for: wait)
        }
        throw CancellationError()
    }
}

/// A shell in the guest that is connected anew when the guest has rebooted.
package actor ReconnectingSSH {
    private var current: SSHConnection?
    private let endpoint: SSHEndpoint
    private let credentials: SSHCredentials
    private var options: SSHOptions

    package init(
        _ connection: SSHConnection, endpoint: SSHEndpoint, credentials: SSHCredentials, options: SSHOptions
    ) {
        current = connection
        self.endpoint = endpoint
        self.credentials = credentials
        self.options = options
    }

    /// The connection, or a new one within `timeout`.
    package func connection(timeout: Duration) async throws -> SSHConnection {
        if let current, await current.isAlive { return current }
        // A guest that hangs up when asked for SFTP is not asked again.
        if let current, options.transferMethod == nil, await current.lacksSFTP { options.transferMethod = .scp }
        await close()
        let connection = try await waitForSSH(
            endpoint, credentials, options, timeout: timeout, handshakeAttempts: 10, onNews: { _ in })
        current = connection
        return connection
    }

    package func close() async {
        await current?.close()
        current = nil
    }
}

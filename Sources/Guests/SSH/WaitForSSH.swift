import Guests
import Scopes
import Synchronization

/// What the wait for SSH sees.
package enum SSHNews: Sendable, Equatable, CustomStringConvertible {
    case portClosed
    /// The network leads nowhere, the name is unknown, or nothing accepts the connection.
    case unreachable(String)
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
        case .unreachable(let reason), .refused(let reason), .problem(let reason): reason
        }
    }

    fileprivate init(_ error: any Error) {
        switch error {
        case SSHError.connectionRefused: self = .portClosed
        case SSHError.unreachable, SSHError.hostNotFound: self = .unreachable("\(error)")
        case SSHError.noBanner: self = .noBanner
        case SSHError.handshakeFailed(let reason): self = .handshakeFailed(reason)
        case GuestError.loginRefused: self = .refused("\(error)")
        default: self = .problem("\(error)")
        }
    }

    /// Whether no server was there: the next one may be another.
    fileprivate var isSilence: Bool {
        switch self {
        case .portClosed, .unreachable, .noBanner: true
        case .banner, .handshakeFailed, .refused, .problem: false
        }
    }
}

/// Passes on what has changed. Each attempt sees the server's banner and then how the login goes, so these two are
/// remembered apart.
private final class NewsFilter: Sendable {
    private let last = Mutex<(banner: SSHNews?, outcome: SSHNews?)>((nil, nil))

    func isNew(_ news: SSHNews) -> Bool {
        last.withLock { last in
            if case .banner = news {
                defer { last.banner = news }
                return last.banner != news
            }
            defer { last.outcome = news }
            if news.isSilence { last.banner = nil }
            return last.outcome != news
        }
    }
}

/// Tries to log in until it works.
///
/// - Parameters:
///   - timeout: nil is no limit.
///   - handshakeAttempts: How many refused logins are borne; 0 is no limit. Nothing else counts.
///   - onNews: Called when what is seen changes.
/// - Throws: `GuestError.loginRefused`, `BuildError` for a key or certificate that is none, `TimedOut`,
///   `CancellationError`.
package func waitForSSH(
    _ endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ options: SSHOptions, timeout: Duration?,
    handshakeAttempts: Int, onNews: @escaping @Sendable (SSHNews) -> Void
) async throws -> SSHConnection {
    // Told at once, not when the guest is up.
    _ = try credentials.importKeys()
    let filter = NewsFilter()
    let tell: @Sendable (SSHNews) -> Void = { if filter.isNew($0) { onNews($0) } }
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
            } catch let error where error is SSHError || error is GuestError {
                tell(SSHNews(error))
                if case GuestError.loginRefused = error {
                    refusals += 1
                    if handshakeAttempts > 0 && refusals >= handshakeAttempts { throw error }
                    // A guest that has just come up may still be about to learn the password.
                    wait = .seconds(2)
                }
            }
            try await Task.sleep(for: wait)
        }
        throw CancellationError()
    }
}

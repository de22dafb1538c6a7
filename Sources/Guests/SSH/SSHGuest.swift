package import Guests
import Scopes

extension SSHConnection: GuestConnection {
    package nonisolated var dialect: GuestDialect { .posix }
    package nonisolated var description: String { "SSH" }

    /// Files are not asked for over SFTP any more: by the options, or because the guest has none.
    fileprivate var usesSCP: Bool { options.transferMethod == .scp || lacksSFTP }

    /// The guest at the end of this connection, which is connected again in the same way after the connection was lost.
    package nonisolated func reconnecting(
        to endpoint: SSHEndpoint, _ credentials: SSHCredentials, _ options: SSHOptions
    ) -> ReconnectingGuest {
        ReconnectingGuest(self) { previous, timeout in
            var options = options
            // Some guests hang up when they are asked for SFTP, so they are asked once.
            if let previous = previous as? SSHConnection, options.transferMethod == nil, await previous.usesSCP {
                options.transferMethod = .scp
            }
            return try await waitForSSH(
                endpoint, credentials, options, timeout: timeout, handshakeAttempts: 10, onNews: { _ in })
        }
    }
}

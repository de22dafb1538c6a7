import Scopes

/// A shell in the guest that is connected anew when the guest has rebooted.
package actor ReconnectingSSH {
    private var current: SSHConnection?
    private var isConnecting = false
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

    /// The connection, or a new one within `timeout`. Of several callers one connects, the others get what it got.
    package func connection(timeout: Duration) async throws -> SSHConnection {
        let deadline = ContinuousClock.now + timeout
        while isConnecting {
            guard ContinuousClock.now < deadline else { throw TimedOut("waiting for SSH", limit: timeout) }
            try await Task.sleep(for: .milliseconds(10))
        }
        isConnecting = true
        defer { isConnecting = false }
        if let current, await current.isAlive { return current }
        // A guest that hangs up when asked for SFTP is not asked again.
        if let current, options.transferMethod == nil, await current.lacksSFTP { options.transferMethod = .scp }
        await close()
        let connection = try await waitForSSH(
            endpoint, credentials, options, timeout: max(deadline - .now, .milliseconds(1)), handshakeAttempts: 10,
            onNews: { _ in })
        current = connection
        return connection
    }

    package func close() async {
        let connection = current
        current = nil
        await connection?.close()
    }
}

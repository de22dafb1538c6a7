package import Foundation
import Scopes

/// A guest over any transport that is connected again after its connection was lost.
package actor ReconnectingGuest: Guest {
    /// Makes a new connection within `timeout`.
    ///
    /// - Parameter previous: The connection that was lost, for what was learned over it; nil after `close`.
    package typealias Connect =
        @Sendable (_ previous: (any GuestConnection)?, _ timeout: Duration) async throws -> any GuestConnection

    package nonisolated let dialect: GuestDialect
    package nonisolated let description: String
    private var current: (any GuestConnection)?
    private var isConnecting = false
    private let connect: Connect

    package init(_ connection: any GuestConnection, connect: @escaping Connect) {
        dialect = connection.dialect
        description = connection.description
        current = connection
        self.connect = connect
    }

    /// Of several callers one connects, and the others get what it got.
    package func ensureConnected(timeout: Duration) async throws {
        let deadline = ContinuousClock.now + timeout
        while isConnecting {
            guard ContinuousClock.now < deadline else { throw TimedOut("connecting to the guest", limit: timeout) }
            try await Task.sleep(for: .milliseconds(10))
        }
        isConnecting = true
        defer { isConnecting = false }
        if let current, await current.isAlive { return }
        let previous = current
        await close()
        current = try await connect(previous, max(deadline - .now, .milliseconds(1)))
    }

    package func run(
        _ command: String, timeout: Duration?, onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        try await connection.run(command, timeout: timeout, onOutput: onOutput)
    }

    package func upload(_ data: Data, to path: String, mode: UInt32) async throws {
        try await connection.upload(data, to: path, mode: mode)
    }

    package func upload(file: String, to path: String) async throws {
        try await connection.upload(file: file, to: path)
    }

    package func uploadTree(_ local: String, to remote: String) async throws {
        try await connection.uploadTree(local, to: remote)
    }

    package func download(_ remote: String, to local: String) async throws {
        try await connection.download(remote, to: local)
    }

    package func downloadTree(_ remote: String, to local: String) async throws {
        try await connection.downloadTree(remote, to: local)
    }

    package var isAlive: Bool {
        get async { await current?.isAlive ?? false }
    }

    package func close() async {
        let connection = current
        current = nil
        await connection?.close()
    }

    private var connection: any GuestConnection {
        get throws {
            guard let current else { throw GuestError.connectionLost("it was closed") }
            return current
        }
    }
}

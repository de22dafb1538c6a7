package import Foundation

/// One connection to a guest: commands run over it and files are copied over it until it is gone.
package protocol GuestConnection: Sendable, CustomStringConvertible {
    /// How commands are written for the guest's shell.
    var dialect: GuestDialect { get }

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - timeout: nil for no limit. A command that exceeds it may keep running in the guest.
    ///   - onOutput: Called for each line of output, from any thread.
    /// - Returns: How the command ended; `.lostConnection` where the connection was lost after the command had started.
    /// - Throws: `GuestError`, also for a command that was not started and for a timeout; `CancellationError`.
    func run(
        _ command: String, timeout: Duration?, onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus

    /// Writes a file in the guest. Its folder must exist.
    ///
    /// - Parameter mode: The permission bits, where the guest has them.
    /// - Throws: `GuestError`, `CancellationError`.
    func upload(_ data: Data, to path: String, mode: UInt32) async throws

    /// Copies a file into the guest, with its mode.
    ///
    /// - Throws: `GuestError`, `Reason` for a local file that cannot be read, `CancellationError`.
    func upload(file: String, to path: String) async throws

    /// Copies a folder into a folder of the guest, which is created if need be: its content where `local` ends in a slash,
    /// else the folder under its own name. Links are followed; modes and empty folders are kept.
    ///
    /// - Throws: `GuestError`, `Reason` for a local file that cannot be read, `CancellationError`.
    func uploadTree(_ local: String, to remote: String) async throws

    /// Copies a file from the guest. The local file appears when it is complete.
    ///
    /// - Throws: `GuestError`, `Reason` for a local file that cannot be written, `CancellationError`.
    func download(_ remote: String, to local: String) async throws

    /// Copies folders and files, which a pattern (`*?[`) may name, into a local folder: each under its own name, or, where
    /// `remote` ends in a slash, the content of the folders. Links are followed; what is neither a file nor a folder is
    /// skipped.
    ///
    /// - Throws: `GuestError`, `Reason` for a local file that cannot be written, `CancellationError`.
    func downloadTree(_ remote: String, to local: String) async throws

    /// Whether the connection works, as far as is known without using it.
    var isAlive: Bool { get async }

    /// Ends the connection; commands that run over it end as lost.
    func close() async
}

/// A guest that can be connected again, for example after a reboot. Its calls use the current connection and fail with
/// `GuestError.connectionLost` where there is none.
package protocol Guest: GuestConnection {
    /// Returns at once where the connection works, and connects again where it does not.
    ///
    /// - Throws: `GuestError.loginRefused`, `TimedOut`, `CancellationError`.
    func ensureConnected(timeout: Duration) async throws
}

extension GuestConnection {
    /// Runs a command to its end, without a time limit.
    package func run(
        _ command: String, onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        try await run(command, timeout: nil, onOutput: onOutput)
    }
}

/// How a command in a guest ended.
package enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    case code(Int)
    case signal
    /// The connection was lost before the guest reported how the command ended.
    case lostConnection

    package var description: String {
        switch self {
        case .code(let code): "exit status \(code)"
        case .signal: "a signal"
        case .lostConnection: "a lost connection"
        }
    }
}

/// A line that a command in a guest wrote, without its line break.
package struct OutputChunk: Sendable, Equatable {
    package var text: String
    /// It came from standard error.
    package var isError: Bool

    package init(text: String, isError: Bool) {
        self.text = text
        self.isError = isError
    }
}

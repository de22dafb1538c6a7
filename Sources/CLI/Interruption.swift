import Foundation
import Scopes
import Synchronization

/// Ctrl-C, SIGTERM and a closed terminal: the first signal stops the work and lets it clean up, the second ends the
/// process at once.
struct Interruption {
    /// Runs `body` in a task that the first signal cancels.
    ///
    /// - Parameter announce: Called with the signal's name when it arrives.
    /// - Returns: The result of `body`, and the signal that interrupted it.
    func run<Value: Sendable>(
        announce: @escaping @Sendable (String) -> Void, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> (Value, signal: Int32?) {
        let received = Mutex<Int32?>(nil)
        let work = Task { try await body() }
        let stream = Self.hangsUp ? signals(SIGINT, SIGTERM, SIGHUP) : signals(SIGINT, SIGTERM)
        let listener = Task {
            for await number in stream {
                let isSecond = received.withLock { received in
                    defer { received = received ?? number }
                    return received != nil
                }
                if isSecond { _exit(128 + number) }
                announce([SIGINT: "interrupt", SIGHUP: "hangup"][number] ?? "terminated")
                work.cancel()
            }
        }
        defer { listener.cancel() }
        let value = try await work.value
        return (value, received.withLock { $0 })
    }

    /// Whether closing the terminal ends this program; under `nohup` it does not.
    private static let hangsUp: Bool = {
        var action = sigaction()
        guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            != unsafeBitCast(SIG_IGN, to: Int.self)
    }()
}

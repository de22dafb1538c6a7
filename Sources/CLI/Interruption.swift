import Foundation
import Scopes
import Synchronization

/// Ctrl-C and SIGTERM: the first stops the work and lets it clean up, the second leaves at once.
struct Interruption {
    /// Runs `body` in a task that the first signal cancels.
    ///
    /// - Parameter announce: Called with the signal's name when it arrives.
    /// - Returns: What `body` gave, and the signal that interrupted it.
    func run<Value: Sendable>(
        announce: @escaping @Sendable (String) -> Void, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> (Value, signal: Int32?) {
        let received = Mutex<Int32?>(nil)
        let work = Task { try await body() }
        let stream = signals(SIGINT, SIGTERM)
        let listener = Task {
            for await number in stream {
                let isSecond = received.withLock { received in
                    defer { received = received ?? number }
                    return received != nil
                }
                if isSecond { _exit(128 + number) }
                announce(number == SIGINT ? "interrupt" : "terminated")
                work.cancel()
            }
        }
        defer { listener.cancel() }
        let value = try await work.value
        return (value, received.withLock { $0 })
    }
}

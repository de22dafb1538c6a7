import Synchronization

/// The teardowns of a scope, run newest first.
package final class Teardowns: Sendable {
    /// Undoes an acquisition; is passed the outcome of the scope.
    package typealias Action = @Sendable (Result<Void, any Error>) async throws -> Void
    private let pending = Mutex<[(name: String, action: Action)]>([])

    /// Registers a teardown for what was just acquired.
    ///
    /// - Parameter name: An infinitive such as "stop the machine".
    package func add(_ name: String, _ action: @escaping Action) {
        pending.withLock { $0.append((name, action)) }
    }

    fileprivate func run(after outcome: Result<Void, any Error>, report: (BuildError) -> Void) async {
        while let next = pending.withLock({ $0.popLast() }) {
            do { try await next.action(outcome) } catch {
                report(BuildError(operation: next.name, underlying: error))
            }
        }
    }
}

/// Runs `body`, then every teardown it added, even when the calling task is cancelled.
///
/// The error of `body` takes precedence: a failed teardown is reported and never replaces it.
package func withTeardowns<Value: Sendable>(
    report: @escaping @Sendable (BuildError) -> Void, _ body: (Teardowns) async throws -> Value
) async throws -> Value {
    let teardowns = Teardowns()
    let result: Result<Value, any Error>
    do { result = .success(try await body(teardowns)) } catch { result = .failure(error) }
    let outcome = result.map { _ in }
    // A new task does not see the cancellation of this one; it is awaited at once, so it stays structured.
    await Task { await teardowns.run(after: outcome, report: report) }.value
    return try result.get()
}

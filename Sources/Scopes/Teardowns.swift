import Synchronization

/// What a scope acquired, undone newest first.
package final class Teardowns: Sendable {
    package typealias Action = @Sendable (Result<Void, any Error>) async throws -> Void
    private let pending = Mutex<[(name: String, action: Action)]>([])

    /// Registers what undoes the acquisition on the line above; `name` is an infinitive such as "stop the machine".
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
/// The error of `body` wins: a teardown that fails is reported, never thrown over it.
package func withTeardowns<Value: Sendable>(
    report: @escaping @Sendable (BuildError) -> Void, _ body: (Teardowns) async throws -> Value
) async throws -> Value {
    let teardowns = Teardowns()
    let result: Result<Value, any Error>
    do { result = .success(try await body(teardowns)) } catch { result = .failure(error) }
    let outcome = result.map { _ in }
    // Awaited at once, so still structured; a fresh task does not see our cancellation.
    await Task { await teardowns.run(after: outcome, report: report) }.value
    return try result.get()
}

/// Runs `body`, which must react to cancellation, for at most `limit`; nil means no limit.
///
/// - Parameter operation: A gerund such as "waiting for SSH".
/// - Throws: `TimedOut` when the limit is reached, `CancellationError` when the caller was cancelled.
package func withDeadline<Value: Sendable>(
    _ limit: Duration?, _ operation: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let limit else { return try await body() }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        guard let value = first else { throw TimedOut(operation, limit: limit) }
        return value
    }
}

/// Calls `body` at an interval until it returns a value.
///
/// - Parameter operation: A gerund such as "waiting for SSH".
/// - Throws: What `body` throws, `TimedOut` at the limit, `CancellationError`.
package func poll<Value: Sendable>(
    _ operation: String, every interval: Duration, limit: Duration?,
    _ body: @escaping @Sendable () async throws -> Value?
) async throws -> Value {
    try await withDeadline(limit, operation) {
        while true {
            if let value = try await body() { return value }
            try await Task.sleep(for: interval)
        }
    }
}

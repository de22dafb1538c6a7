import Foundation
import Synchronization

/// Asks blocking work to stop.
package final class CancellationFlag: Sendable {
    private let isSet = Atomic(false)

    package init() {}

    /// Cancels the work.
    package func cancel() { isSet.store(true, ordering: .relaxed) }
    /// Whether the work has been cancelled.
    package var isCancelled: Bool { isSet.load(ordering: .relaxed) }

    /// Call this between pieces of work.
    ///
    /// - Throws: `CancellationError` once the work is cancelled.
    package func check() throws {
        if isSet.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Runs blocking work on a thread of its own, so that no other task waits for it.
///
/// - Parameter body: Must check the flag often; the call returns when the body does.
package func onOwnThread<Value: Sendable>(
    _ name: String, _ body: @escaping @Sendable (CancellationFlag) throws -> Value
) async throws -> Value {
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result { try body(flag) }) }
            thread.name = name
            thread.stackSize = 1 << 20
            thread.start()
        }
    } onCancel: {
        flag.cancel()
    }
}

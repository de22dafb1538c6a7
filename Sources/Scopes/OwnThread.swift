import Foundation
import Synchronization

/// Tells blocking work that it is no longer wanted.
package final class CancellationFlag: Sendable {
    private let isSet = Atomic(false)

    package init() {}

    package func cancel() { isSet.store(true, ordering: .relaxed) }
    package var isCancelled: Bool { isSet.load(ordering: .relaxed) }

    /// - Throws: `CancellationError` once the work is cancelled. Call it between pieces of work.
    package func check() throws {
        if isSet.load(ordering: .relaxed) { throw CancellationError() }
    }
}

/// Runs work that blocks on a thread of its own, so that no other task waits for it.
///
/// - Parameter body: Has to look at the flag often; the call returns when the body does.
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

import Foundation
import Scopes

/// Runs a call of libvirt's that may take long on a thread of its own, so that other machines' calls go on.
///
/// - Parameter watch: Called every 20 ms on another thread until the call is over, and told whether the task was
///   cancelled; it must see to it that the call ends then. It may still run when the call has just ended.
/// - Throws: What the call throws; `CancellationError` instead when the task was cancelled.
func watchedCall<Value: Sendable>(
    _ name: String, _ call: @escaping @Sendable () throws -> Value,
    watch: @escaping @Sendable (_ isCancelled: Bool) -> Void
) async throws -> Value {
    let done = CancellationFlag()
    async let watching: Void = onOwnThread(name + "-watch") { flag in
        while !done.isCancelled {
            watch(flag.isCancelled)
            usleep(20_000)
        }
    }
    let result = try await onOwnThread(name) { flag in
        defer { done.cancel() }
        return Result {
            try flag.check()
            return try call()
        }
    }
    try await watching
    if case .failure = result { try Task.checkCancellation() }
    return try result.get()
}

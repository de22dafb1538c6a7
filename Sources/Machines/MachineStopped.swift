import Synchronization

/// Why a machine is gone.
package struct MachineStopped: Error, Sendable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case shutDown, destroyed, crashed, failed, migrated, saved, unknown
        /// Paused by QEMU, which does so when the disk image's file system is full.
        case outOfRoom
        /// The guest's kernel is dead; its last words. QEMU still runs.
        case panicked(String)

        /// Whether there is no machine any more.
        package var isEnd: Bool {
            switch self {
            case .outOfRoom, .panicked: false
            default: true
            }
        }
    }
    package var reason: Reason
    /// The end of QEMU's own log, where it tells something.
    package var log: [String]

    package init(reason: Reason, log: [String] = []) {
        self.reason = reason
        self.log = log
    }

    package var description: String {
        let words =
            switch reason {
            case .shutDown: "the machine powered itself off"
            case .destroyed: "the machine was stopped from outside"
            case .crashed: "the machine crashed"
            case .failed: "QEMU ended unexpectedly"
            case .migrated: "the machine moved to another host"
            case .saved: "the machine was saved"
            case .unknown: "the machine is gone"
            case .panicked(let words): "the guest's kernel panicked: \(words)"
            case .outOfRoom: "QEMU paused the machine, because no room is left where its disk image is"
            }
        return words + (log.isEmpty ? "" : "; QEMU says:\n  " + log.joined(separator: "\n  "))
    }
}

/// The end of one machine, for everyone who waits for it.
package final class StopSignal: Sendable {
    private struct State {
        var reason: MachineStopped.Reason?
        var waiters: [Int: CheckedContinuation<MachineStopped.Reason?, Never>] = [:]
        var next = 0
    }
    private let state = Mutex(State())

    package init() {}

    package func stop(_ reason: MachineStopped.Reason) {
        let waiters = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: reason) }
    }

    package var reason: MachineStopped.Reason? { state.withLock { $0.reason } }

    /// The reason once there is one; nil when the task is cancelled first.
    package func wait() async -> MachineStopped.Reason? {
        let id = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: MachineStopped.Reason?? = state.withLock { state in
                    if let reason = state.reason { return .some(reason) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[id] = continuation
                    return .none
                }
                if case .some(let reason) = known { continuation.resume(returning: reason) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
    }

    /// Runs `body`, and ends it as soon as the machine stops.
    ///
    /// - Parameter isStopping: Asked where `body` fails: whether the machine is about to stop, so that the failure is only a
    ///   symptom.
    /// - Returns: nil where the machine has stopped.
    /// - Throws: What `body` throws, `CancellationError`.
    package func whileRunning<Value: Sendable>(
        isStopping: @escaping @Sendable () async -> Bool, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let result = try await withThrowingTaskGroup(of: Result<Value, any Error>?.self) { group in
            group.addTask {
                do { return .success(try await body()) } catch {
                    if !(error is CancellationError), await isStopping() { return nil }
                    return .failure(error)
                }
            }
            group.addTask {
                guard await self.wait() != nil else { throw CancellationError() }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        return try result?.get()
    }
}

import Synchronization

/// Why a machine is gone.
package struct MachineStopped: Error, Sendable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case shutDown, destroyed, crashed, failed, migrated, saved, unknown
        /// Paused by QEMU, which does so when the disk image's file system is full.
        case outOfRoom
        /// Paused without Ingot having asked for it; why, in QEMU's words such as `internal-error`. QEMU still runs.
        case paused(String)
        /// The guest's kernel is dead; its last words. QEMU still runs.
        case panicked(String)

        /// Whether there is no machine any more.
        package var isEnd: Bool {
            switch self {
            case .outOfRoom, .paused, .panicked: false
            default: true
            }
        }

        /// Whether QEMU's log may explain it.
        package var isExplainedByLog: Bool {
            switch self {
            case .crashed, .failed, .unknown, .paused: true
            default: false
            }
        }
    }
    package var reason: Reason
    /// The end of QEMU's own log, where it explains the end.
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
            case .paused("internal-error"):
                "the hypervisor could not run the guest's code, and QEMU stopped the machine (internal error); "
                    + "accelerator = \"tcg\" may run it, slowly"
            case .paused("watchdog"): "the guest's watchdog expired, and QEMU paused the machine"
            case .paused("io-error"): "QEMU paused the machine after an I/O error of one of its disks"
            case .paused("guest-panicked"): "the guest reported a panic, and QEMU paused the machine"
            case .paused(""), .paused("paused"): "the machine was paused from outside"
            case .paused(let words): "QEMU paused the machine (\(words))"
            }
        return words + (log.isEmpty ? "" : "; QEMU says:\n  " + log.joined(separator: "\n  "))
    }
}

extension MachineStopped.Reason {
    /// Why QEMU holds a machine.
    ///
    /// - Parameters:
    ///   - status: What the monitor's `info status` prints: `VM status: paused (io-error)`.
    ///   - disks: What `info block` prints.
    /// - Returns: nil for a machine that runs, or is being turned off.
    package init?(status: String, disks: String) {
        guard let state = status.firstMatch(of: /VM status: paused(?: \(([a-z -]+)\))?/) else { return nil }
        let words = state.1.map(String.init) ?? ""
        if words == "shutdown" { return nil }
        self = words == "io-error" && disks.contains(/I\/O status: *nospace/) ? .outOfRoom : .paused(words)
    }
}

/// The end of one machine, for everyone who waits for it.
package final class StopSignal: Sendable {
    private struct State {
        var reason: MachineStopped.Reason?
        /// How many calls of our own are under way that may pause the machine.
        var pausing = 0
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

    /// Does not treat a pause of the machine as its end while `body` runs.
    package func whilePausing<Value>(_ body: () async throws -> Value) async throws -> Value {
        state.withLock { $0.pausing += 1 }
        defer { state.withLock { $0.pausing -= 1 } }
        return try await body()
    }

    package var mayBePaused: Bool { state.withLock { $0.pausing > 0 } }

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

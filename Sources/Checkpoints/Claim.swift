import Files
import Foundation
import Scopes

/// The right to run a stage, until `release()` or the end of the process.
package final class StageClaim: Sendable {
    private let lock: FileLock

    fileprivate init(_ lock: FileLock) { self.lock = lock }

    /// Ends the claim; a second call does nothing.
    package func release() { lock.release() }
}

extension CheckpointStore {
    /// Waits until no other build runs the stage. Resolve again afterwards: the other one may have made the checkpoint.
    ///
    /// There is no limit to the wait: a stage may take hours, and a claim is free as soon as its build dies.
    ///
    /// - Parameter waiting: Called once if another build runs the stage.
    package func claim(_ key: StageKey, waiting: @Sendable () -> Void) async throws -> StageClaim {
        let file = "\(path)/stages/\(key.text).lock"
        var attempt = 0
        while true {
            try Task.checkCancellation()
            if let lock = try FileLock.attempt(file, .exclusive, making: true) { return StageClaim(lock) }
            // Pruning holds the lock for an instant, which need not be reported.
            if attempt == 1 { waiting() }
            attempt += 1
            try await Task.sleep(for: .milliseconds(attempt == 1 ? 20 : 200))
        }
    }
}

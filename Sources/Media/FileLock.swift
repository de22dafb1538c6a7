import Foundation
import Scopes

/// Holds a lock file while `body` runs, so that of two builds only one downloads.
///
/// Waits for another holder for at most six hours, the time a large medium may take on a slow line, and answers
/// cancellation. The file stays: removing it would let a third build lock another one of the same name.
func withFileLock<Value>(
    _ path: String, _ operation: String, onWait: () -> Void, _ body: () async throws -> Value
) async throws -> Value {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemFailure(operation, "the lock \(path): ") }
    defer { close(descriptor) }
    let limit = Duration.seconds(6 * 3600)
    let start = ContinuousClock.now
    var isFirst = true
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        guard errno == EWOULDBLOCK || errno == EINTR else { throw systemFailure(operation, "the lock \(path): ") }
        guard ContinuousClock.now - start < limit else {
            throw TimedOut("waiting for another build that holds \(path)", limit: limit)
        }
        if isFirst { onWait() }
        isFirst = false
        try await Task.sleep(for: .milliseconds(200))
    }
    return try await body()
}

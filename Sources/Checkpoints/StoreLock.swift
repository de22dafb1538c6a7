import Files
import Foundation
import Scopes

/// Runs `body` while no other process, and no other task of this one, changes which folders a store has.
///
/// It is held for moments; a holder that does not let go for a minute is an error.
func withStoreLock<Value>(_ store: String, _ flag: CancellationFlag? = nil, _ body: () throws -> Value) throws -> Value
{
    let path = store + "/lock"
    let limit = ContinuousClock.now + .seconds(60)
    while true {
        try flag?.check()
        if let lock = try FileLock.attempt(path, .exclusive, making: true) {
            defer { lock.release() }
            return try body()
        }
        guard ContinuousClock.now < limit else {
            throw BuildError(
                "use the checkpoints in \(store)", because: "another process has held \(path) for a minute",
                hint: "Look for a build that hangs: `fuser \(path)`.")
        }
        usleep(5000)
    }
}

extension CheckpointStore {
    func withLock<Value>(_ flag: CancellationFlag? = nil, _ body: () throws -> Value) throws -> Value {
        try withStoreLock(path, flag, body)
    }
}

import Glibc
import Scopes
import Synchronization

/// An advisory lock on a file, held until `release()` or the end of the process, however that comes about.
///
/// Two of them conflict in one process as they do between two. A value that is kept only for its lock needs a
/// `release()` where it may go: the compiler drops what it sees no further use of.
package final class FileLock: Sendable {
    package enum Kind { case shared, exclusive }

    private let descriptor: Mutex<Int32>

    private init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { release() }

    /// Gives up the lock; a second call does nothing.
    package func release() {
        descriptor.withLock { descriptor in
            guard descriptor >= 0 else { return }
            // A child of ours that has not reached its exec yet shares the descriptor: closing alone would not unlock.
            flock(descriptor, LOCK_UN)
            close(descriptor)
            descriptor = -1
        }
    }

    /// - Returns: nil when another holder is in the way, or the file was removed meanwhile.
    /// - Throws: `BuildError`, also when the file is not there and is not to be made.
    package static func attempt(_ path: String, _ kind: Kind, making: Bool = false) throws -> FileLock? {
        // Network file systems want a file that is open for writing for an exclusive lock.
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (making ? O_CREAT : 0), 0o600)
        guard descriptor >= 0 else { throw systemFailure("open the lock \(path)") }
        let lock = FileLock(descriptor)
        guard flock(descriptor, (kind == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw systemFailure("lock \(path)") }
            return nil
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { return nil }
        return lock
    }
}

import Files
import Foundation
import Scopes
import Synchronization

/// A folder for what the machine writes in a stage, leased until `abandon()` or `remove()`.
///
/// Its lease ends with the value, too: keep it with an `abandon()` in a teardown.
package final class StageFolder: Sendable {
    package let id: String
    package let path: String
    /// The folder whose layers these stand on.
    package let parent: String?
    private let store: CheckpointStore
    private let lease: FileLock

    fileprivate init(id: String, parent: String?, lease: FileLock, store: CheckpointStore) {
        self.id = id
        path = store.path + "/" + id
        self.parent = parent
        self.lease = lease
        self.store = store
    }

    /// Gives up the lease. A folder that is no checkpoint by then is garbage, unless others that are leased stand on it.
    package func abandon() { lease.release() }

    /// Leaves the folder, with all that it stands on, to the user until it is removed by name, or the mark is removed.
    ///
    /// - Returns: The path of the mark.
    /// - Throws: `BuildError` when the disk is full or the like.
    package func keep() throws -> String {
        let (operation, mark) = ("keep \(path)", path + "/kept")
        let descriptor = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw systemFailure(operation) }
        close(descriptor)
        return mark
    }

    /// Gives up the lease and removes the folder, unless it became a checkpoint, others stand on it or use it.
    package func remove() throws {
        lease.release()
        let chosen = try store.withLock {
            let folders = StoredFolders(store.path)
            guard let folder = folders.all[id], case .unfinished = folder.state, folders.descendants(of: id).isEmpty
            else { return false }
            return try store.setAside(folder)
        }
        if chosen { store.removeWhatIsSetAside() }
    }
}

extension CheckpointStore {
    /// Whether a folder has become a checkpoint.
    package func isCheckpoint(_ id: String) -> Bool { fileStatus("\(path)/\(id)/\(Manifest.fileName)") != nil }

    /// Makes a folder for what a stage writes.
    ///
    /// - Parameter parent: The id of the folder that its layers stand on, which the caller holds a lease on; nil for a
    ///   first stage.
    package func makeFolder(parent: String?) throws -> StageFolder {
        let operation = "make a folder for a checkpoint in \(path)"
        return try withLock {
            if let parent, fileStatus(path + "/" + parent + "/lease") == nil {
                throw BuildError(
                    operation, because: "the checkpoint \(parent), which it stands on, is not there any more",
                    hint: "Run the build again.")
            }
            let id = randomID()
            let folder = path + "/" + id
            guard mkdir(folder, 0o700) == 0 else { throw systemFailure(operation, in: path) }
            do {
                let content = Data((parent ?? "").utf8)
                try writeWhole(content, to: folder + "/parent", beside: folder + "/parent.partial", in: folder)
                guard let lease = try FileLock.attempt(folder + "/lease", .shared, making: true) else {
                    throw BuildError(operation, because: "its lock was taken")
                }
                return StageFolder(id: id, parent: parent, lease: lease, store: self)
            } catch {
                // What can't be removed now is garbage for the next pruning.
                try? FileManager.default.removeItem(atPath: folder)
                throw error
            }
        }
    }

    /// Takes leases on folders. Called under the lock.
    func lease(_ ids: [String]) throws -> [FileLock] {
        try ids.map { id in
            guard let lease = try FileLock.attempt("\(path)/\(id)/lease", .shared) else {
                throw BuildError("use the checkpoint \(id)", because: "it is being removed", hint: "Try again.")
            }
            return lease
        }
    }
}

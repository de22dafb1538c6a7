import Files
import Foundation
import Scopes
import Synchronization

/// A folder for the data that the machine writes in a stage, leased until `abandon()` or `remove()`.
///
/// The lease also ends with the object: keep it alive with an `abandon()` in a teardown.
package final class StageFolder: Sendable {
    /// The id, which is the name of the folder.
    package let id: String
    /// The absolute path of the folder.
    package let path: String
    /// The id of the folder with the backing files of these layers.
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

    /// Ends the lease. A folder that is not a checkpoint is garbage then, unless a leased folder depends on it.
    package func abandon() { lease.release() }

    /// Keeps the folder and its ancestors until the user removes the folder by id, or until the mark is removed.
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

    /// Ends the lease and removes the folder, unless it is a checkpoint, has descendants or is in use.
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

    /// Makes a folder for the data of a stage.
    ///
    /// - Parameter parent: The id of the folder with the backing files of its layers, which the caller must have leased; nil
    ///   for a first stage.
    package func makeFolder(parent: String?) throws -> StageFolder {
        let operation = "make a folder for a checkpoint in \(path)"
        return try withLock {
            if let parent, fileStatus(path + "/" + parent + "/lease") == nil {
                throw BuildError(
                    operation, because: "its parent, the checkpoint \(parent), no longer exists",
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
                // If this fails, the next pruning removes it.
                try? FileManager.default.removeItem(atPath: folder)
                throw error
            }
        }
    }

    /// Takes leases on folders. Call this under the lock.
    func lease(_ ids: [String]) throws -> [FileLock] {
        try ids.map { id in
            guard let lease = try FileLock.attempt("\(path)/\(id)/lease", .shared) else {
                throw BuildError("use the checkpoint \(id)", because: "it is being removed", hint: "Try again.")
            }
            return lease
        }
    }
}

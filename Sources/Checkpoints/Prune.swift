import Files
import Foundation
import Scopes

/// A folder that was removed from the store.
package struct Removed: Sendable, Equatable {
    /// The id of the folder.
    package var id: String
    /// The title of its stage, such as "provisioner 2: shell"; nil if it was not a checkpoint.
    package var title: String?
    /// Its size on disk.
    package var bytes: Int64
}

extension CheckpointStore {
    /// Removes garbage, then checkpoints without descendants in the order of their last use, until the limits are met.
    ///
    /// Checkpoints in use and their ancestors stay. Those that a newer run of the same stage replaced are removed before
    /// others.
    ///
    /// - Parameters:
    ///   - limit: The most bytes that all folders may take together; nil for no limit.
    ///   - age: Checkpoints that have not been used for longer are removed; nil for no limit.
    package func prune(limit: Int64?, olderThan age: Duration?) throws -> [Removed] {
        defer { removeWhatIsSetAside() }
        return try withLock {
            removeStrays()
            var pruning = Pruning(StoredFolders(path), store: self)
            try pruning.removeGarbage()
            let oldest = age.map { now().addingTimeInterval(-Double($0.components.seconds)) }
            try pruning.removeLeaves(limit: limit, usedBefore: oldest)
            return pruning.removed
        }
    }

    /// Takes a folder out of the store, to be removed later. Call this under the lock.
    ///
    /// - Returns: false if it is in use.
    func setAside(_ folder: StoredFolder) throws -> Bool {
        if fileStatus(folder.leasePath) != nil {
            guard let lock = try FileLock.attempt(folder.leasePath, .exclusive) else { return false }
            lock.release()
        }
        guard rename(folder.path, "\(path)/.removed-\(folder.id)") == 0 else {
            throw systemFailure("remove the checkpoint \(folder.path)")
        }
        return true
    }

    /// Removes folders that any process has set aside.
    func removeWhatIsSetAside() {
        for name in names(in: path) where name.hasPrefix(".removed-") {
            // Another process may be removing it too. A failed removal is tried again at the next pruning.
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    /// Removes files that a killed process was writing, and the locks of stages that no process runs. Call this under the
    /// lock, under which all of them are written.
    private func removeStrays() {
        for name in names(in: path) where name.hasPrefix(".partial-") { unlink(path + "/" + name) }
        for name in names(in: path + "/stages") where name.hasSuffix(".lock") {
            let file = path + "/stages/" + name
            // A file that cannot be locked is in use, or is tried again at the next pruning.
            guard let lock = try? FileLock.attempt(file, .exclusive) else { continue }
            unlink(file)
            lock.release()
        }
    }
}

/// Chooses the folders to remove.
private struct Pruning {
    private var folders: StoredFolders
    private let store: CheckpointStore
    /// The folders with a lease, and their ancestors.
    private var inUse: Set<String> = []
    private(set) var removed: [Removed] = []

    init(_ folders: StoredFolders, store: CheckpointStore) {
        self.folders = folders
        self.store = store
        for folder in folders.all.values where folder.isLeased { inUse.formUnion(ancestors(of: folder)) }
    }

    /// The folder and its existing ancestors.
    private func ancestors(of folder: StoredFolder) -> Set<String> {
        var result: Set<String> = []
        var next: StoredFolder? = folder
        while let folder = next, result.insert(folder.id).inserted { next = folder.parent.flatMap { folders.all[$0] } }
        return result
    }

    /// Removes folders that are not checkpoints, and checkpoints that can never be used again because a file of them or of
    /// an ancestor is missing.
    mutating func removeGarbage() throws {
        var kept = inUse
        let damaged = Set(folders.all.values.filter { isDamaged($0) }.map(\.id))
        func isUsable(_ folder: StoredFolder) -> Bool {
            folders.wholeChain(of: folder.id).map { !$0.contains { damaged.contains($0.id) } } ?? false
        }
        for folder in folders.all.values where folder.isForeign || isUsable(folder) {
            kept.formUnion(ancestors(of: folder))
        }
        let garbage = folders.all.values.filter { !kept.contains($0.id) }
        // Descendants are removed first.
        for folder in garbage.sorted(by: { ancestors(of: $0).count > ancestors(of: $1).count }) {
            _ = try remove(folder, bytes: folder.bytes)
        }
    }

    private func isDamaged(_ folder: StoredFolder) -> Bool {
        guard let manifest = folder.manifest else { return false }
        do { try manifest.check(in: folder.path) } catch { return true }
        return false
    }

    mutating func removeLeaves(limit: Int64?, usedBefore oldest: Date?) throws {
        guard limit != nil || oldest != nil else { return }
        let sizes = folders.all.mapValues(\.bytes)
        var total = sizes.values.reduce(0, +)
        let superseded = superseded
        while true {
            let parents = Set(folders.all.values.compactMap(\.parent))
            let leaves = folders.all.values.filter { !parents.contains($0.id) && !inUse.contains($0.id) }
            func isBefore(_ one: StoredFolder, _ other: StoredFolder) -> Bool {
                let (first, second) = (superseded.contains(one.id), superseded.contains(other.id))
                if first != second { return first }
                return (one.lastUse, one.id) < (other.lastUse, other.id)
            }
            let isTooMuch = limit.map { total > $0 } ?? false
            let candidates = isTooMuch ? leaves : leaves.filter { leaf in oldest.map { leaf.lastUse < $0 } ?? false }
            guard let leaf = candidates.min(by: isBefore) else { return }
            let bytes = sizes[leaf.id] ?? 0
            if try remove(leaf, bytes: bytes) { total -= bytes } else { inUse.insert(leaf.id) }
        }
    }

    /// The ids of checkpoints that a newer run replaced, and of their descendants.
    private var superseded: Set<String> {
        let manifests = folders.manifests
        let replaced = manifests.filter { manifests.newest($0.key, parent: $0.parent)?.id != $0.id }
        return Set(replaced.flatMap { [$0.id] + folders.descendants(of: $0.id).map(\.id) })
    }

    private mutating func remove(_ folder: StoredFolder, bytes: Int64) throws -> Bool {
        guard try store.setAside(folder) else { return false }
        folders.all[folder.id] = nil
        removed.append(Removed(id: folder.id, title: folder.manifest?.title, bytes: bytes))
        return true
    }
}

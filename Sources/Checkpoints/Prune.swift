import Files
import Foundation
import Scopes

/// A folder that was removed from the store.
package struct Removed: Sendable, Equatable {
    package var id: String
    /// What it was: "provisioner 2: shell"; nil for what was no checkpoint.
    package var title: String?
    /// What it took on the medium.
    package var bytes: Int64
}

extension CheckpointStore {
    /// Removes garbage, then checkpoints that nothing stands on, in the order of their last use, until the limits hold.
    ///
    /// What is in use and what that stands on stays. Checkpoints that a newer run of the same stage replaced go before
    /// others.
    ///
    /// - Parameters:
    ///   - limit: What all folders together may take, in bytes; nil: no limit.
    ///   - age: Those that have not been used for longer go; nil: none.
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

    /// Takes a folder out of the store; removing it is for later.
    ///
    /// Called under the lock.
    ///
    /// - Returns: false when it is in use.
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

    /// Removes what was set aside, by whichever process.
    func removeWhatIsSetAside() {
        for name in names(in: path) where name.hasPrefix(".removed-") {
            // Another process may be at it too. What can't be removed is tried again at the next pruning.
            try? FileManager.default.removeItem(atPath: path + "/" + name)
        }
    }

    /// Removes files that a killed process was writing, and the locks of stages that nobody runs. Under the lock, where
    /// all of them are written.
    private func removeStrays() {
        for name in names(in: path) where name.hasPrefix(".partial-") { unlink(path + "/" + name) }
        for name in names(in: path + "/stages") where name.hasSuffix(".lock") {
            let file = path + "/stages/" + name
            // One that can't be locked is in use, or tried again at the next pruning.
            guard let lock = try? FileLock.attempt(file, .exclusive) else { continue }
            unlink(file)
            lock.release()
        }
    }
}

/// The choice of what goes.
private struct Pruning {
    private var folders: StoredFolders
    private let store: CheckpointStore
    /// Leased, or an ancestor of what is.
    private var inUse: Set<String> = []
    private(set) var removed: [Removed] = []

    init(_ folders: StoredFolders, store: CheckpointStore) {
        self.folders = folders
        self.store = store
        for folder in folders.all.values where folder.isLeased { inUse.formUnion(ancestors(of: folder)) }
    }

    /// The folder and all that it stands on, as far as they are there.
    private func ancestors(of folder: StoredFolder) -> Set<String> {
        var result: Set<String> = []
        var next: StoredFolder? = folder
        while let folder = next, result.insert(folder.id).inserted { next = folder.parent.flatMap { folders.all[$0] } }
        return result
    }

    /// What is no checkpoint, has lost a file or stands on what has: it can't be resolved ever again.
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
        // What stands on others goes first.
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

    /// Those that a newer run replaced, with all that stands on them.
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

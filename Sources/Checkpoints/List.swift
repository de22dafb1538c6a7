package import Foundation
import Scopes

/// A checkpoint as `list` shows it.
package struct StoredCheckpoint: Sendable {
    /// The id, which is the name of its folder.
    package var id: String
    /// The absolute path of its folder.
    package var folder: String
    /// The id of the checkpoint of the stage before; nil for a first stage.
    package var parent: String?
    /// nil if it cannot be read.
    package var manifest: Manifest?
    /// Why it cannot be used: its own damage, or that of an ancestor.
    package var damage: String?
    /// Its size on disk.
    package var bytes: Int64
    /// When a build last used it.
    package var lastUse: Date
    /// Whether a build uses it or one of its descendants.
    package var isInUse: Bool
}

/// The result of removing checkpoints.
package struct Removal: Sendable, Equatable {
    /// The removed checkpoints, including descendants.
    package var removed: [Removed] = []
    /// The ids of checkpoints that stay because they or their descendants are in use.
    package var inUse: [String] = []
    /// The ids that no checkpoint has.
    package var unknown: [String] = []

    package init(removed: [Removed] = [], inUse: [String] = [], unknown: [String] = []) {
        self.removed = removed
        self.inUse = inUse
        self.unknown = unknown
    }
}

extension CheckpointStore {
    /// All checkpoints, including damaged ones, each after its parent; those still being written are left out.
    package func list() throws -> [StoredCheckpoint] {
        let (folders, leased) = try withLock {
            let folders = StoredFolders(path)
            return (folders, Set(folders.all.values.filter(\.isLeased).map(\.id)))
        }
        let shown = folders.all.values.filter { if case .unfinished = $0.state { $0.isKept } else { true } }
        let sorted = shown.sorted { one, other in
            let (first, second) = (folders.chain(of: one.id)?.count ?? 0, folders.chain(of: other.id)?.count ?? 0)
            return (first, one.manifest?.createdMilliseconds ?? 0, one.id)
                < (second, other.manifest?.createdMilliseconds ?? 0, other.id)
        }
        return sorted.map { folder in
            StoredCheckpoint(
                id: folder.id, folder: folder.path, parent: folder.parent, manifest: folder.manifest,
                damage: damage(of: folder, in: folders), bytes: folder.bytes, lastUse: folder.lastUse,
                isInUse: leased.contains(folder.id)
                    || folders.descendants(of: folder.id).contains { leased.contains($0.id) })
        }
    }

    private func damage(of folder: StoredFolder, in folders: StoredFolders) -> String? {
        switch folder.state {
        case .damaged(let reason): return reason
        case .foreign: return "it was made by another version of Ingot"
        case .unfinished: return folder.isKept ? "it was kept after a failure" : "it is not complete"
        case .whole(let manifest):
            if manifest.store != path { return "it was made in \(manifest.store)" }
            do { try manifest.check(in: folder.path) } catch {
                return (error as? DamagedCheckpoint)?.reason ?? "\(error)"
            }
            return folders.wholeChain(of: folder.id) == nil ? "an ancestor of it is missing or damaged" : nil
        }
    }

    /// Removes checkpoints and their descendants. Those in use stay, and are listed in the result.
    package func remove(ids: [String]) throws -> Removal {
        defer { removeWhatIsSetAside() }
        return try withLock {
            var folders = StoredFolders(path)
            var result = Removal()
            for id in ids {
                guard let folder = folders.all[id] else {
                    if !result.removed.contains(where: { $0.id == id }) { result.unknown.append(id) }
                    continue
                }
                let tree = [folder] + folders.descendants(of: id)
                guard !tree.contains(where: \.isLocked) else {
                    result.inUse.append(id)
                    continue
                }
                // Descendants are removed first.
                let depths = Dictionary(
                    uniqueKeysWithValues: tree.map { ($0.id, folders.chain(of: $0.id)?.count ?? 0) })
                for folder in tree.sorted(by: { depths[$0.id, default: 0] > depths[$1.id, default: 0] }) {
                    let entry = Removed(id: folder.id, title: folder.manifest?.title, bytes: folder.bytes)
                    guard try setAside(folder) else { continue }
                    folders.all[folder.id] = nil
                    result.removed.append(entry)
                }
            }
            return result
        }
    }
}

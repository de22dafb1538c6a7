package import Foundation
import Scopes

/// A checkpoint as `list` shows it.
package struct StoredCheckpoint: Sendable {
    package var id: String
    package var folder: String
    package var parent: String?
    /// nil where it can't be read.
    package var manifest: Manifest?
    /// Why it is not used: its own damage, or that of what it stands on.
    package var damage: String?
    /// What it takes on the medium.
    package var bytes: Int64
    package var lastUse: Date
    /// Whether a build uses it, or what stands on it.
    package var isInUse: Bool
}

/// What became of checkpoints that were to be removed.
package struct Removal: Sendable, Equatable {
    /// With all that stood on them.
    package var removed: [Removed] = []
    /// Those that stay since they, or what stands on them, are in use.
    package var inUse: [String] = []
    package var unknown: [String] = []

    package init(removed: [Removed] = [], inUse: [String] = [], unknown: [String] = []) {
        self.removed = removed
        self.inUse = inUse
        self.unknown = unknown
    }
}

extension CheckpointStore {
    /// All checkpoints, the damaged ones too, each after what it stands on; not what is still being written.
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
        case .foreign: return "it is of another version of Ingot"
        case .unfinished: return folder.isKept ? "it was kept after a failure" : "it is not complete"
        case .whole(let manifest):
            if manifest.store != path { return "it was made in \(manifest.store)" }
            do { try manifest.check(in: folder.path) } catch {
                return (error as? DamagedCheckpoint)?.reason ?? "\(error)"
            }
            return folders.wholeChain(of: folder.id) == nil ? "what it stands on is gone or damaged" : nil
        }
    }

    /// Removes checkpoints with everything that stands on them. What is in use stays, and is told.
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
                // What stands on others goes first.
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

import Files
import Foundation
import Scopes

/// A folder of the store as it is found.
struct StoredFolder {
    enum State {
        /// It is being written, or whoever wrote it died or gave up.
        case unfinished
        case whole(Manifest)
        /// Another version's, which is left alone as long as there is room.
        case foreign
        case damaged(String)
    }

    var id: String
    var path: String
    /// By the file `parent`, which is there before the manifest is.
    var parent: String?
    var state: State
    var lastUse: Date

    var manifest: Manifest? { if case .whole(let manifest) = state { manifest } else { nil } }
    var isForeign: Bool { if case .foreign = state { true } else { false } }

    init(id: String, path: String) {
        self.id = id
        self.path = path
        let parent = readSmallFile(path + "/parent", limit: 64).map { String(decoding: $0, as: UTF8.self) }
        self.parent = parent.flatMap { isID($0) ? $0 : nil }
        let used = fileStatus(path + "/used") ?? fileStatus(path)
        lastUse = used.map { Date(timeIntervalSince1970: Double($0.stamp.modification) / 1e9) } ?? .distantPast
        let file = path + "/" + Manifest.fileName
        guard let data = readSmallFile(file, limit: Manifest.maximumSize) else {
            state = fileStatus(file) == nil ? .unfinished : .damaged("\(Manifest.fileName) is not readable")
            return
        }
        do {
            let manifest = try Manifest(data, id: id)
            state = manifest.parent == self.parent ? .whole(manifest) : .damaged("the file parent was changed")
        } catch {
            switch error {
            case .foreign: state = .foreign
            case .damaged(let reason): state = .damaged(reason)
            }
        }
    }

    var leasePath: String { path + "/lease" }

    /// Whether it was left to the user, who removes it.
    var isKept: Bool { fileStatus(path + "/kept") != nil }

    /// Whether the folder has to stay. Asked under the store's lock.
    var isLeased: Bool { isKept || isLocked }

    /// Whether some process uses the folder. Asked under the store's lock.
    var isLocked: Bool {
        guard fileStatus(leasePath) != nil else { return false }
        // A lock that can't be looked at may be held.
        guard let lock = try? FileLock.attempt(leasePath, .exclusive) else { return true }
        lock.release()
        return false
    }

    /// What the folder takes on the medium, in bytes.
    var bytes: Int64 {
        var total: Int64 = 0
        for name in FileManager.default.enumerator(atPath: path).map({ Array($0) }) ?? [] {
            guard let name = name as? String, let status = fileStatus(path + "/" + name) else { continue }
            total += status.allocated
        }
        return total
    }
}

/// All folders of a store and how they stand on each other.
struct StoredFolders {
    var all: [String: StoredFolder] = [:]

    init(_ store: String) {
        for name in names(in: store) where isID(name) {
            let path = store + "/" + name
            guard fileStatus(path)?.isFolder == true else { continue }
            all[name] = StoredFolder(id: name, path: path)
        }
    }

    var manifests: [Manifest] { all.values.compactMap(\.manifest) }

    /// The folder and those that it stands on, the first stage's first; nil where one is missing.
    func chain(of id: String) -> [StoredFolder]? {
        var chain: [StoredFolder] = []
        var next: String? = id
        while let id = next {
            // A chain has no circles unless somebody made them.
            guard let folder = all[id], chain.count <= all.count else { return nil }
            chain.append(folder)
            next = folder.parent
        }
        return chain.reversed()
    }

    /// The manifests of a checkpoint and its ancestors; nil where one of them is none.
    func wholeChain(of id: String) -> [Manifest]? {
        guard let chain = chain(of: id) else { return nil }
        let manifests = chain.compactMap(\.manifest)
        return manifests.count == chain.count ? manifests : nil
    }

    /// All that stands on a folder, not itself.
    func descendants(of id: String) -> [StoredFolder] {
        all.values.filter { folder in
            folder.id != id && chain(of: folder.id)?.contains { $0.id == id } == true
        }
    }
}

extension [Manifest] {
    /// The newest run of a stage on a parent.
    func newest(_ key: StageKey, parent: String?) -> Manifest? {
        filter { $0.key == key && $0.parent == parent }
            .max { ($0.generation, $0.createdMilliseconds, $0.id) < ($1.generation, $1.createdMilliseconds, $1.id) }
    }
}

import Files
import Foundation
import Scopes

/// A folder found in the store.
struct StoredFolder {
    enum State {
        /// It is being written, or its writer died or gave up.
        case unfinished
        case whole(Manifest)
        /// Another version made it; it stays until space is needed.
        case foreign
        case damaged(String)
    }

    var id: String
    var path: String
    /// The id in the file `parent`, which exists before the manifest does.
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
            state = fileStatus(file) == nil ? .unfinished : .damaged("\(Manifest.fileName) cannot be read")
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

    /// Whether it is kept until the user removes it.
    var isKept: Bool { fileStatus(path + "/kept") != nil }

    /// Whether the folder must stay. Call this under the store's lock.
    var isLeased: Bool { isKept || isLocked }

    /// Whether a process uses the folder. Call this under the store's lock.
    var isLocked: Bool {
        guard fileStatus(leasePath) != nil else { return false }
        // A lock that cannot be opened may be held.
        guard let lock = try? FileLock.attempt(leasePath, .exclusive) else { return true }
        lock.release()
        return false
    }

    /// The size of the folder on disk in bytes.
    var bytes: Int64 {
        var total: Int64 = 0
        for name in FileManager.default.enumerator(atPath: path).map({ Array($0) }) ?? [] {
            guard let name = name as? String, let status = fileStatus(path + "/" + name) else { continue }
            total += status.allocated
        }
        return total
    }
}

/// All folders of a store and their ancestry.
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

    /// The folder and its ancestors, the first stage first; nil if one is missing.
    func chain(of id: String) -> [StoredFolder]? {
        var chain: [StoredFolder] = []
        var next: String? = id
        while let id = next {
            // Only a manipulated store has circles.
            guard let folder = all[id], chain.count <= all.count else { return nil }
            chain.append(folder)
            next = folder.parent
        }
        return chain.reversed()
    }

    /// The manifests of a checkpoint and its ancestors; nil if one of the folders is not a checkpoint.
    func wholeChain(of id: String) -> [Manifest]? {
        guard let chain = chain(of: id) else { return nil }
        let manifests = chain.compactMap(\.manifest)
        return manifests.count == chain.count ? manifests : nil
    }

    /// The descendants of a folder.
    func descendants(of id: String) -> [StoredFolder] {
        all.values.filter { folder in
            folder.id != id && chain(of: folder.id)?.contains { $0.id == id } == true
        }
    }
}

extension [Manifest] {
    /// The newest checkpoint of a stage on a parent.
    func newest(_ key: StageKey, parent: String?) -> Manifest? {
        filter { $0.key == key && $0.parent == parent }
            .max { ($0.generation, $0.createdMilliseconds, $0.id) < ($1.generation, $1.createdMilliseconds, $1.id) }
    }
}

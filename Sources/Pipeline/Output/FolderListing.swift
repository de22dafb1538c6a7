import Files
import Foundation
import Scopes

/// What is in a folder at one moment: enough to see later what was written there since.
struct FolderListing: Sendable {
    struct Entry: Sendable {
        var inode: UInt64
        var size: Int64
        /// In nanoseconds since 1970.
        var modification: Int64
        var mode: UInt32
        var kind: FileStatus.Kind

        var isFolder: Bool { kind == .folder }

        /// Whether a later entry of the same path is the same file with the same content.
        func isSame(as later: Entry) -> Bool {
            guard kind == later.kind else { return false }
            // A folder is the names in it, which have entries of their own.
            return isFolder || (inode, size, modification) == (later.inode, later.size, later.modification)
        }
    }

    /// By path relative to the folder.
    private(set) var entries: [String: Entry] = [:]

    /// - Parameters:
    ///   - skipped: A name in the folder to leave out.
    ///   - isShallow: Leaves out what is in folders of the folder.
    /// - Throws: `BuildError` when a folder cannot be read.
    init(of folder: String, skipping skipped: String? = nil, isShallow: Bool = false) throws {
        try add(folder, "", skipped, isShallow)
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Parents before what is in them.
    var paths: [String] { entries.keys.sorted() }

    /// Whether a path is new or different since an earlier listing.
    func isChanged(_ path: String, since earlier: FolderListing?) -> Bool {
        guard let entry = entries[path], let before = earlier?.entries[path] else { return true }
        return !before.isSame(as: entry)
    }

    private mutating func add(_ folder: String, _ prefix: String, _ skipped: String?, _ isShallow: Bool) throws {
        for name in try names(in: folder) where name != skipped {
            // It may be gone by now.
            guard let status = fileStatus(folder + "/" + name) else { continue }
            entries[prefix + name] = Entry(
                inode: status.stamp.inode, size: status.size, modification: status.stamp.modification,
                mode: status.mode, kind: status.kind)
            if status.isFolder, !isShallow { try add(folder + "/" + name, prefix + name + "/", nil, false) }
        }
    }

    private func names(in folder: String) throws -> [String] {
        guard let stream = opendir(folder) else { throw systemFailure("list the folder \(folder)") }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw systemFailure("list the folder \(folder)") }
        return names
    }
}

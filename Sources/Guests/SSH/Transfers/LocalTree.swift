import Foundation
import Scopes

/// What is in a folder of ours, as `scp -r` sees it: links are followed, and everything else than files and folders is an
/// error.
struct LocalTree {
    struct Entry {
        var path: String
        /// Below the folder that is copied.
        var name: String
        var depth: Int
        var isFolder: Bool
        var mode: UInt32
    }

    /// Each folder before what is in it, and that directly after it.
    private(set) var entries: [Entry] = []
    /// The folder's own permission bits.
    let mode: UInt32

    /// - Throws: `Reason` for what cannot be read or copied.
    init(_ folder: String) throws {
        let status = try Self.status(folder)
        mode = status.st_mode & 0o777
        try add(folder, prefix: "", above: [FileID(status)])
    }

    private struct FileID: Equatable {
        let device: dev_t
        let inode: ino_t
        init(_ status: stat) { (device, inode) = (status.st_dev, status.st_ino) }
    }

    private mutating func add(_ folder: String, prefix: String, above: [FileID]) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let path = folder + "/" + name
            let status = try Self.status(path)
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFDIR || kind == S_IFREG else {
                throw Reason(text: "\(path) is neither a file nor a folder")
            }
            entries.append(
                Entry(
                    path: path, name: prefix + name, depth: above.count - 1, isFolder: kind == S_IFDIR,
                    mode: status.st_mode & 0o777))
            guard kind == S_IFDIR else { continue }
            guard !above.contains(FileID(status)) else {
                throw Reason(text: "\(path) is a link to a folder above it")
            }
            try add(path, prefix: prefix + name + "/", above: above + [FileID(status)])
        }
    }

    private static func status(_ path: String) throws -> stat {
        var status = stat()
        guard stat(path, &status) == 0 else { throw systemFailure(path) }
        return status
    }
}

import CFiles
package import Glibc

/// The state of a file, of a link itself; nil when there is none.
package func fileStatus(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}

extension stat {
    package var isRegularFile: Bool { st_mode & S_IFMT == S_IFREG }
    package var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
    package var isLink: Bool { st_mode & S_IFMT == S_IFLNK }
}

/// What tells one state of a file from another without reading it.
package struct FileStamp: Codable, Equatable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// In nanoseconds since 1970, as `change`.
    package var modification: Int64
    package var change: Int64

    package init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        // A file system gives any time it likes; one that does not fit only has to be the same each time.
        modification = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        change = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
    }
}

/// Whether another file system, or a folder from elsewhere, is mounted at a folder: it cannot be renamed then.
package func isMountPoint(_ folder: String) -> Bool {
    let answer = is_mount_root(folder)
    if answer >= 0 { return answer == 1 }
    guard let inside = fileStatus(folder), let outside = fileStatus(folder + "/..") else { return false }
    return inside.st_dev != outside.st_dev
}

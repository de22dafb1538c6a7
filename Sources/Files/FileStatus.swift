import CFiles
import Glibc

/// What the system says about a file.
package struct FileStatus: Sendable {
    package enum Kind: Sendable { case regular, folder, link, pipe, socket, device }

    package var kind: Kind
    /// Permission bits.
    package var mode: UInt32
    package var owner: UInt32
    /// What it takes on the medium, in bytes.
    package var allocated: Int64
    package var stamp: FileStamp

    package var size: Int64 { stamp.size }
    package var isRegularFile: Bool { kind == .regular }
    package var isFolder: Bool { kind == .folder }
    package var isLink: Bool { kind == .link }
    /// Whether it is `/dev/null`.
    package private(set) var isNull: Bool

    /// Of an open file.
    ///
    /// - Returns: nil where the system does not say, with the reason in `errno`.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Of what is at a path, links followed.
    ///
    /// - Returns: nil where there is nothing, with the reason in `errno`.
    package init?(following path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            default: .device
            }
        mode = status.st_mode & 0o7777
        owner = status.st_uid
        // Linux gives it the numbers 1 and 3; Swift does not see makedev().
        isNull = status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0x103
        allocated = Int64(status.st_blocks) * 512
        stamp = FileStamp(status)
    }
}

/// The state of a file, of a link itself; nil when there is none.
package func fileStatus(_ path: String) -> FileStatus? {
    var status = stat()
    return lstat(path, &status) == 0 ? FileStatus(status) : nil
}

/// What tells one state of a file from another without reading it.
package struct FileStamp: Codable, Equatable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// In nanoseconds since 1970, as `change`.
    package var modification: Int64
    package var change: Int64

    fileprivate init(_ status: stat) {
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
    return inside.stamp.device != outside.stamp.device
}

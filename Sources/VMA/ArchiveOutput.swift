import Foundation
import Scopes

/// A file that appears under its name only once it is complete.
///
/// Used by one thread.
final class ArchiveOutput {
    private let path: String
    private let partial: String
    private let operation: String
    private var descriptor: Int32
    private let packer: ZstdPacker?
    private(set) var bytesWritten: UInt64 = 0

    init(_ path: String, compression: ArchiveCompression) throws {
        self.path = path
        operation = "write the archive \(path)"
        switch compression {
        case .none: packer = nil
        case .zstd(let level, let threads): packer = try ZstdPacker(level: level, threads: threads)
        }
        partial = "\(path).partial-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw BuildError(operation, because: String(cString: strerror(errno))) }
    }

    /// Removes what was written unless `finish` was reached.
    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(partial)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if let packer { try packer.pack(bytes, isLast: false, write: store) } else { try store(bytes) }
    }

    /// Brings everything to the medium and gives the file its name.
    func finish() throws {
        try packer?.pack(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true, write: store)
        guard fsync(descriptor) == 0 else { throw failure() }
        guard rename(partial, path) == 0 else { throw failure() }
        close(descriptor)
        descriptor = -1
        let folder = open(folderPath, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        // The archive is complete; that its name survives a power cut is as much as can be tried.
        fsync(folder)
        close(folder)
    }

    private func store(_ bytes: UnsafeRawBufferPointer) throws {
        try writeAll(bytes, to: descriptor, at: nil) { failure() }
        bytesWritten += UInt64(bytes.count)
    }

    private var folderPath: String {
        let folder = URL(filePath: path).deletingLastPathComponent().path
        return folder.isEmpty ? "." : folder
    }

    private func failure() -> BuildError { writeFailure(operation, in: folderPath) }
}

/// Writes all bytes, at a place or where the file is.
func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: UInt64?, failure: () -> BuildError
) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
        let count =
            if let offset {
                pwrite(descriptor, base + done, bytes.count - done, off_t(offset + UInt64(done)))
            } else {
                Foundation.write(descriptor, base + done, bytes.count - done)
            }
        if count > 0 {
            done += count
        } else if count == 0 || errno != EINTR {
            throw failure()
        }
    }
}

/// What the last failed system call said, with the room that is left where that was the reason.
func writeFailure(_ operation: String, in folder: String) -> BuildError {
    let code = errno
    guard code == ENOSPC || code == EDQUOT else {
        return BuildError(operation, because: String(cString: strerror(code)))
    }
    var status = statvfs()
    var room = ""
    if statvfs(folder, &status) == 0 {
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        room = ": \(free >> 20) MiB are free"
    }
    return BuildError(operation, because: "no room in \(folder)\(room)", hint: "Free some space there.")
}

import Files
import Foundation
import Scopes

/// Reads a small file whole.
///
/// - Returns: nil if it does not exist, is not a regular file, cannot be read or is longer than `limit`.
func readSmallFile(_ path: String, limit: Int) -> Data? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let status = FileStatus(descriptor: descriptor), status.isRegularFile, status.size <= limit else {
        return nil
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.size) + 1)
    var done = 0
    while done < bytes.count {
        let room = bytes.count - done
        let count = bytes.withUnsafeMutableBytes { buffer in
            read(descriptor, buffer.baseAddress.map { $0 + done }, room)
        }
        if count == 0 { return Data(bytes[..<done]) }
        if count > 0 { done += count } else if errno != EINTR { return nil }
    }
    return nil  // It grew meanwhile.
}

/// Writes all bytes where the file stands.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, failure: () -> BuildError) throws {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
        let count = write(descriptor, base + done, bytes.count - done)
        if count > 0 {
            done += count
        } else if count == 0 || errno != EINTR {
            throw failure()
        }
    }
}

/// Writes a file that is there whole or not at all, and stays after a power cut.
func writeWhole(_ data: Data, to path: String, beside partial: String, in folder: String) throws {
    let failure = { systemFailure("write \(path)", in: folder) }
    unlink(partial)
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure() }
    do {
        defer { close(descriptor) }
        try data.withUnsafeBytes { try writeAll($0, to: descriptor, failure: failure) }
        guard fsync(descriptor) == 0 else { throw failure() }
        guard rename(partial, path) == 0 else { throw failure() }
    } catch {
        unlink(partial)
        throw error
    }
    try synchronize(folder)
}

/// fsync of a file or a folder.
func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemFailure("open \(path)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemFailure("write \(path) to the medium", in: path) }
}

/// Names in a folder; empty where it is gone.
func names(in folder: String) -> [String] {
    // Another process removes folders while they are looked at: what is gone holds nothing.
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
}

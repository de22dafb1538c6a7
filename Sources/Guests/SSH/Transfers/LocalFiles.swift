import Foundation
import Scopes

/// A file of ours that is read piece by piece.
final class LocalFile {
    let size: Int
    /// The permission bits.
    let mode: UInt32
    private let path: String
    private let descriptor: Int32

    /// - Throws: `Reason` when it cannot be opened or is no regular file.
    init(_ path: String) throws {
        self.path = path
        // Without blocking, should it be a pipe.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemFailure(path) }
        var status = stat()
        let result = fstat(descriptor, &status)
        (size, mode) = (Int(status.st_size), status.st_mode & 0o777)
        guard result == 0 else { throw systemFailure(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Reason(text: "\(path) is not a regular file") }
    }

    deinit { close(descriptor) }

    /// - Returns: Fewer bytes than `most` only at the end of the file.
    func read(at offset: Int, most: Int) throws -> [UInt8] {
        var failure: (any Error)?
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            while count < most {
                let more = pread(
                    descriptor, buffer.baseAddress?.advanced(by: count), most - count, off_t(offset + count))
                if more < 0 && errno == EINTR { continue }
                if more < 0 { failure = systemFailure(path) }
                if more <= 0 { break }
                count += more
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// What is uploaded: bytes, or a file as it is read.
enum UploadContent {
    case data(Data)
    case file(LocalFile)

    var size: Int {
        switch self {
        case .data(let data): data.count
        case .file(let file): file.size
        }
    }

    func read(at offset: Int, most: Int) throws -> [UInt8] {
        switch self {
        case .data(let data): Array(data.dropFirst(offset).prefix(most))
        case .file(let file): try file.read(at: offset, most: most)
        }
    }
}

/// A file that is written beside its place and appears there when it is complete; else it leaves nothing.
final class PartialFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32

    /// - Parameter mode: Its permission bits, as far as the umask lets them.
    init(_ path: String, mode: UInt32) throws {
        self.path = path
        let folder = URL(filePath: path).deletingLastPathComponent().path
        temporary = "\(folder)/.ingot-\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode & 0o777 | 0o600))
        guard descriptor >= 0 else { throw systemFailure(path) }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(
                    descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written, off_t(offset + written))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw systemFailure(path) }
            written += count
        }
    }

    func commit() throws {
        let result = close(descriptor)
        descriptor = -1
        guard result == 0, rename(temporary, path) == 0 else {
            defer { unlink(temporary) }
            throw systemFailure(path)
        }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }
}

func systemFailure(_ path: String) -> Reason { Reason(text: "\(path): \(String(cString: strerror(errno)))") }

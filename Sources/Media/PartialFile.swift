import Foundation
import NIOCore
import Scopes

/// A file that is being downloaded, with the digest of what it holds so far.
final class PartialFile {
    /// Where the bytes came from, kept beside the file so that a later run can resume it.
    struct Source: Codable {
        var url: String
        /// An entity tag or a date, for `If-Range`.
        var validator: String?
    }

    private(set) var size: Int64
    private(set) var source: Source?
    private let path: String
    private let operation: String
    private let descriptor: Int32
    private let checksum: Checksum?
    private var digest: RunningDigest?

    init(path: String, checksum: Checksum?, _ operation: String) throws {
        self.path = path
        self.operation = operation
        self.checksum = checksum
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw systemFailure(operation, "\(path): ") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let failure = systemFailure(operation, "\(path): ")
            close(descriptor)
            throw failure
        }
        size = Int64(status.st_size)
        // Notes that are missing or damaged only cost the resuming.
        source = (try? Data(contentsOf: URL(filePath: path + ".json")))
            .flatMap { try? JSONDecoder().decode(Source.self, from: $0) }
        digest = checksum.map { RunningDigest($0.algorithm) }
    }

    deinit { close(descriptor) }

    /// Reads what is there into the digest, and goes to its end.
    func digestExisting() async throws {
        if size > 0, digest != nil {
            let file = try InputFile(path, operation)
            try await file.forEachPiece { digest?.update($0) }
        }
        guard lseek(descriptor, off_t(size), SEEK_SET) == off_t(size) else {
            throw systemFailure(operation, "\(path): ")
        }
    }

    func restart() throws {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw systemFailure(operation, "\(path): ")
        }
        size = 0
        digest = checksum.map { RunningDigest($0.algorithm) }
    }

    func append(_ piece: ByteBuffer) throws {
        try piece.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = write(descriptor, part.baseAddress, part.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    if errno == ENOSPC || errno == EDQUOT {
                        throw noRoom(
                            operation, parentFolder(path), "it is full; what arrived is kept and will be resumed")
                    }
                    throw systemFailure(operation, "\(path): ")
                }
                rest = rest.dropFirst(count)
                size += Int64(count)
            }
            digest?.update(bytes)
        }
    }

    /// The digest of what has been written; empty where there is no checksum to compare with.
    func hex() -> String { digest?.hex() ?? "" }

    func remember(url: String, validator: String?) {
        // The URL's password is not for the disk.
        let notes = Source(url: withoutSecrets(url), validator: validator)
        source = notes
        // Notes that cannot be written only cost the resuming.
        try? JSONEncoder().encode(notes).write(to: URL(filePath: path + ".json"))
    }

    func remove() {
        unlink(path)
        unlink(path + ".json")
    }

    func commit(to target: String) throws {
        guard fsync(descriptor) == 0, rename(path, target) == 0 else { throw systemFailure(operation, "\(target): ") }
        unlink(path + ".json")
    }
}

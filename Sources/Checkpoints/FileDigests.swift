internal import Crypto
import Files
package import Foundation
import Scopes
import Synchronization

/// A cache of digests of large files, so that an image of gigabytes is not read in every build.
struct FileDigests {
    struct Entry: Codable, Equatable {
        var path: String
        var stamp: FileStamp
        var digest: String
    }

    /// The stored form. `secret` identifies the store's secret with which the digests were made.
    struct Document: Codable {
        var secret: String
        var entries: [Entry]
    }

    /// The entries, oldest first.
    var entries: [Entry] = []
    var isLoaded = false
}

/// Files up to this size in bytes are always read.
private let smallFile: Int64 = 1 << 20
private let maximumEntries = 2000
private let maximumDocument = 8 << 20

extension CheckpointStore {
    /// An input for a value that its label describes, such as a setting or an environment variable.
    ///
    /// The digest covers the label too: FOO=1 differs from BAR=1.
    package func input(_ label: String, _ value: String) -> StageInput {
        StageInput(label: label, digest: digest(Data("\(label.utf8.count):\(label)\(value)".utf8)))
    }

    /// An input for a file, by its content only.
    package func input(_ label: String, file path: String) async throws -> StageInput {
        StageInput(label: label, digest: try await digest(file: path))
    }

    /// The keyed digest (HMAC-SHA256 with the store's secret) of some bytes, as 64 hexadecimal digits.
    package func digest(_ data: Data) -> String {
        hexadecimal(HMAC<SHA256>.authenticationCode(for: data, using: secret.reveal()))
    }

    /// Whether a file can be read more than once with the same result; what comes from a pipe or a terminal cannot.
    package static func isRepeatable(_ path: String) -> Bool {
        // What is missing is reported by what reads it. Templates name `/dev/null` where they mean an empty file.
        FileStatus(following: path).map { $0.isRegularFile || $0.isNull } ?? true
    }

    /// The keyed digest of a file's content, following links; equal to the digest of its bytes.
    ///
    /// - Throws: `BuildError` if the file cannot be read or changes while it is read; `CancellationError`.
    package func digest(file path: String) async throws -> String {
        let operation = "read \(path)"
        guard let status = FileStatus(following: path) else { throw systemFailure(operation) }
        if status.isNull { return digest(Data()) }
        guard status.isRegularFile else {
            throw BuildError(operation, because: "it is not a regular file", hint: "Name a file.")
        }
        let stamp = status.stamp
        if stamp.size > smallFile, let known = knownDigest(of: path, stamp) { return known }
        return try await onOwnThread("digest") { [self] flag in
            for _ in 0..<3 {
                let descriptor = open(path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { throw systemFailure(operation) }
                defer { close(descriptor) }
                let before = try statusOf(descriptor, operation).stamp
                var code = HMAC<SHA256>(key: secret.reveal())
                let size = try readPieces(descriptor, flag, operation) { code.update(data: $0) }
                let after = try statusOf(descriptor, operation).stamp
                guard before == after, size == after.size else { continue }
                let digest = hexadecimal(code.finalize())
                if size > smallFile { keep(FileDigests.Entry(path: path, stamp: after, digest: digest)) }
                return digest
            }
            throw BuildError(operation, because: "it is being written to", hint: "Wait until it is complete.")
        }
    }

    private var secretMark: String { digest(Data("digests.json".utf8)) }

    private func knownDigest(of path: String, _ stamp: FileStamp) -> String? {
        fileDigests.withLock { known in
            if !known.isLoaded {
                known.isLoaded = true
                known.entries = savedDigests()
            }
            return known.entries.last { $0.path == path && $0.stamp == stamp }?.digest
        }
    }

    private func savedDigests() -> [FileDigests.Entry] {
        // A cache that cannot be read counts as empty.
        guard let data = readSmallFile(path + "/digests.json", limit: maximumDocument),
            let document = try? JSONDecoder().decode(FileDigests.Document.self, from: data),
            document.secret == secretMark
        else { return [] }
        return document.entries
    }

    private func keep(_ entry: FileDigests.Entry) {
        // A file that was written a moment ago can change again without a new time: the timestamps of file systems have a
        // resolution of some milliseconds, some of two seconds.
        let recent = Int64((Date().timeIntervalSince1970 - 3) * 1e9)
        guard max(entry.stamp.modification, entry.stamp.change) < recent else { return }
        fileDigests.withLock { known in
            known.entries.removeAll { $0.path == entry.path }
            known.entries.append(entry)
        }
        // If the cache cannot be written, the file is read again next time.
        try? withLock {
            let entries = savedDigests().filter { $0.path != entry.path } + [entry]
            let document = FileDigests.Document(secret: secretMark, entries: entries.suffix(maximumEntries))
            let target = path + "/digests.json"
            try writeWhole(
                JSONEncoder().encode(document), to: target, beside: path + "/.partial-digests.json", in: path)
        }
    }
}

func statusOf(_ descriptor: Int32, _ operation: String) throws -> FileStatus {
    guard let status = FileStatus(descriptor: descriptor) else { throw systemFailure(operation) }
    return status
}

/// Reads an open file to its end, piece by piece.
///
/// - Returns: The number of bytes read.
func readPieces(
    _ descriptor: Int32, _ flag: CancellationFlag, _ operation: String, _ body: (UnsafeRawBufferPointer) throws -> Void
) throws -> Int64 {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
    defer { buffer.deallocate() }
    var total: Int64 = 0
    while true {
        try flag.check()
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count == 0 { return total }
        guard count > 0 else {
            if errno == EINTR { continue }
            throw systemFailure(operation)
        }
        total += Int64(count)
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

/// The bytes to read at a time. They fit into a processor's cache; more was not faster.
let pieceSize = 256 << 10

import Foundation
import Scopes

/// A regular file open for reading, closed when it is let go.
final class InputFile: Sendable {
    private static let piece = 1 << 20

    let path: String
    let descriptor: Int32
    let status: stat
    private let operation: String

    /// - Throws: `BuildError` for what is not there, not readable or not a regular file.
    init(_ path: String, _ operation: String) throws {
        self.path = path
        self.operation = operation
        // O_NONBLOCK: a named pipe must not make this wait for its writer.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw systemFailure(operation, "\(path): ") }
        var found = stat()
        let isKnown = fstat(descriptor, &found) == 0
        status = found
        guard isKnown, found.st_mode & S_IFMT == S_IFREG else {
            throw BuildError(operation, because: "\(path) is not a regular file")
        }
    }

    deinit { close(descriptor) }

    var size: Int64 { Int64(status.st_size) }

    /// Gives the content in pieces of at most 1 MiB; answers cancellation between them.
    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) async throws {
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.piece, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            try Task.checkCancellation()
            let count = read(descriptor, buffer.baseAddress, Self.piece)
            if count == 0 { return }
            if count < 0 {
                if errno == EINTR { continue }
                throw systemFailure(operation, "\(path): ")
            }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            await Task.yield()
        }
    }
}

/// The last system error as a build error.
func systemFailure(_ operation: String, _ prefix: String = "", hint: String? = nil) -> BuildError {
    BuildError(operation, because: prefix + String(cString: strerror(errno)), hint: hint)
}

/// `path` made absolute by `folder`; `file://` is taken off.
func absolutePath(_ path: String, in folder: String) -> String {
    if path.lowercased().hasPrefix("file://") {
        let rest = path.dropFirst("file://".count)
        let local = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
        return absolutePath(local.removingPercentEncoding ?? String(local), in: folder)
    }
    if path.hasPrefix("/") { return path }
    return folder.hasSuffix("/") ? folder + path : folder + "/" + path
}

/// The last component of a path.
func baseName(_ path: some StringProtocol) -> String {
    path.split { $0 == "/" }.last.map { String($0) } ?? ""
}

/// Everything before the last component of a path.
func parentFolder(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

func makeFolder(_ path: String, _ operation: String) throws {
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
        throw BuildError(operation, because: "the folder \(path) could not be made: \(error.localizedDescription)")
    }
}

/// The absolute path of a medium or of a list of checksums that is a file of this host; nil for other URLs.
package func localPath(of url: String, workingDirectory: String) -> String? {
    if url.contains("://"), !url.lowercased().hasPrefix("file://") { return nil }
    return absolutePath(url, in: workingDirectory)
}

import Diagnostics
import FoundationEssentials
import Glibc

/// The files a template is read from and checked against.
package protocol TemplateFileSystem: Sendable {
    /// What is at an absolute path, links followed; nil if there is nothing or it cannot be seen.
    func kind(of path: String) -> TemplateFileKind?
    /// The file's bytes, up to `limit`; nil if there are more. The error says why it cannot be read.
    func read(_ path: String, limit: Int) throws -> [UInt8]?
    /// Opens a file for reading, and reads nothing: what comes from a pipe or a device is there only once. The error says why it cannot be
    /// read.
    func checkReadable(_ path: String) throws
    /// The names in a directory, in no order.
    func names(in directory: String) throws -> [String]
}

extension TemplateFileSystem {
    package func checkReadable(_ path: String) throws { _ = try read(path, limit: 0) }
}

package enum TemplateFileKind: Hashable, Sendable {
    case file
    case directory
}

/// Why a file cannot be read, in words.
package struct FileReadingError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }

    fileprivate init(errno code: Int32) {
        switch code {
        case ENOENT: description = "there is no such file"
        case EACCES, EPERM: description = "this user may not read it"
        case EISDIR: description = "it is a directory"
        case ELOOP: description = "its links lead back to themselves"
        case ENOTDIR: description = "a part of its path is not a directory"
        default: description = String(cString: strerror(code)).lowercased()
        }
    }
}

/// The machine's own files.
package struct RealFileSystem: TemplateFileSystem {
    package init() {}

    package func kind(of path: String) -> TemplateFileKind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
    }

    package func checkReadable(_ path: String) throws { close(try open(path)) }

    private func open(_ path: String) throws -> Int32 {
        // Without O_NONBLOCK a named pipe would be waited for.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileReadingError(errno: errno) }
        do {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw FileReadingError(errno: errno) }
            switch status.st_mode & S_IFMT {
            // Of devices /dev/null is the usual one: an empty script.
            case S_IFREG, S_IFCHR: return descriptor
            case S_IFIFO where Self.isPassed(path): return descriptor
            case S_IFDIR: throw FileReadingError(errno: EISDIR)
            case S_IFIFO: throw FileReadingError("it is a named pipe")
            case S_IFSOCK: throw FileReadingError("it is a socket")
            default: throw FileReadingError("it is not a regular file")
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    package func read(_ path: String, limit: Int) throws -> [UInt8]? {
        let descriptor = try open(path)
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                try Self.waitForMore(descriptor)
                continue
            }
            guard count >= 0 else { throw FileReadingError(errno: errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { return nil }
        }
    }

    /// A pipe that the shell hands over, as in `-var-file=<(…)`; other pipes may never be written to.
    package static func isPassed(_ path: String) -> Bool {
        path == "/dev/stdin" || ["/dev/fd/", "/proc/self/fd/"].contains(where: path.hasPrefix)
    }

    private static func waitForMore(_ descriptor: Int32) throws {
        var pipe = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(&pipe, 1, 60_000)
        if ready == 0 { throw FileReadingError("nothing came through the pipe for a minute") }
        if ready < 0, errno != EINTR { throw FileReadingError(errno: errno) }
    }

    package func names(in directory: String) throws -> [String] {
        guard let stream = opendir(directory) else { throw FileReadingError(errno: errno) }
        closedir(stream)
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            // Foundation's own words are for programmers.
            throw FileReadingError("its names cannot be listed")
        }
    }
}

/// A file beside the path whose name is nearly the same, written as the path is.
package func neighbour(
    of path: String, in files: any TemplateFileSystem, _ absolute: (String) -> String
) -> String? {
    let cut = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    let folder = String(path[..<cut])
    // A folder that cannot be listed has no neighbours to offer.
    guard
        let names = try? files.names(
            in: absolute(folder.isEmpty ? "." : folder == "/" ? "/" : String(folder.dropLast())))
    else {
        return nil
    }
    return suggestion(for: String(path[cut...]), among: names.prefix(10_000)).map { folder + $0 }
}

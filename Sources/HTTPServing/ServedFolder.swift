import Foundation
import Hummingbird
import NIOCore

/// A folder as requests see it: links may point to places inside it, but not outside.
package struct ServedFolder {
    let root: String

    package init(root: String) { self.root = root }

    /// Why a path is not served.
    package enum Refusal: Error { case missing, forbidden, leavesFolder }

    /// What a path leads to.
    package enum Entry {
        case file(ServedFile)
        case folder(Folder)
    }

    /// A folder to list.
    package struct Folder {
        /// The path with links resolved.
        var path: String
        /// Seconds since 1970.
        var modified: Int
    }

    /// Looks up a path.
    ///
    /// - Parameter path: Begins with a slash and has no `..`.
    package func open(_ path: String) throws(Refusal) -> Entry {
        let real = try resolved(root + path)
        let realRoot = try resolved(root)
        guard real == realRoot || real.hasPrefix(realRoot == "/" ? "/" : realRoot + "/") else { throw .leavesFolder }
        var status = stat()
        guard stat(real, &status) == 0 else { throw refusal(errno) }
        let kind = status.st_mode & S_IFMT
        // Opening a device or a pipe can have side effects.
        guard kind == S_IFREG || kind == S_IFDIR else { throw .forbidden }
        let descriptor = Foundation.open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { throw refusal(errno) }
        let file = ServedFile(descriptor: descriptor)
        return kind == S_IFREG ? .file(file) : .folder(Folder(path: real, modified: file.modified))
    }

    /// A page of links.
    func listing(of folder: Folder) throws(Refusal) -> String {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else { throw .forbidden }
        let lines = names.sorted().map { name in
            var status = stat()
            let isFolder = stat("\(folder.path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            let ending = isFolder ? "/" : ""
            return "<a href=\"\(pathEncoded(name))\(ending)\">\(escaped(name))\(ending)</a>\n"
        }
        return "<!doctype html>\n<pre>\n\(lines.joined())</pre>\n"
    }

    private func resolved(_ path: String) throws(Refusal) -> String {
        guard let real = realpath(path, nil) else { throw refusal(errno) }
        defer { free(real) }
        return String(cString: real)
    }

    private func refusal(_ code: Int32) -> Refusal { code == EACCES || code == EPERM ? .forbidden : .missing }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
            "\"", with: "&quot;")
    }
}

/// Percent-encodes all but letters, digits and `-._~`, so that a name cannot be taken for another part of a URL.
func pathEncoded(_ name: String) -> String {
    var result = ""
    for byte in name.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += "%" + (digits.count == 1 ? "0" : "") + digits
        }
    }
    return result
}

/// A file that stays open for reading until this object is released.
package final class ServedFile: Sendable {
    private static let piece = 256 << 10

    private let descriptor: Int32
    let size: Int
    /// Seconds since 1970.
    let modified: Int

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        fstat(descriptor, &status)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec
    }

    deinit { close(descriptor) }

    /// The beginning of the file, enough to detect text.
    var beginning: ArraySlice<UInt8> {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return bytes.prefix(max(0, count))
    }

    /// A part of the file, read piece by piece.
    func body(_ range: Range<Int>) -> ResponseBody {
        ResponseBody(contentLength: range.count) { [self] writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                var buffer = ByteBuffer()
                let wanted = min(Self.piece, range.upperBound - offset)
                let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(offset)))
                }
                // If the file shrinks while it is read, the connection ends before the announced length.
                guard count > 0 else { throw HTTPError(.internalServerError) }
                offset += count
                try await writer.write(buffer)
            }
            try await writer.finish(nil)
        }
    }
}

import Foundation
import HCL
import Scopes
import Templates

/// `file`: a file that is written.
extension LocalDataSources {
    func writeFile(_ destination: String, _ contents: String, _ force: Bool) throws -> DataSourceAnswer {
        let operation = "write \(destination)"
        let path = absolute(destination)
        do { try writeWhole(contents, to: path, mode: 0o644, replacing: force) } catch let error as SystemFailure {
            var hint: String?
            switch error.code {
            case EEXIST: hint = "force = true replaces it."
            case ENOENT: hint = "The folder it is to be in must be there."
            default: break
            }
            throw BuildError(operation: operation, hint: hint, underlying: error)
        }
        return DataSourceAnswer(["path": .string(destination)])
    }
}

/// What the operating system said.
struct SystemFailure: Error, CustomStringConvertible {
    var code: Int32
    var description: String { code == EEXIST ? "it is there already" : String(cString: strerror(code)) }
}

/// Writes a file under another name and moves it to its own, so that it is there whole or not at all.
///
/// - Throws: `SystemFailure`, with `EEXIST` for a file that is there and is not to be replaced.
func writeWhole(_ text: String, to path: String, mode: mode_t, replacing: Bool) throws {
    var status = stat()
    if stat(path, &status) == 0 {
        guard replacing else { throw SystemFailure(code: EEXIST) }
        // Moving a file onto a folder would fail with a message that is hard to understand.
        guard status.st_mode & S_IFMT != S_IFDIR else { throw SystemFailure(code: EISDIR) }
    }
    let temporary = path + ".\(UInt32.random(in: .min ... .max))"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw SystemFailure(code: errno) }
    do {
        defer { close(descriptor) }
        try Array(text.utf8).withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw SystemFailure(code: errno) }
                rest = rest.dropFirst(count)
            }
        }
        guard fsync(descriptor) == 0 else { throw SystemFailure(code: errno) }
        // A link fails where a file appeared meanwhile; a move replaces it.
        if replacing {
            guard rename(temporary, path) == 0 else { throw SystemFailure(code: errno) }
        } else {
            guard link(temporary, path) == 0 else { throw SystemFailure(code: errno) }
            unlink(temporary)
        }
    } catch {
        unlink(temporary)
        throw error
    }
}

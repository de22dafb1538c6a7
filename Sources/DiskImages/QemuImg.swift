import Foundation
import Processes
import Scopes
import Synchronization

/// qemu-img, the tool for disk images.
///
/// Errors carry qemu-img's own words. Cancelling a call ends the child and removes what was half written.
package struct QemuImg: Sendable {
    /// A path, or a name found in PATH.
    package var binary: String

    package init(binary: String = "qemu-img") { self.binary = binary }

    /// Makes an empty image, or an overlay over `backing`.
    ///
    /// - Parameters:
    ///   - size: Bytes; nil takes the backing image's size.
    ///   - arguments: Passed on as they are, before the path.
    package func create(
        _ path: String, format: String, size: Int64?, backing: (path: String, format: String)? = nil,
        arguments: [String] = []
    ) async throws {
        var words = ["create", "-q", "-f", format]
        if let backing {
            words += ["-b", backing.path, "-F", backing.format]
            _ = try await layers(of: backing.path, format: backing.format, waitsForLock: true)
        }
        words += arguments + ["--", path]
        if let size { words.append(String(size)) }
        let existed = access(path, F_OK) == 0
        do {
            _ = try await textOnceUnlocked("create the disk \(path)", words)
        } catch {
            if !existed { unlink(path) }
            throw error
        }
    }

    /// Gives an image another size in bytes; qemu-img refuses to shrink one unless `arguments` contain `--shrink`.
    package func resize(_ path: String, format: String, size: Int64, arguments: [String] = []) async throws {
        let operation = "resize the disk \(path) to \(size) bytes"
        try requireFile(path, operation)
        _ = try await text(operation, ["resize", "-q", "-f", format] + arguments + ["--", path, String(size)])
    }

    /// Gives a qcow2 file another backing file, and keeps its content: what differs from the new backing file goes into the file
    /// itself.
    package func rebase(_ path: String, onto base: (path: String, format: String)) async throws {
        let operation = "make \(base.path) the backing file of \(path)"
        try requireFile(path, operation)
        _ = try await textOnceUnlocked(
            operation, ["rebase", "-q", "-f", "qcow2", "-b", base.path, "-F", base.format, "--", path])
    }

    /// Looks for damage.
    ///
    /// - Throws: `BuildError` when there is any; leaked clusters do not count.
    package func check(_ path: String, format: String) async throws {
        let operation = "check the disk \(path)"
        try requireFile(path, operation)
        let (exit, output, errors) = try await call(["check", "-q", "-f", format, "--", path])
        // 3: leaked clusters only; 63: the format has no check. Both from qemu-img's manual.
        if [.code(0), .code(3), .code(63)].contains(exit) { return }
        throw failure(operation, exit, errors + output)
    }

    /// Brings an image to the medium.
    @concurrent
    package func flush(_ path: String) async throws { try synchronize(path) }

    func requireFile(_ path: String, _ operation: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw BuildError(operation, because: String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw BuildError(operation, because: "it is a folder") }
    }

    /// Runs qemu-img and gives what it printed.
    func text(_ operation: String, _ arguments: [String]) async throws -> String {
        let (exit, output, errors) = try await call(arguments)
        guard exit.isSuccess else { throw failure(operation, exit, errors) }
        return output.joined(separator: "\n")
    }

    /// As `text`, for what needs an image that is locked for a moment after its machine's end; nothing else is tried again.
    func textOnceUnlocked(_ operation: String, _ arguments: [String]) async throws -> String {
        for _ in 1..<10 {
            let (exit, output, errors) = try await call(arguments)
            if exit.isSuccess { return output.joined(separator: "\n") }
            guard isLocked(errors.joined()) else { throw failure(operation, exit, errors) }
            try await Task.sleep(for: .seconds(1))
        }
        return try await text(operation, arguments)
    }

    /// Runs qemu-img and gives how it ended and the last lines of both streams.
    func call(
        _ arguments: [String], lineBreaks: LineBreaks = .newlines,
        onOutput: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> (exit: ProcessExit, output: [String], errors: [String]) {
        let kept = Mutex<(output: [String], errors: [String])>(([], []))
        // The messages are matched against below: they must not be translated.
        var environment = ProcessInfo.processInfo.environment
        environment["LC_ALL"] = "C"
        let exit = try await runProcess(binary, arguments, environment: environment, lineBreaks: lineBreaks) { line in
            if !line.isError { onOutput(line.text) }
            kept.withLock {
                if line.isError {
                    if $0.errors.count < 50 { $0.errors.append(line.text) }
                } else if $0.output.count < 10_000, lineBreaks == .newlines {
                    $0.output.append(line.text)
                }
            }
        }
        return kept.withLock { (exit, $0.output, $0.errors) }
    }

    /// The error of a call that failed.
    func failure(_ operation: String, _ exit: ProcessExit, _ lines: [String], room: String? = nil) -> BuildError {
        // Errors about a deep chain quote every file of it.
        let said = String(
            lines.map { $0.hasPrefix("qemu-img: ") ? String($0.dropFirst(10)) : $0 }
                .filter { !$0.isEmpty }.joined(separator: "; ").prefix(2000))
        if said.contains("No space left on device"), let room {
            return BuildError(
                operation, because: "no room on \(room)", hint: "Free some space there. qemu-img said: \(said)")
        }
        return BuildError(
            operation, because: said.isEmpty ? "qemu-img ended with \(exit)" : said, hint: hint(for: said))
    }

    private func hint(for said: String) -> String? {
        if isLocked(said) { return "Another program, perhaps a running machine, has the image open." }
        if said.contains("No space left on device") { return "Free some space there." }
        if said.contains("Image is not in") {
            return "The image has another format; leave the format out or correct it."
        }
        if said.contains("--shrink") || said.contains("shrink") {
            return "The size asked for is below the image's own; an image can only grow here."
        }
        if said.contains("Could not open backing file") {
            return "Put the backing file there, or name another one: qemu-img rebase -u -b FILE -F FORMAT IMAGE"
        }
        return nil
    }

    func isLocked(_ said: String) -> Bool { said.contains("Failed to get") && said.contains("lock") }
}

/// fsync of a file or a folder.
func synchronize(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
        throw BuildError("open \(path)", because: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
        throw BuildError("write \(path) to the medium", because: String(cString: strerror(errno)))
    }
}

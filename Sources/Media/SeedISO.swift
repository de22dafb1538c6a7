import CLibarchive
import Foundation
import Scopes

/// The CD that a guest reads its answers from: ISO 9660 with Joliet and Rock Ridge.
package enum SeedISO {
    /// Writes the image; it appears under its name when it is complete.
    ///
    /// - Parameters:
    ///   - files: Paths and patterns relative to `workingDirectory`; a folder keeps its name, `folder/*` is its content.
    ///   - content: Text by path on the CD; it wins over files.
    ///   - label: The volume label, as given, at most 32 characters; `cidata` for cloud-init.
    /// - Throws: `BuildError` naming the file that is missing or cannot be read, `CancellationError`.
    @concurrent
    package static func write(
        files: [String], content: [String: String], label: String, to path: String, workingDirectory: String
    ) async throws {
        let operation = "make the CD \(path)"
        guard label.utf8.count <= 32, label.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw BuildError(
                operation, because: "the label “\(label)” does not fit",
                hint: "A label has at most 32 ASCII characters.")
        }
        var tree = FileTree(operation)
        for pattern in files { try await tree.add(pattern: pattern, workingDirectory: workingDirectory, isFlat: false) }
        for (name, text) in content.sorted(by: { $0.key < $1.key }) { try tree.add(text: text, at: name) }
        let partial = path + ".partial"
        do {
            let archive = try ISOArchive(partial, label: label, operation)
            try await archive.add(tree.root, at: "")
            try archive.finish()
            try writeLabel(label, in: partial, operation)
            guard rename(partial, path) == 0 else { throw systemFailure(operation) }
        } catch {
            unlink(partial)
            throw error
        }
    }

    /// Puts the label into the primary volume descriptor as it was given: libarchive writes it in capitals.
    ///
    /// Its place is ECMA-119, 8.4.7: byte 40 of sector 16, 32 bytes, filled with spaces.
    private static func writeLabel(_ label: String, in path: String, _ operation: String) throws {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemFailure(operation) }
        defer { close(descriptor) }
        let bytes = Array(label.utf8) + Array(repeating: 0x20, count: 32 - label.utf8.count)
        guard pwrite(descriptor, bytes, bytes.count, 16 * 2048 + 40) == bytes.count, fsync(descriptor) == 0 else {
            throw systemFailure(operation)
        }
    }
}

/// libarchive's writer of ISO images.
private final class ISOArchive {
    private let handle: OpaquePointer
    private let operation: String

    init(_ path: String, label: String, _ operation: String) throws {
        if let problem = ingot_libarchive_problem() {
            throw BuildError(
                operation, because: "libarchive is not there: \(String(cString: problem))",
                hint: "On Debian and Ubuntu: apt install libarchive-dev")
        }
        guard let handle = archive_write_new() else { throw BuildError(operation, because: "not enough memory") }
        self.handle = handle
        self.operation = operation
        try check(archive_write_set_format_iso9660(handle))
        // `useful`: owners become root and everything readable, whoever wrote the files on the host.
        try check(archive_write_set_format_option(handle, "iso9660", "rockridge", "useful"))
        try check(archive_write_set_format_option(handle, "iso9660", "joliet", "1"))
        // An empty value is not a label to libarchive; the descriptor is written over anyway.
        if !label.isEmpty { try check(archive_write_set_format_option(handle, "iso9660", "volume-id", label)) }
        try check(archive_write_open_filename(handle, path))
    }

    deinit { archive_write_free(handle) }

    func finish() throws { try check(archive_write_close(handle)) }

    func add(_ children: [String: FileTree.Node], at folder: String) async throws {
        for (name, node) in children.sorted(by: { $0.key < $1.key }) {
            let path = folder.isEmpty ? name : folder + "/" + name
            switch node {
            case .folder(let inner):
                try header(path, type: S_IFDIR, mode: 0o755, size: 0, modified: nil)
                try await add(inner, at: path)
            case .text(let bytes):
                try header(path, type: S_IFREG, mode: 0o644, size: Int64(bytes.count), modified: nil)
                try bytes.withUnsafeBytes { try data($0, path) }
            case .file(let source, _, let modified):
                let file = try InputFile(source, operation)
                let mode: mode_t = file.status.st_mode & S_IXUSR == 0 ? 0o644 : 0o755
                try header(path, type: S_IFREG, mode: mode, size: file.size, modified: modified)
                try await file.forEachPiece { try data($0, source) }
            }
        }
    }

    private func header(_ path: String, type: mode_t, mode: mode_t, size: Int64, modified: Int64?) throws {
        guard let entry = archive_entry_new() else { throw BuildError(operation, because: "not enough memory") }
        defer { archive_entry_free(entry) }
        archive_entry_update_pathname_utf8(entry, path)
        archive_entry_set_filetype(entry, type)
        archive_entry_set_perm(entry, mode)
        archive_entry_set_size(entry, size)
        archive_entry_set_mtime(entry, time_t(modified ?? Int64(time(nil))), 0)
        try check(archive_write_header(handle, entry))
    }

    private func data(_ bytes: UnsafeRawBufferPointer, _ path: String) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = archive_write_data(handle, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            guard count > 0 else {
                // Nothing is taken when the file grew beyond the size that was announced.
                if count == 0 { throw BuildError(operation, because: "\(path) changed while it was read") }
                throw failure()
            }
            rest = rest.dropFirst(Int(count))
        }
    }

    private func check(_ result: Int32) throws {
        // Warnings are for names that were shortened in the part that has short names only.
        if result < ARCHIVE_WARN { throw failure() }
    }

    private func failure() -> BuildError {
        let text = archive_error_string(handle).map { String(cString: $0) } ?? "libarchive failed"
        let isFull = archive_errno(handle) == ENOSPC
        return BuildError(
            operation, because: text, hint: isFull ? "Free some space there and in the folder of temporary files." : nil
        )
    }
}

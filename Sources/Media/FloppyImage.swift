import Foundation
import Scopes

/// The floppy that a guest reads its answers from: 1.44 MB, FAT12, short and long names.
package enum FloppyImage {
    /// Writes the image; it appears under its name when it is complete.
    ///
    /// - Parameters:
    ///   - files: Paths and patterns relative to `workingDirectory`; all go to the root, a folder's files too.
    ///   - directories: Folders (or patterns) that keep their name and their tree.
    ///   - content: Text by path on the floppy; it wins over files.
    ///   - label: At most 11 characters, stored in capitals.
    /// - Throws: `BuildError` when a file is missing or all of it does not fit, `CancellationError`.
    @concurrent
    package static func write(
        files: [String], directories: [String], content: [String: String], label: String, to path: String,
        workingDirectory: String
    ) async throws {
        let operation = "make the floppy \(path)"
        var tree = FileTree(operation)
        for pattern in directories {
            try await tree.add(pattern: pattern, workingDirectory: workingDirectory, isFlat: false)
        }
        for pattern in files { try await tree.add(pattern: pattern, workingDirectory: workingDirectory, isFlat: true) }
        for (name, text) in content.sorted(by: { $0.key < $1.key }) { try tree.add(text: text, at: name) }
        var image = try FATImage(label: label, operation)
        try image.checkSize(of: tree.root)
        try await image.write(tree.root)
        let partial = path + ".partial"
        do {
            try Data(image.bytes).write(to: URL(filePath: partial))
            guard rename(partial, path) == 0 else { throw systemFailure(operation) }
        } catch {
            unlink(partial)
            throw error is BuildError ? error : BuildError(operation: operation, underlying: error)
        }
    }
}

import Foundation
import Synchronization

/// The files that a build is made of, as they were when the build first looked at them.
package final class NamedFiles: Sendable {
    private let stamps = Mutex<[String: Stamp]>([:])

    private struct Stamp: Equatable {
        var modified: Date?
        var size: Int?
        var inode: Int?
    }

    package init() {}

    package var count: Int { stamps.withLock(\.count) }

    /// Remembers a file or folder as it is now, unless it is known already.
    package func note(_ path: String) {
        stamps.withLock { if $0[path] == nil { $0[path] = Self.stamp(of: path) } }
    }

    /// Waits until one of the files has changed.
    ///
    /// - Returns: Its path.
    /// - Throws: `CancellationError`.
    package func change() async throws -> String {
        while true {
            let known = stamps.withLock { $0 }
            if let changed = known.keys.sorted().first(where: { Self.stamp(of: $0) != known[$0] }) {
                // Editors write in several steps.
                try await Task.sleep(for: .milliseconds(200))
                return changed
            }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private static func stamp(of path: String) -> Stamp {
        // A missing file has no attributes until it appears.
        let file = URL(filePath: path).resolvingSymlinksInPath().path
        let values = try? FileManager.default.attributesOfItem(atPath: file)
        return Stamp(
            modified: values?[.modificationDate] as? Date, size: values?[.size] as? Int,
            inode: values?[.systemFileNumber] as? Int)
    }
}

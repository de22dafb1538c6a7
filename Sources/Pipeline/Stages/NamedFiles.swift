import Foundation
import Synchronization

/// The files that a build is made of, as they were when it looked at them.
package final class NamedFiles: Sendable {
    private let stamps = Mutex<[String: Stamp]>([:])

    private struct Stamp: Equatable {
        var modified: Date?
        var size: Int?
        var inode: Int?
    }

    package init() {}

    package var count: Int { stamps.withLock(\.count) }

    /// Looks at a file or folder; what comes after the first time does not count.
    package func note(_ path: String) {
        stamps.withLock { if $0[path] == nil { $0[path] = Self.stamp(of: path) } }
    }

    /// Waits until one of them is another than it was.
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
        // One that is not there has nothing to tell, until it is.
        let file = URL(filePath: path).resolvingSymlinksInPath().path
        let values = try? FileManager.default.attributesOfItem(atPath: file)
        return Stamp(
            modified: values?[.modificationDate] as? Date, size: values?[.size] as? Int,
            inode: values?[.systemFileNumber] as? Int)
    }
}

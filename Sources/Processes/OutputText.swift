import Synchronization

/// Lines collected from any thread; only the last 200 are kept.
package final class OutputText: Sendable {
    private let kept = Mutex<[String]>([])

    package init() {}

    /// Appends a line.
    package func add(_ line: String) {
        kept.withLock { kept in
            kept.append(line)
            if kept.count > 200 { kept.removeFirst() }
        }
    }

    /// The kept lines, oldest first.
    package var lines: [String] { kept.withLock { $0 } }
}

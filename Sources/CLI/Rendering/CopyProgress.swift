import Foundation
import Synchronization

/// A line on the terminal with the progress of a copy; nothing without a terminal.
final class CopyProgress: Sendable {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let last = Mutex("")

    /// Redraws the line.
    ///
    /// - Parameter part: How much is done, 0 to 1.
    func show(_ what: String, _ part: Double) {
        guard isShown else { return }
        let percent = Int((min(max(part, 0), 1) * 100).rounded(.down))
        let line = "\(what) \(percent) %"
        last.withLock { last in
            guard line != last else { return }
            last = line
            putError("\r\(line)\u{1B}[K")
        }
    }

    /// Removes the line.
    func end() {
        guard isShown else { return }
        last.withLock { last in
            if !last.isEmpty { putError("\r\u{1B}[K") }
            last = ""
        }
    }
}

import Foundation
import Synchronization

/// Why a write to standard output failed; nil while none has.
private let outputProblem = Mutex<String?>(nil)

/// Writes text as it is to standard output, at once.
///
/// A failed write, as on a full disk, does not stop the work: losing a message must not lose an image. `outputStatus`
/// reports it at the end.
func put(_ text: String) {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
        outputProblem.withLock { $0 = $0 ?? String(cString: strerror(errno)) }
    }
}

/// The exit code of a command that ended with `status`: 1 if its output was lost.
func outputStatus(_ status: Int32) -> Int32 {
    // The buffer of `print` is written here at the latest.
    if fflush(nil) != 0 { outputProblem.withLock { $0 = $0 ?? String(cString: strerror(errno)) } }
    guard status == 0, let problem = outputProblem.withLock({ $0 }) else { return status }
    writeError("Error: could not write to standard output: \(problem)")
    return 1
}

/// Writes a line to standard error.
func writeError(_ text: String) { putError(text + "\n") }

/// Writes text as it is to standard error.
func putError(_ text: String) {
    // There is no other place to report a failure of standard error.
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}

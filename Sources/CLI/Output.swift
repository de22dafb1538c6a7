import Foundation
import Synchronization

/// Why standard output did not take what was written to it; nil while it does.
private let outputProblem = Mutex<String?>(nil)

/// Writes text as it is to standard output, at once.
///
/// Where it does not arrive, as on a full disk, the work goes on: an image is not thrown away because nobody can be told of
/// it. `outputStatus` tells at the end.
func put(_ text: String) {
    do { try FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) } catch {
        outputProblem.withLock { $0 = $0 ?? String(cString: strerror(errno)) }
    }
}

/// The exit code of a command that ended with `status`: what nobody could read is no success.
func outputStatus(_ status: Int32) -> Int32 {
    // What `print` still holds fails here, if it does.
    if fflush(nil) != 0 { outputProblem.withLock { $0 = $0 ?? String(cString: strerror(errno)) } }
    guard status == 0, let problem = outputProblem.withLock({ $0 }) else { return status }
    writeError("Error: could not write to standard output: \(problem)")
    return 1
}

/// Writes a line to standard error.
func writeError(_ text: String) { putError(text + "\n") }

/// Writes text as it is to standard error; where even that does not arrive, nothing is left to be done.
func putError(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}

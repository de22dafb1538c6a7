import CLibssh
import Scopes

/// - Throws: `BuildError` where libssh is not installed.
func requireLibssh(to operation: String) throws {
    guard let problem = ingot_libssh_problem() else { return }
    throw BuildError(
        operation, because: "libssh is not there: \(String(cString: problem))",
        hint: "On Debian and Ubuntu: apt install libssh-dev")
}

/// How commands are written for the shell that a guest runs them in.
package enum GuestDialect: Sendable {
    case posix

    /// Text as one word of the shell.
    package func quoted(_ text: String) -> String {
        switch self {
        case .posix: "'" + text.replacing("'", with: "'\\''") + "'"
        }
    }

    /// A command that removes files and ignores those that do not exist.
    package func removal(of paths: [String]) -> String {
        switch self {
        case .posix: "rm -f -- " + paths.map(quoted).joined(separator: " ")
        }
    }

    /// A command that writes everything in memory to the disks.
    package var flush: String {
        switch self {
        case .posix: "sync"
        }
    }

    /// A path in the folder for temporary files.
    package func temporaryPath(_ name: String) -> String {
        switch self {
        case .posix: "/tmp/" + name
        }
    }
}

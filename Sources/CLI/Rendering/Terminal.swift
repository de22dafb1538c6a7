import Foundation

/// What standard output and input are attached to.
enum Terminal {
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// As the flag says, else as the environment says, else on a terminal.
    static func usesColor(_ flag: Bool?) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        if let flag { return flag && environment["PACKER_NO_COLOR"] == nil }
        if environment["PACKER_NO_COLOR"] != nil || environment["NO_COLOR"] != nil { return false }
        return outputIsTerminal && environment["TERM"] != "dumb"
    }

    /// Cells in a line of the terminal; 0 where there is none.
    static var width: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    }
}

import Foundation

/// What standard input, output and error are attached to.
enum Terminal {
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether to use colours: as the flag says, else as the environment says, else on a terminal.
    static func usesColor(_ flag: Bool?) -> Bool {
        let environment = ProcessInfo.processInfo.environment
        if let flag { return flag && environment["PACKER_NO_COLOR"] == nil }
        if environment["PACKER_NO_COLOR"] != nil || environment["NO_COLOR"] != nil { return false }
        return outputIsTerminal && environment["TERM"] != "dumb"
    }

    /// The number of cells in a line of the terminal; 0 if there is no terminal.
    static var width: Int {
        var size = winsize()
        return ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    }
}

/// Cells that a character takes on a terminal; the wide scripts of East Asia and emoji take two.
func cells(_ character: Character) -> Int {
    let scalar = character.unicodeScalars.first?.value ?? 0
    return [0x1100...0x115F, 0x2E80...0xD7A3, 0xF900...0xFAFF, 0xFF00...0xFF60, 0x1F300...0x1FAFF].contains {
        $0.contains(scalar)
    } ? 2 : 1
}

/// The beginning of a line, as much as fits.
func shortened(_ text: String, cells limit: Int) -> String {
    var used = 0
    return String(
        text.prefix { character in
            used += cells(character)
            return used <= limit
        })
}

/// Text broken between words so that no line is longer than `width` cells; a longer word stays whole. 0 means no limit.
package func wrapped(_ text: String, width: Int) -> String {
    guard width > 0 else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let indent = line.prefix { $0 == " " }
        var lines: [String] = []
        var current = String(indent)
        var used = current.count
        for word in line.dropFirst(indent.count).split(separator: " ", omittingEmptySubsequences: false) {
            let length = word.reduce(0) { $0 + cells($1) }
            let isFirst = used == indent.count
            if !isFirst && used + 1 + length > width {
                lines.append(current)
                current = String(indent + word)
                used = indent.count + length
            } else {
                current += (isFirst ? "" : " ") + word
                used += (isFirst ? 0 : 1) + length
            }
        }
        return (lines + [current]).joined(separator: "\n")
    }.joined(separator: "\n")
}

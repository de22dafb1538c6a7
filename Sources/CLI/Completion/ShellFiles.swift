package import Foundation

/// The user's start-up files of shells, which load the completion script.
package struct ShellFiles {
    private let home: URL
    private static let mark = "# completion of ingot"

    package init(home: URL) { self.home = home }

    private func startFile(_ shell: Shell) -> URL? {
        switch shell {
        case .bash: home.appending(path: ".bashrc")
        case .zsh: home.appending(path: ".zshrc")
        case .fish: nil
        }
    }

    private var fishFolder: URL { home.appending(path: ".config/fish") }
    private var fishFile: URL { fishFolder.appending(path: "completions/ingot.fish") }

    /// Adds a line to the start-up file of every shell that has one; fish gets a file of its own.
    ///
    /// - Returns: A sentence for each change.
    /// - Throws: Foundation's error when a file cannot be read or written.
    package func install() throws -> [String] {
        var said: [String] = []
        for shell in [Shell.bash, .zsh] {
            guard let file = startFile(shell), let text = try text(of: file) else { continue }
            guard !text.contains(Self.mark) else {
                said.append("\(file.path) already has completion of ingot.")
                continue
            }
            let line = "command -v ingot >/dev/null && source <(ingot completion \(shell.rawValue)) \(Self.mark)\n"
            try replace(file, by: text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line)
            said.append("Added a line to \(file.path).")
        }
        if FileManager.default.fileExists(atPath: fishFolder.path) {
            try FileManager.default.createDirectory(
                at: fishFile.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Shell.fish.script.write(to: fishFile, atomically: true, encoding: .utf8)
            said.append("Wrote \(fishFile.path).")
        }
        return said.isEmpty
            ? [
                "There is no ~/.bashrc, ~/.zshrc or ~/.config/fish to add it to; see `ingot completion -h`."
            ]
            : said + ["Open a new shell to use completion."]
    }

    /// Removes what `install` added.
    ///
    /// - Returns: A sentence for each change.
    /// - Throws: Foundation's error when a file cannot be read or written.
    package func uninstall() throws -> [String] {
        var said: [String] = []
        for shell in [Shell.bash, .zsh] {
            guard let file = startFile(shell), let text = try text(of: file), text.contains(Self.mark) else { continue }
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            try replace(file, by: lines.filter { !$0.hasSuffix(Self.mark) }.joined(separator: "\n"))
            said.append("Removed the line from \(file.path).")
        }
        if FileManager.default.fileExists(atPath: fishFile.path) {
            try FileManager.default.removeItem(at: fishFile)
            said.append("Removed \(fishFile.path).")
        }
        return said.isEmpty ? ["There was nothing to remove."] : said
    }

    /// The contents of a file; nil if there is no such file.
    private func text(of file: URL) throws -> String? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try String(contentsOf: file, encoding: .utf8)
    }

    /// Replaces the contents in one step, keeping the permissions; a link is followed.
    private func replace(_ file: URL, by text: String) throws {
        let file = file.resolvingSymlinksInPath()
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions]
        try text.write(to: file, atomically: true, encoding: .utf8)
        if let mode { try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path) }
    }
}

package import Foundation

/// The user's own files that make shells complete the words of `ingot`.
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

    /// Adds a line to the start file of every shell that has one; fish gets a file.
    ///
    /// - Returns: What was done, in sentences.
    package func install() throws -> [String] {
        var said: [String] = []
        for shell in [Shell.bash, .zsh] {
            guard let file = startFile(shell), let text = try text(of: file) else { continue }
            guard !text.contains(Self.mark) else {
                said.append("\(file.path) completes ingot already.")
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
                "There is no ~/.bashrc, ~/.zshrc or ~/.config/fish to add it to; `ingot completion -h` tells what to do."
            ]
            : said + ["New shells complete the words of ingot."]
    }

    /// Takes away what `install` added.
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

    /// nil if there is no such file.
    private func text(of file: URL) throws -> String? {
        guard FileManager.default.fileExists(atPath: file.path) else { return nil }
        return try String(contentsOf: file, encoding: .utf8)
    }

    /// All at once; a link stays one, and the permissions stay.
    private func replace(_ file: URL, by text: String) throws {
        let file = file.resolvingSymlinksInPath()
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions]
        try text.write(to: file, atomically: true, encoding: .utf8)
        if let mode { try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path) }
    }
}

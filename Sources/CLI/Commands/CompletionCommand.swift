import ArgumentParser
import Foundation

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Prints a script that adds completion of ingot's commands to a shell.",
        discussion: """
            For bash, add this line to ~/.bashrc:
              source <(ingot completion bash)
            For zsh, add this line to ~/.zshrc, after compinit:
              source <(ingot completion zsh)
            For fish, write the script to its completions folder:
              ingot completion fish > ~/.config/fish/completions/ingot.fish
            `ingot -autocomplete-install` does this for you; `ingot -autocomplete-uninstall` undoes it.
            """)

    /// Packer's flags `-autocomplete-install` and `-autocomplete-uninstall`.
    enum Change: String, ExpressibleByArgument {
        case install, uninstall
    }

    @Option(help: .hidden)
    var change: Change?

    @Argument(help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"))
    var shell: Shell?

    func run() throws {
        if let change {
            let home = ProcessInfo.processInfo.environment["HOME"].map { URL(filePath: $0) }
            let files = ShellFiles(home: home ?? FileManager.default.homeDirectoryForCurrentUser)
            for line in try change == .install ? files.install() : files.uninstall() { print(line) }
        } else if let shell {
            put(shell.script)
        } else {
            throw UsageError(
                message: "Name the shell, such as `ingot completion bash`; zsh and fish are supported as well.")
        }
    }
}

import ArgumentParser
import Foundation

struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Prints a script that makes a shell complete ingot's words.",
        discussion: """
            For bash, put this line into ~/.bashrc:
              source <(ingot completion bash)
            For zsh, put this line into ~/.zshrc, after compinit:
              source <(ingot completion zsh)
            For fish, write it where fish looks for it:
              ingot completion fish > ~/.config/fish/completions/ingot.fish
            """)

    @Argument(help: ArgumentHelp("bash, zsh or fish.", valueName: "shell"))
    var shell: Shell

    func run() {
        FileHandle.standardOutput.write(Data(shell.script.utf8))
    }
}

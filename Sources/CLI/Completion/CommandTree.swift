import ArgumentParser
import Foundation

/// The commands and their arguments, as the parser itself describes them.
package struct CommandTree: Decodable, Sendable {
    /// A command or subcommand.
    package struct Command: Decodable, Sendable {
        /// The word that selects the command.
        package var commandName: String
        var aliases: [String]?
        var abstract: String?
        var shouldDisplay: Bool
        /// nil if it has none.
        package var subcommands: [Command]?
        /// Positional arguments, options and flags, in the order of the help.
        package var arguments: [Argument]?

        func subcommand(_ name: String) -> Command? {
            subcommands?.first { $0.commandName == name || $0.aliases?.contains(name) ?? false }
        }

        func argument(_ name: String) -> Argument? {
            arguments?.first { $0.names?.contains { $0.name == name } ?? false }
        }
    }

    /// An argument of a command.
    package struct Argument: Decodable, Sendable {
        /// How an argument is written.
        package enum Kind: String, Decodable, Sendable {
            case positional, option, flag
        }

        struct Name: Decodable, Sendable {
            var kind: String
            var name: String
        }

        /// What its values can be; nil for anything.
        enum Values: Sendable {
            case words([String])
            case files(extensions: [String])
            case folders
            case builds
            case variables
            case stages
            case checkpoints
        }

        /// How it is written.
        package var kind: Kind
        var shouldDisplay: Bool
        var isRepeating: Bool
        var names: [Name]?
        var abstract: String?
        private var valueName: String?
        private var allValues: [String]?
        private var completionKind: CompletionKind?

        /// The name after two dashes; nil for a positional argument.
        package var longName: String? { names?.first { $0.kind != "short" }?.name }

        var values: Values? {
            switch valueName {
            case "name=value": return .variables
            case "stage": return .stages
            case "id", "ids": return .checkpoints
            default: break
            }
            guard let completionKind else { return allValues.map(Values.words) }
            if let list = completionKind.list { return .words(list.values) }
            if let file = completionKind.file { return .files(extensions: file.extensions) }
            if completionKind.directory != nil { return .folders }
            return completionKind.custom == nil ? nil : .builds
        }
    }

    private struct CompletionKind: Decodable, Sendable {
        struct List: Decodable, Sendable { var values: [String] }
        struct Files: Decodable, Sendable { var extensions: [String] }
        struct Nothing: Decodable, Sendable {}

        var list: List?
        var file: Files?
        var directory: Nothing?
        var custom: Nothing?
    }

    /// The program itself, which has the commands as subcommands.
    package var command: Command

    /// The tree of this program; nil if the parser's description of it cannot be decoded.
    package static func ingot() -> CommandTree? {
        // Without it completion offers nothing, which is all that can be done in the middle of a line.
        try? JSONDecoder().decode(CommandTree.self, from: Data(Ingot._dumpHelp().utf8))
    }
}

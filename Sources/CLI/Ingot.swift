package import ArgumentParser
import CMemory
import Diagnostics
import Foundation

/// The command line: the commands and their exit codes.
package struct Ingot: AsyncParsableCommand {
    /// The name, the summary and the subcommands.
    package static let configuration = CommandConfiguration(
        commandName: "ingot",
        abstract: "Casts golden VM images from installer ISOs and cloud images.",
        discussion: """
            Reads Packer templates as they are, boots the installer under QEMU through libvirt, provisions over SSH, \
            and leaves a finished image. `ingot doctor` checks whether this host is ready.
            """,
        subcommands: [
            BuildCommand.self, ValidateCommand.self, InspectCommand.self, FormatCommand.self, ConsoleCommand.self,
            InitCommand.self, PluginsCommand.self, FixCommand.self, UpgradeCommand.self, DoctorCommand.self,
            ConvertCommand.self, VMACommand.self, CheckpointsCommand.self, ShellCommand.self, SchemaCommand.self,
            CompletionCommand.self, VersionCommand.self,
        ])

    package init() {}

    /// Runs the command that the arguments name, and ends the process with its exit code.
    ///
    /// 0: done. 1: the build or the template failed. 2: wrong usage. 3: `fmt -check` found a file that is not in canonical form.
    /// 130 and 143: interrupted.
    package static func run(_ arguments: [String]) async -> Never {
        // Screenshots are large and short-lived: their memory is returned at once, and threads share the arenas.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_ARENA_MAX, 2)
        if let answer = AnswerShell.answer(arguments) {
            put(answer)
            exitProcess(0)
        }
        let reportError = errorReporter(asRecords: FlagSpelling.requestsRecords(arguments))
        let arguments = FlagSpelling.normalised(arguments)
        if let mistake = misspeltCommand(in: arguments) {
            reportError(mistake)
            exitProcess(2)
        }
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(arguments)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                print(fullMessage(for: error))
                exitProcess(0)
            }
            reportError(fullMessage(for: error))
            exitProcess(2)
        }
        do {
            if let validation = command as? ValidateCommand, validation.evaluateDatasources {
                try await validation.runWithDataSources()
            } else if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exitProcess(0)
        } catch let code as ExitCode {
            exitProcess(code.rawValue)
        } catch let error as UsageError {
            reportError("Error: \(error.message)")
            exitProcess(2)
        } catch let error where exitCode(for: error) == .success {
            print(fullMessage(for: error))  // `ingot` alone and `ingot help` arrive here.
            exitProcess(0)
        } catch {
            reportError("Error: \(error)")
            exitProcess(1)
        }
    }
}

extension Ingot {
    /// The message for a word in a command's place that is not a command; nil if there is no such word.
    package static func misspeltCommand(in arguments: [String]) -> String? {
        var known = configuration.subcommands
        var path = ["ingot"]
        for word in arguments.prefix(while: { $0 != "--" }) where !word.hasPrefix("-") {
            if known.isEmpty { return nil }
            if word == "help" { continue }
            if let next = known.first(where: { names($0).contains(word) }) {
                path.append(word)
                known = next.configuration.subcommands
                continue
            }
            let hint = suggestion(for: word, among: known.flatMap(names)).map { "Did you mean “\($0)”? " } ?? ""
            return "Error: \(path.joined(separator: " ")) has no command “\(word)”. \(hint)"
                + "It has: \(known.map { $0._commandName }.joined(separator: ", "))."
        }
        return nil
    }

    private static func errorReporter(asRecords: Bool) -> (String) -> Void {
        { text in
            if asRecords { MachineRecord(.error, text).write() } else { writeError(text) }
        }
    }
}

private func names(_ command: any ParsableCommand.Type) -> [String] {
    [command._commandName] + command.configuration.aliases
}

/// A command was used in a wrong way.
struct UsageError: Error {
    var message: String
}

/// Ends the process without running the libraries' exit handlers, which crash threads that are still running.
private func exitProcess(_ status: Int32) -> Never {
    _exit(outputStatus(status))
}

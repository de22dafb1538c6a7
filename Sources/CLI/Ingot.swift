package import ArgumentParser
import CMalloc
import Foundation

/// The command line: the commands, and what their outcome means to the shell.
package struct Ingot: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "ingot",
        abstract: "Casts golden VM images from installer ISOs and cloud images.",
        discussion: """
            Reads Packer templates as they are, boots the installer under QEMU through libvirt, provisions over SSH, \
            and leaves a finished image. `ingot doctor` tells whether this host is ready.
            """,
        subcommands: [
            BuildCommand.self, ValidateCommand.self, InspectCommand.self, FormatCommand.self, ConsoleCommand.self,
            InitCommand.self, PluginsCommand.self, FixCommand.self, UpgradeCommand.self, DoctorCommand.self,
            ConvertCommand.self, VMACommand.self, VersionCommand.self,
        ])

    package init() {}

    /// Runs the command that the arguments name, and ends the process with its exit code.
    ///
    /// 0: done. 1: the build or the template failed. 2: wrong usage. 3: `fmt -check` found a file that is not in form.
    /// 130 and 143: interrupted.
    package static func run(_ arguments: [String]) async -> Never {
        // Pictures of the screen are large and short-lived: their memory goes back at once, and threads share what is left.
        mallopt(M_MMAP_THRESHOLD, 128 << 10)
        mallopt(M_ARENA_MAX, 2)
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(FlagSpelling.normalised(arguments))
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                print(fullMessage(for: error))
                leave(0)
            }
            writeError(fullMessage(for: error))
            leave(2)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            leave(0)
        } catch let code as ExitCode {
            leave(code.rawValue)
        } catch let error as UsageError {
            writeError("Error: \(error.message)")
            leave(2)
        } catch let error where exitCode(for: error) == .success {
            print(fullMessage(for: error))  // `ingot` alone and `ingot help` arrive here.
            leave(0)
        } catch {
            writeError("Error: \(error)")
            leave(1)
        }
    }
}

/// The command was called in a way that makes no sense.
struct UsageError: Error {
    var message: String
}

/// Ends the process without the libraries' own clean-up, which threads that are still at work do not survive.
private func leave(_ status: Int32) -> Never {
    fflush(nil)
    _exit(status)
}

/// Writes a line to standard error.
func writeError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

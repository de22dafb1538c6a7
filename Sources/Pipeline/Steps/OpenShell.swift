import ComponentModel
import Files
import Foundation
import Guests
import Processes
import Scopes
import Templates

/// Opens a shell in the guest at this terminal, by OpenSSH's own client, and waits until it is left.
struct OpenShell: Sendable {
    let settings: SSHSettings
    let context: RunContext
    /// Holds what the client reads, such as the password; it is removed with the build, however that ends.
    let workspace: Workspace
    let reporter: Reporter

    /// - Returns: How the client ended, which is how the shell ended.
    /// - Throws: `BuildError` when the client cannot be run.
    func run(_ machine: RunningMachine, _ keys: BuildKeys?) async throws -> ProcessExit {
        let folder = workspace.path + "/shell"
        try removeTree(folder)
        guard mkdir(folder, 0o700) == 0 else { throw systemFailure("make the folder \(folder)") }
        var environment = context.environment
        let arguments = try arguments(machine, keys, in: folder)
        if let password = settings.password {
            try writeFile(Data((password.reveal() + "\n").utf8), to: folder + "/password", mode: 0o600)
            try writeFile(
                Data("#!/bin/sh\nexec cat \(GuestDialect.posix.quoted(folder + "/password"))\n".utf8),
                to: folder + "/answer",
                mode: 0o700)
            environment["SSH_ASKPASS"] = folder + "/answer"
            environment["SSH_ASKPASS_REQUIRE"] = "force"
            // Before OpenSSH 8.4 the program is asked only where there is a display.
            environment["DISPLAY"] = environment["DISPLAY"] ?? ":0"
        }
        reporter.report(.terminalLent, "a shell in the machine")
        let result: Result<ProcessExit, any Error>
        do {
            result = .success(
                try await runAtTerminal("ssh", arguments, environment: environment))
        } catch {
            result = .failure(error)
        }
        reporter.report(.terminalReturned, "a shell in the machine")
        try removeTree(folder)
        return try result.get()
    }

    /// The arguments of OpenSSH's client.
    ///
    /// - Parameter folder: Where a key of the build is put.
    func arguments(_ machine: RunningMachine, _ keys: BuildKeys?, in folder: String) throws -> [String] {
        var arguments = [
            // The guest is new, so its key is not known yet.
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-p", String(machine.sshPort),
        ]
        for file in try identities(keys, in: folder) { arguments += ["-i", file] }
        if let certificate = settings.certificateFile {
            arguments += ["-o", "CertificateFile=\(context.absolute(certificate))"]
        }
        return arguments + ["\(settings.username)@\(settings.host ?? machine.sshHost)"]
    }

    private func identities(_ keys: BuildKeys?, in folder: String) throws -> [String] {
        var files = settings.privateKeyFile.map { [context.absolute($0)] } ?? []
        if let keys {
            try writeFile(Data(keys.privateKey.reveal().utf8), to: folder + "/key", mode: 0o600)
            files.append(folder + "/key")
        }
        return files
    }
}

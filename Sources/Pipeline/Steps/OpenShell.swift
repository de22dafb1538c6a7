import Files
import Foundation
import Processes
import Scopes
import Templates

/// Opens a shell in the guest at this terminal, by OpenSSH's own client, and waits until it is left.
struct OpenShell: Sendable {
    let settings: SSHSettings
    let context: RunContext
    /// For what the client reads, the password among it: it goes with the build, however that ends.
    let workspace: Workspace

    /// - Throws: `BuildError` when the client cannot be run. How the shell ends is the person's own affair.
    func run(_ machine: RunningMachine, _ keys: BuildKeys?) async throws {
        let folder = workspace.path + "/shell"
        try removeTree(folder)
        guard mkdir(folder, 0o700) == 0 else { throw systemFailure("make the folder \(folder)") }
        var environment = context.environment
        var arguments = [
            // The guest is new; nobody can know its key.
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-p", String(machine.sshPort),
        ]
        for file in try identities(keys, in: folder) { arguments += ["-i", file] }
        if let certificate = settings.certificateFile {
            arguments += ["-o", "CertificateFile=\(context.absolute(certificate))"]
        }
        if let password = settings.password {
            try writeFile(Data((password.reveal() + "\n").utf8), to: folder + "/password", mode: 0o600)
            try writeFile(
                Data("#!/bin/sh\nexec cat \(shellQuoted(folder + "/password"))\n".utf8), to: folder + "/answer",
                mode: 0o700)
            environment["SSH_ASKPASS"] = folder + "/answer"
            environment["SSH_ASKPASS_REQUIRE"] = "force"
            // Before OpenSSH 8.4 the program is asked only where there is a display.
            environment["DISPLAY"] = environment["DISPLAY"] ?? ":0"
        }
        let host = settings.host ?? machine.sshHost
        let result: Result<Void, any Error>
        do {
            _ = try await runAtTerminal("ssh", arguments + ["\(settings.username)@\(host)"], environment: environment)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try removeTree(folder)
        try result.get()
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

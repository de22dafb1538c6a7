import ComponentModel
import Foundation
import Guests
import Scopes
import Templates

/// `shell`: uploads scripts and runs them in the guest.
struct RunShellScript: Sendable {
    /// The exit status that stands for a lost connection in `valid_exit_codes`.
    static let disconnected = 2_300_218

    let settings: ShellSettings
    let build: PlannedBuild
    let data: RunData
    let context: RunContext
    let reporter: Reporter

    func run(_ guest: any Guest) async throws {
        switch settings.scripts {
        case .inline(let lines):
            try await run(name: "an inline script", script: inlineScript(lines), in: guest)
        case .files(let paths):
            for path in paths {
                let script = try attemptingNow("read the script \(path)") {
                    try Data(contentsOf: URL(filePath: context.absolute(path)))
                }
                reporter.news("Provisioning with shell script: \(path)")
                try await run(name: path, script: script, in: guest)
            }
        }
        if let pause = settings.pauseAfter {
            reporter.news("Pausing \(pause.text) after this provisioner...")
            try await Task.sleep(for: pause)
        }
    }

    private func inlineScript(_ lines: [String]) throws -> Data {
        var text = try lines.map { try context.render($0, data: data.templateData) }.joined(separator: "\n") + "\n"
        if let shebang = settings.inlineShebang {
            text = "#!\(shebang)\n" + text
        } else if !text.hasPrefix("#!") {
            text = "#!/bin/sh -e\n" + text
        }
        reporter.debug("inline script:\n\(text)")
        return Data(text.utf8)
    }

    private func run(name: String, script: Data, in guest: any Guest) async throws {
        let path = settings.remotePath ?? "\(settings.remoteFolder)/\(settings.remoteFile ?? randomName("script"))"
        let variablesPath = settings.useEnvironmentFile ? "\(settings.remoteFolder)/\(randomName("varfile"))" : nil
        let script = settings.isBinary ? script : withoutCarriageReturns(script)

        var environment = BuildEnvironment(build: build, data: data).variables
        for (name, value) in settings.environment { environment[name] = value }
        var fields = data.templateData
        fields["Path"] = path
        fields["EnvVarFile"] = variablesPath ?? ""
        let format = settings.environmentFormat ?? (variablesPath == nil ? "%s='%s' " : "export %s='%s'\n")
        let formatted = formatVariables(environment, format: format)
        fields["Vars"] = variablesPath == nil ? formatted : ""
        let standard =
            variablesPath == nil
            ? "chmod +x {{.Path}}; {{.Vars}} {{.Path}}" : "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"
        let command = try context.render(settings.executeCommand ?? standard, data: fields)

        let variables = variablesPath.map { [Upload(path: $0, data: Data(formatted.utf8), mode: 0o600)] } ?? []
        let exit = try await start(
            command, uploads: [Upload(path: path, data: script, mode: 0o755)] + variables, in: guest)
        try judge(exit, name: name)
        if !settings.skipClean && exit != .lostConnection {
            try await cleanUp([path] + (variablesPath.map { [$0] } ?? []), in: guest)
        }
    }

    private struct Upload {
        var path: String
        var data: Data
        var mode: UInt32
    }

    /// Uploads and starts as one unit, again and again until `start_retry_timeout`: the guest may be rebooting.
    private func start(
        _ command: String, uploads: [Upload], in guest: any Guest
    ) async throws -> ExitStatus {
        let clock = ContinuousClock()
        let deadline = clock.now + settings.startRetryTimeout
        var isUploaded = false
        while true {
            let hasStarted = Flag()
            do {
                try await guest.ensureConnected(timeout: max(deadline - clock.now, .seconds(1)))
                // Servers that hang up after each transfer would never get to the command otherwise.
                if isUploaded {
                    isUploaded = false
                } else {
                    for upload in uploads {
                        try await guest.upload(upload.data, to: upload.path, mode: upload.mode)
                    }
                    isUploaded = true
                }
                let exit = try await guest.run(command) { [reporter] chunk in
                    hasStarted.set()
                    reporter.report(.guest(isError: chunk.isError), printable(chunk.text))
                }
                return exit
            } catch let error as GuestError where error.isConnectionLoss && !hasStarted.isSet && clock.now < deadline {
                reporter.debug("trying again to start the script: \(error)")
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func judge(_ exit: ExitStatus, name: String) throws {
        switch exit {
        case .code(let code) where settings.validExitCodes.contains(Int(code)): return
        case .lostConnection
        where settings.expectDisconnect || settings.validExitCodes.contains(Self.disconnected):
            reporter.news("The guest closed the connection, as expected.")
        case .lostConnection:
            throw BuildError(
                "run \(name) in the guest", because: "the connection was lost while it ran",
                hint: "If the script reboots the guest, set expect_disconnect = true.")
        default:
            throw BuildError(
                "run \(name) in the guest", because: "it ended with \(exit)",
                hint: "Its output is above and in the run folder; valid_exit_codes names codes that are fine.")
        }
    }

    private func cleanUp(_ paths: [String], in guest: any Guest) async throws {
        do {
            try await guest.ensureConnected(timeout: settings.startRetryTimeout)
            _ = try await guest.run(guest.dialect.removal(of: paths)) { _ in }
        } catch let error as GuestError {
            // A script that left a reboot behind takes its own file in /tmp with it.
            reporter.warn("could not remove \(paths.joined(separator: ", ")) from the guest: \(error)")
        }
    }

    private func randomName(_ prefix: String) -> String { "\(prefix)_\(Int.random(in: 0...9998)).sh" }
}

private func withoutCarriageReturns(_ data: Data) -> Data {
    var result = Data(capacity: data.count)
    var previousIsReturn = false
    for byte in data {
        if previousIsReturn && byte != 0x0A { result.append(0x0D) }
        previousIsReturn = byte == 0x0D
        if !previousIsReturn { result.append(byte) }
    }
    if previousIsReturn { result.append(0x0D) }
    return result
}

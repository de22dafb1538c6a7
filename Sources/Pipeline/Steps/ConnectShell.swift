import ComponentModel
import Guests
import SSH
import Scopes
import Templates

/// Waits until the guest takes the login, and reports what it sees meanwhile.
struct ConnectShell: Sendable {
    let settings: SSHSettings
    let context: RunContext
    let reporter: Reporter

    func run(_ machine: RunningMachine, _ services: Services, _ keys: BuildKeys?) async throws -> any Guest {
        let endpoint = SSHEndpoint(host: settings.host ?? machine.sshHost, port: machine.sshPort)
        let credentials = try credentials(keys)
        let options = SSHOptions(
            ciphers: settings.ciphers, keyExchange: settings.keyExchangeAlgorithms,
            keepAliveInterval: settings.keepAliveInterval, usesPTY: settings.usesPTY,
            transferMethod: settings.transferMethod.map { $0 == .scp ? .scp : .sftp },
            readWriteTimeout: settings.readWriteTimeout, forwardsAgent: settings.forwardsAgent)
        reporter.news("Using SSH communicator to connect: \(endpoint.host), port \(endpoint.port)")
        let state = WaitState()
        let heartbeat = Task { [reporter] in
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(5))
                let parts = [state.text, services.activity.summary, machine.screen.summary].compactMap { $0 }
                reporter.report(.heartbeat, parts.joined(separator: "; "))
            }
        }
        defer { heartbeat.cancel() }
        do {
            let connection = try await machine.screen.whileAnswered(services.activity) { [reporter, settings] in
                try await waitForSSH(
                    endpoint, credentials, options, timeout: settings.timeout,
                    handshakeAttempts: settings.handshakeAttempts
                ) { news in
                    state.text = news.description
                    reporter.news("SSH: \(news)")
                }
            }
            heartbeat.cancel()
            reporter.news("Connected to SSH!")
            let guest = connection.reconnecting(to: endpoint, credentials, options)
            if let pause = settings.pauseBeforeConnecting {
                reporter.news("Pausing \(pause.text) before connecting again (pause_before_connecting)")
                await guest.close()
                try await Task.sleep(for: pause)
            }
            return guest
        } catch let error where !(error is CancellationError) && !(error is BuildError) {
            let seen = [state.text, services.activity.summary].compactMap { $0 }.joined(separator: "; ")
            throw BuildError(
                operation: "connect to the guest over SSH", hint: hint(for: error, seen: seen), underlying: error)
        }
    }

    private func credentials(_ keys: BuildKeys?) throws -> SSHCredentials {
        var privateKeys: [SSHKey] = []
        if let file = settings.privateKeyFile { privateKeys.append(try SSHKey.load(context.absolute(file))) }
        if let keys { privateKeys.append(SSHKey(pem: keys.privateKey)) }
        return SSHCredentials(
            username: settings.username, password: settings.password, privateKeys: privateKeys,
            certificateFile: settings.certificateFile.map(context.absolute), usesAgent: settings.usesAgent)
    }

    private func hint(for error: any Error, seen: String) -> String {
        if case .loginRefused? = error as? GuestError {
            return
                "The guest runs SSH and refuses the login: check ssh_username and ssh_password, and whether the answer "
                + "file makes that user and lets it in."
        }
        return (seen.isEmpty ? "" : "Seen last: \(seen).\n  ")
            + "Does the answer file install and start an SSH server? The screen and the requests below tell how far the "
            + "guest came; ssh_timeout gives it more time."
    }
}

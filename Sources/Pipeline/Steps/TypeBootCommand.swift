import BootCommand
import ComponentModel
import RemoteFramebuffer
import Scopes
import Screen
import Templates

/// Waits `boot_wait` and types the boot command over VNC.
struct TypeBootCommand: Sendable {
    let scope: BuildScope

    private var settings: BootSettings { scope.source.boot }
    private var reporter: Reporter { scope.reporter }

    /// Whether the command contains the build's key, which then must exist first.
    var needsKey: Bool { settings.fields.contains("SSHPublicKey") }

    func run(_ machine: RunningMachine, _ services: Services, publicKey: String) async throws {
        let fields = [
            "HTTPIP": services.ip, "HTTPPort": String(services.httpPort ?? 0), "Name": scope.source.vmName,
            "SSHPublicKey": publicKey, "SyslogIP": services.ip, "SyslogPort": String(services.syslogPort ?? 0),
        ]
        // All of it is parsed before anything is typed: a mistake must not end in half a command.
        let steps = try settings.steps.map { step in
            let text = try scope.context.render(step.command, data: fields)
            return (try parse(text), step.description)
        }
        if let wait = settings.wait {
            reporter.news("Waiting \(wait.text) for boot...")
            try await Task.sleep(for: wait)
        }
        if steps.isEmpty { return }
        let connection = try await machine.connectScreen()
        defer { connection.close() }
        for (keys, description) in steps {
            if let description { reporter.news("Typing boot command for: \(description)") }
            try await type(keys, over: connection)
        }
        // QEMU drops what it has not read yet when the connection closes: its answer says that it has read everything.
        _ = try await withDeadline(.seconds(30), "typing the last keys") { try await connection.framebuffer() }
    }

    private func parse(_ text: String) throws -> [BootStep] {
        do {
            let parsed = try parseBootCommand(text)
            for warning in parsed.warnings { reporter.warn("boot_command: \(warning)") }
            return parsed.steps
        } catch {
            throw BuildError("type the boot command", because: "\(error)")
        }
    }

    private func type(_ steps: [BootStep], over connection: any ScreenConnection) async throws {
        let typist = Typist(connection, pace: settings.keyInterval.map { .interval($0) } ?? .automatic) {
            textOnScreen($0)?.lines
        }
        for step in steps {
            switch step {
            case .wait(let duration):
                try await typist.flush()
                try await Task.sleep(for: duration)
            case .key(let key, let action):
                let stroke = KeyStroke(keysym: key.value, needsShift: key.needsShift)
                let kind: KeyStroke.Action =
                    switch action {
                    case .press: .press
                    case .down: .down
                    case .up: .up
                    }
                try await typist.type(stroke, kind)
            }
        }
        try await typist.flush()
    }
}

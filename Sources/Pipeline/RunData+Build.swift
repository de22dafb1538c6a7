import ComponentModel
import Scopes
import Templates

extension RunData {
    /// Before there is a guest.
    static func beforeMachine(runUUID: String) -> RunData {
        RunData(
            id: "", host: "", port: 0, user: "", password: Sensitive(""), connectionType: "none", runUUID: runUUID,
            httpIP: "", httpPort: "0", sshPublicKey: "", sshPrivateKey: Sensitive(""))
    }

    /// The values of `build.*` once the guest can be reached.
    init(_ scope: BuildScope, _ machine: RunningMachine, _ services: Services, keys: BuildKeys?) {
        let (user, password) = scope.source.communicator.login
        self.init(
            id: "ERR_ID_NOT_IMPLEMENTED_BY_BUILDER", host: machine.sshHost, port: machine.sshPort, user: user,
            password: password, connectionType: scope.source.communicator.isSSH ? "ssh" : "none",
            runUUID: scope.context.runUUID, httpIP: services.ip, httpPort: String(services.httpPort ?? 0),
            sshPublicKey: keys?.publicKey ?? "", sshPrivateKey: keys?.privateKey ?? Sensitive(""))
    }

    /// Placeholders for the values of a run, the same in each, so that a stage's key does not depend on them.
    static func placeholders(for source: QemuSource) -> RunData {
        let (user, password) = source.communicator.login
        return RunData(
            id: "<ID>", host: "<Host>", port: 0, user: user, password: password,
            connectionType: source.communicator.isSSH ? "ssh" : "none", runUUID: "<PackerRunUUID>",
            httpIP: "<PackerHTTPIP>", httpPort: "<PackerHTTPPort>", sshPublicKey: "<SSHPublicKey>",
            sshPrivateKey: Sensitive("<SSHPrivateKey>"))
    }
}

extension CommunicatorSettings {
    var isSSH: Bool { if case .ssh = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The user to log in as, with an empty password where there is none.
    fileprivate var login: (user: String, password: Sensitive<String>) {
        guard case .ssh(let settings) = self else { return ("", Sensitive("")) }
        return (settings.username, settings.password ?? Sensitive(""))
    }
}

extension BootSettings {
    var isEmpty: Bool { wait == nil && steps.isEmpty }
}

extension SeedSettings {
    var isEmpty: Bool {
        cdFiles.isEmpty && cdContent.isEmpty && floppyFiles.isEmpty && floppyDirectories.isEmpty
            && floppyContent.isEmpty
    }
}

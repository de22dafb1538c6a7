package import Scopes

/// What `build.*` gives to provisioners and post-processors (Packer's run-time data).
package struct RunData: Sendable {
    package var id: String
    package var host: String
    package var port: Int
    package var user: String
    package var password: Sensitive<String>
    /// `ssh`, `winrm` or `none`.
    package var connectionType: String
    package var runUUID: String
    package var httpIP: String
    /// "0" without a server.
    package var httpPort: String
    package var sshPublicKey: String
    package var sshPrivateKey: Sensitive<String>

    package init(
        id: String, host: String, port: Int, user: String, password: Sensitive<String>, connectionType: String,
        runUUID: String, httpIP: String, httpPort: String, sshPublicKey: String, sshPrivateKey: Sensitive<String>
    ) {
        self.id = id
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.connectionType = connectionType
        self.runUUID = runUUID
        self.httpIP = httpIP
        self.httpPort = httpPort
        self.sshPublicKey = sshPublicKey
        self.sshPrivateKey = sshPrivateKey
    }
}

/// Options that were fine when the template was checked and are wrong with the values of the run.
///
/// Carries the rendered diagnostics.
package struct TemplateFailure: Error, Sendable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

extension RunData {
    /// What late-rendered strings see as `{{ .Host }}` and so on, beside their own `Path` and `Vars`.
    package var templateData: [String: String] {
        [
            "ID": id, "Host": host, "Port": String(port), "User": user, "Password": password.reveal(),
            "ConnType": connectionType, "PackerRunUUID": runUUID, "PackerHTTPIP": httpIP, "PackerHTTPPort": httpPort,
            "PackerHTTPAddr": httpAddress, "SSHPublicKey": sshPublicKey, "SSHPrivateKey": sshPrivateKey.reveal(),
            "WinRMPassword": connectionType == "winrm" ? password.reveal() : "",
        ]
    }

    package var httpAddress: String { "\(httpIP):\(httpPort)" }
}

extension RunData {
    /// The keys that options may ask for before the run.
    package static let keys = [
        "ID", "Host", "Port", "User", "Password", "ConnType", "PackerRunUUID", "PackerHTTPIP", "PackerHTTPPort",
        "PackerHTTPAddr", "SSHPublicKey", "SSHPrivateKey", "WinRMPassword",
    ]
}

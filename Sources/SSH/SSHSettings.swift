package import Scopes

/// Where an SSH server listens.
package struct SSHEndpoint: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// What to log in with, tried in this order: agent, keys, password, questions answered with the password.
package struct SSHCredentials: Sendable {
    package var username: String
    package var password: Sensitive<String>?
    package var privateKeys: [SSHKey]
    package var certificateFile: String?
    package var usesAgent: Bool

    package init(
        username: String, password: Sensitive<String>? = nil, privateKeys: [SSHKey] = [],
        certificateFile: String? = nil,
        usesAgent: Bool = false
    ) {
        self.username = username
        self.password = password
        self.privateKeys = privateKeys
        self.certificateFile = certificateFile
        self.usesAgent = usesAgent
    }
}

package struct SSHOptions: Sendable {
    package enum TransferMethod: Sendable { case sftp, scp }

    package var ciphers: [String]
    package var keyExchange: [String]
    /// nil: none are sent.
    package var keepAliveInterval: Duration?
    package var usesPTY: Bool
    /// nil: SFTP, and SCP where there is none.
    package var transferMethod: TransferMethod?
    package var handshakeTimeout: Duration
    /// How long a server may take to introduce itself.
    package var bannerTimeout = Duration.seconds(15)

    package init(
        ciphers: [String] = [], keyExchange: [String] = [], keepAliveInterval: Duration? = .seconds(5),
        usesPTY: Bool = false, transferMethod: TransferMethod? = nil, handshakeTimeout: Duration = .seconds(60)
    ) {
        self.ciphers = ciphers
        self.keyExchange = keyExchange
        self.keepAliveInterval = keepAliveInterval
        self.usesPTY = usesPTY
        self.transferMethod = transferMethod
        self.handshakeTimeout = handshakeTimeout
    }
}

/// How a command ended.
package enum ExitStatus: Sendable, Equatable, CustomStringConvertible {
    case code(Int)
    case signal
    /// The connection died before the guest told.
    case lostConnection

    package var description: String {
        switch self {
        case .code(let code): "exit status \(code)"
        case .signal: "a signal"
        case .lostConnection: "a lost connection"
        }
    }
}

/// A line that a command wrote.
package struct OutputChunk: Sendable {
    package var text: String
    package var isError: Bool
}

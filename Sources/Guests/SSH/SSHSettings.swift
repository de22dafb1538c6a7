import Guests
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
    /// Goes with those of the keys that it signs.
    package var certificateFile: String?
    package var usesAgent: Bool
    /// Where the agent listens; nil: where SSH_AUTH_SOCK says.
    package var agentSocket: String?

    package init(
        username: String, password: Sensitive<String>? = nil, privateKeys: [SSHKey] = [],
        certificateFile: String? = nil, usesAgent: Bool = false, agentSocket: String? = nil
    ) {
        self.username = username
        self.password = password
        self.privateKeys = privateKeys
        self.certificateFile = certificateFile
        self.usesAgent = usesAgent
        self.agentSocket = agentSocket
    }
}

package struct SSHOptions: Sendable {
    package enum TransferMethod: Sendable { case sftp, scp }

    package var ciphers: [String]
    package var keyExchange: [String]
    /// How often the guest is asked for a sign of life; after three without an answer the connection counts as lost.
    /// nil: never.
    package var keepAliveInterval: Duration?
    /// How long a call bears that nothing at all comes from the guest; nil: for ever.
    package var readWriteTimeout: Duration?
    /// A guest may be busy: it is given up after three intervals without an answer, and not before this time.
    package var silencePatience = Duration.seconds(60)
    /// `SHA256:…` of the server's key; nil: any is taken, as of a guest that was just made.
    package var hostKeyFingerprint: String?
    package var usesPTY: Bool
    /// Lets the guest's commands use the agent here, if there is one.
    package var forwardsAgent: Bool
    /// nil: SFTP, and SCP where there is none.
    package var transferMethod: TransferMethod?
    package var handshakeTimeout: Duration
    /// How long one address may take to accept the connection.
    package var connectTimeout = Duration.seconds(10)
    /// How long a server may take to introduce itself.
    package var bannerTimeout = Duration.seconds(15)
    /// How long a transfer or a request may go without progress.
    package var stallTimeout = Duration.seconds(60)

    package init(
        ciphers: [String] = [], keyExchange: [String] = [], keepAliveInterval: Duration? = .seconds(5),
        usesPTY: Bool = false, transferMethod: TransferMethod? = nil, handshakeTimeout: Duration = .seconds(60),
        readWriteTimeout: Duration? = nil, forwardsAgent: Bool = false
    ) {
        self.ciphers = ciphers
        self.keyExchange = keyExchange
        self.keepAliveInterval = keepAliveInterval
        self.usesPTY = usesPTY
        self.transferMethod = transferMethod
        self.handshakeTimeout = handshakeTimeout
        self.readWriteTimeout = readWriteTimeout
        self.forwardsAgent = forwardsAgent
    }
}

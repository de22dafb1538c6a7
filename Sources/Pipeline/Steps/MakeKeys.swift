import SSH
import Scopes
import Templates

/// The key pair of this build; its public half is `{{ .SSHPublicKey }}`.
struct BuildKeys: Sendable {
    var privateKey: Sensitive<String>
    var publicKey: String
}

/// Makes a key pair that only this build knows.
struct MakeKeys: Sendable {
    private let settings: SSHSettings

    /// As Packer: whenever no key file is named, also beside a password; nil else.
    init?(_ communicator: CommunicatorSettings) {
        guard case .ssh(let settings) = communicator, settings.privateKeyFile == nil else { return nil }
        self.settings = settings
    }

    func run() throws -> BuildKeys {
        let pair = try TemporaryKeyPair.generate(
            type: settings.temporaryKeyType ?? "rsa", bits: settings.temporaryKeyBits,
            comment: settings.temporaryKeyName ?? "ingot")
        return BuildKeys(privateKey: pair.privateKey, publicKey: pair.publicKey)
    }
}

import SSH
import Scopes
import Templates

/// The key pair of this build; its public half is `{{ .SSHPublicKey }}`.
struct BuildKeys: Sendable {
    var privateKey: Sensitive<String>
    var publicKey: String
    /// What the public half's line ends in.
    var name: String
}

/// Makes a key pair that only this build knows.
struct MakeKeys: Sendable {
    private let settings: SSHSettings
    private let name: String

    /// As Packer: whenever no key file is named, also beside a password; nil else.
    ///
    /// - Parameter run: Tells this run's key from others, unless `temporary_key_pair_name` does.
    init?(_ communicator: CommunicatorSettings, run: String) {
        guard case .ssh(let settings) = communicator, settings.privateKeyFile == nil else { return nil }
        self.settings = settings
        name = settings.temporaryKeyName ?? "packer_\(run)"
    }

    func run() throws -> BuildKeys {
        let pair = try TemporaryKeyPair.generate(
            type: settings.temporaryKeyType ?? "rsa", bits: settings.temporaryKeyBits,
            comment: name)
        return BuildKeys(privateKey: pair.privateKey, publicKey: pair.publicKey, name: name)
    }
}

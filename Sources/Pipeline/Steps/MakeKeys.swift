import ComponentModel
import Foundation
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

extension BuildKeys {
    private static let file = "/build-key"

    /// Lays the keys down beside the checkpoint of a guest that knows them.
    ///
    /// - Returns: What the checkpoint has to say about them.
    func store(in folder: String) throws -> [String: String] {
        try writeFile(Data(privateKey.reveal().utf8), to: folder + Self.file, mode: 0o600)
        return ["key-name": name, "public-key": publicKey]
    }

    /// - Returns: nil where the build had none.
    init?(storedIn folder: String, _ details: [String: String]) throws {
        guard let name = details["key-name"], let publicKey = details["public-key"] else { return nil }
        let text = try attemptingNow("read the key of the checkpoint \(folder)") {
            try String(contentsOfFile: folder + Self.file, encoding: .utf8)
        }
        self.init(privateKey: Sensitive(text), publicKey: publicKey, name: name)
    }
}

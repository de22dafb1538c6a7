import CLibssh
import Foundation
package import Scopes

/// Why something over SSH did not work.
package enum SSHError: Error, Sendable, CustomStringConvertible, Equatable {
    case connectionRefused
    /// The port accepts connections, and nothing that speaks SSH answers.
    case noBanner
    case handshakeFailed(String)
    /// - Parameter offered: The methods that the server takes.
    case authenticationRefused(tried: [String], offered: [String])
    case disconnected(String)
    case timedOut(String)
    case other(String)

    /// The connection is gone or never came up; a new one may work.
    package var isConnectionLoss: Bool {
        switch self {
        case .connectionRefused, .noBanner, .handshakeFailed, .disconnected, .timedOut: true
        case .authenticationRefused, .other: false
        }
    }

    package var description: String {
        switch self {
        case .connectionRefused: "the port is closed"
        case .noBanner: "nothing that speaks SSH answers yet"
        case .handshakeFailed(let reason): "the SSH handshake failed: \(reason)"
        case .authenticationRefused(let tried, let offered):
            "the guest refused the login (tried: \(tried.isEmpty ? "nothing" : tried.joined(separator: ", ")); it takes: "
                + "\(offered.isEmpty ? "nothing it told" : offered.joined(separator: ", ")))"
        case .disconnected(let reason): "the SSH connection is gone: \(reason)"
        case .timedOut(let what): "timed out while \(what)"
        case .other(let reason): reason
        }
    }
}

/// A private key.
package struct SSHKey: Sendable {
    package var pem: Sensitive<String>

    package init(pem: Sensitive<String>) { self.pem = pem }

    /// Reads a key file.
    ///
    /// - Throws: `BuildError` for a file that is missing, unreadable, encrypted or no key.
    package static func load(_ path: String) throws -> SSHKey {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw BuildError(
                operation: "read the key \(path)", hint: "Does ssh_private_key_file name the right file?",
                underlying: error)
        }
        var key: ssh_key?
        guard ssh_pki_import_privkey_base64(text, nil, nil, nil, &key) == SSH_OK, let key else {
            throw BuildError(
                "read the key \(path)", because: "it is encrypted, or no private key",
                hint:
                    "A copy without passphrase: ssh-keygen -p -f COPY. Or add the key to an agent and set ssh_agent_auth."
            )
        }
        ssh_key_free(key)
        return SSHKey(pem: Sensitive(text))
    }
}

/// A key pair for one build.
package struct TemporaryKeyPair: Sendable {
    package var privateKey: Sensitive<String>
    /// A line for authorized_keys.
    package var publicKey: String

    /// - Parameters:
    ///   - type: rsa, ecdsa or ed25519.
    ///   - bits: nil for Packer's: rsa 4096, ecdsa 521.
    package static func generate(type: String, bits: Int?, comment: String) throws -> TemporaryKeyPair {
        let kinds: [String: (ssh_keytypes_e, Int)] = [
            "rsa": (SSH_KEYTYPE_RSA, 4096), "ecdsa": (SSH_KEYTYPE_ECDSA, 521), "ed25519": (SSH_KEYTYPE_ED25519, 0),
        ]
        guard let (kind, standard) = kinds[type] else {
            throw BuildError(
                "make a key of type \(type)", because: "it is not known any more",
                hint: "temporary_key_pair_type takes rsa, ecdsa and ed25519.")
        }
        var key: ssh_key?
        guard ssh_pki_generate(kind, Int32(clamping: bits ?? standard), &key) == SSH_OK, let key else {
            throw BuildError("make a key of type \(type)", because: "libssh refused \(bits ?? standard) bits")
        }
        defer { ssh_key_free(key) }
        var text: UnsafeMutablePointer<CChar>?
        var line: UnsafeMutablePointer<CChar>?
        defer {
            ssh_string_free_char(text)
            ssh_string_free_char(line)
        }
        guard ssh_pki_export_privkey_base64(key, nil, nil, nil, &text) == SSH_OK, let text,
            ssh_pki_export_pubkey_base64(key, &line) == SSH_OK, let line
        else { throw BuildError("make a key of type \(type)", because: "libssh could not write it") }
        let name = ssh_key_type_to_char(ssh_key_type(key)).map { String(cString: $0) } ?? type
        return TemporaryKeyPair(
            privateKey: Sensitive(String(cString: text)), publicKey: "\(name) \(String(cString: line)) \(comment)")
    }
}

import CLibssh
package import Scopes

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
        try requireLibssh(to: "make a key")
        var key: ssh_key?
        guard ssh_pki_generate(kind, Int32(clamping: bits ?? standard), &key) == SSH_OK, let key else {
            throw BuildError("make a key of type \(type)", because: "libssh refused \(bits ?? standard) bits")
        }
        defer { ssh_key_free(key) }
        var text: UnsafeMutablePointer<CChar>?
        defer { ssh_string_free_char(text) }
        guard ssh_pki_export_privkey_base64(key, nil, nil, nil, &text) == SSH_OK, let text,
            let publicKey = publicLine(of: key, comment: comment)
        else { throw BuildError("make a key of type \(type)", because: "libssh could not write it") }
        return TemporaryKeyPair(privateKey: Sensitive(String(cString: text)), publicKey: publicKey)
    }
}

extension SSHKey {
    /// A line for authorized_keys.
    package func publicKey(comment: String) throws -> String {
        let handle = try KeyHandle(self)
        guard let line = publicLine(of: handle.pointer, comment: comment) else {
            throw BuildError("write the public half of a key", because: "libssh could not")
        }
        return line
    }
}

private func publicLine(of key: ssh_key, comment: String) -> String? {
    var line: UnsafeMutablePointer<CChar>?
    guard ssh_pki_export_pubkey_base64(key, &line) == SSH_OK, let line else { return nil }
    defer { ssh_string_free_char(line) }
    guard let name = ssh_key_type_to_char(ssh_key_type(key)) else { return nil }
    return "\(String(cString: name)) \(String(cString: line)) \(comment)"
}

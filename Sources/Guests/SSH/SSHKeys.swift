import CLibssh
import Foundation
package import Scopes

/// A private key.
package struct SSHKey: Sendable {
    package var pem: Sensitive<String>

    package init(pem: Sensitive<String>) { self.pem = pem }

    /// Reads a key file.
    ///
    /// - Throws: `BuildError` for a file that is missing, unreadable, encrypted or no private key.
    package static func load(_ path: String) throws -> SSHKey {
        let operation = "read the key \(path)"
        let data: Data
        do { data = try readSmallFile(path) } catch {
            throw BuildError(
                operation: operation, hint: "ssh_private_key_file must name a file that this user may read.",
                underlying: error)
        }
        let key = SSHKey(pem: Sensitive(String(decoding: data, as: UTF8.self)))
        do { _ = try KeyHandle(key) } catch let problem as KeyProblem {
            throw BuildError(operation: operation, hint: problem.hint, underlying: problem)
        }
        return key
    }
}

/// Why a text is no key to log in with.
enum KeyProblem: Error, CustomStringConvertible {
    case isEncrypted, isPublic, isPuTTY, isSomethingElse

    fileprivate init(_ text: String) {
        let publicMarks = ["ssh-", "ecdsa-sha2-", "sk-", "---- BEGIN SSH2 PUBLIC", "-----BEGIN PUBLIC"]
        if publicMarks.contains(where: text.hasPrefix) {
            self = .isPublic
        } else if text.hasPrefix("PuTTY-User-Key-File") {
            self = .isPuTTY
        } else {
            self = .isSomethingElse
        }
    }

    var description: String {
        switch self {
        case .isEncrypted: "it is protected by a passphrase"
        case .isPublic: "it holds a public key"
        case .isPuTTY: "it is in PuTTY's format"
        case .isSomethingElse: "it holds no private key that OpenSSH knows"
        }
    }

    var hint: String {
        switch self {
        case .isEncrypted:
            "A copy without passphrase: ssh-keygen -p -f COPY. Or add the key to an agent and set ssh_agent_auth."
        case .isPublic: "ssh_private_key_file takes the other half, usually the same name without .pub."
        case .isPuTTY: "A copy in OpenSSH's format: puttygen KEY -O private-openssh -o COPY."
        case .isSomethingElse: "RSA, ECDSA and Ed25519 keys work, in PEM or in OpenSSH's format."
        }
    }
}

/// A key of libssh's, freed exactly once.
final class KeyHandle: @unchecked Sendable {  // Used on the session's thread, freed on any.
    let pointer: ssh_key

    init(_ key: SSHKey) throws {
        try requireLibssh(to: "read a private key")
        let text = key.pem.reveal()
        var imported: ssh_key?
        var isEncrypted = false
        // Without a function of ours OpenSSL would ask for the passphrase on the terminal.
        let result = withUnsafeMutablePointer(to: &isEncrypted) { flag in
            ssh_pki_import_privkey_base64(
                text, nil,
                { _, _, _, _, _, flag in
                    flag?.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, flag, &imported)
        }
        guard result == SSH_OK, let imported else { throw isEncrypted ? KeyProblem.isEncrypted : KeyProblem(text) }
        pointer = imported
    }

    deinit { ssh_key_free(pointer) }

    /// - Returns: Whether the certificate is for this key, and was added.
    func add(_ certificate: SSHCertificate) throws -> Bool {
        var line: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(pointer, &line) == SSH_OK, let line else { return false }
        defer { ssh_string_free_char(line) }
        guard let blob = Data(base64Encoded: String(cString: line)), certificate.signs(blob) else { return false }
        var signed: ssh_key?
        guard ssh_pki_import_cert_file(certificate.path, &signed) == SSH_OK, let signed else {
            throw certificate.problem("libssh does not know its type")
        }
        defer { ssh_key_free(signed) }
        guard ssh_pki_copy_cert_to_privkey(signed, pointer) == SSH_OK else {
            throw certificate.problem("it does not go with the key")
        }
        return true
    }
}

/// An OpenSSH certificate file: one line, type, base64 and comment.
struct SSHCertificate {
    let path: String
    private let blob: Data

    /// - Throws: `BuildError` for a file that cannot be read or holds no certificate.
    init(_ path: String) throws {
        self.path = path
        let text: String
        do { text = String(decoding: try readSmallFile(path), as: UTF8.self) } catch {
            throw BuildError(operation: "read the certificate \(path)", underlying: error)
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        let encoded = words.count >= 2 && words[0].contains("-cert-v01@") ? String(words[1]) : ""
        blob = Data(base64Encoded: encoded) ?? Data()
        if blob.isEmpty { throw problem("it holds no OpenSSH certificate") }
    }

    /// Whether it is for this public key: after type and nonce it repeats the key's own fields (PROTOCOL.certkeys).
    func signs(_ publicKey: Data) -> Bool {
        guard let fields = Self.afterString(publicKey), let rest = Self.afterString(blob).flatMap(Self.afterString)
        else { return false }
        return rest.starts(with: fields)
    }

    func problem(_ reason: String) -> BuildError {
        BuildError(
            "use the certificate \(path)", because: reason,
            hint: "ssh_certificate_file takes what ssh-keygen -s made for ssh_private_key_file, usually KEY-cert.pub.")
    }

    /// What follows a string with its length before it.
    private static func afterString(_ data: Data) -> Data? {
        guard data.count >= 4 else { return nil }
        let length = data.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return data.count - 4 >= length ? Data(data.dropFirst(4 + length)) : nil
    }
}

extension SSHCredentials {
    /// The keys, each with the certificate if it is for it.
    ///
    /// - Throws: `BuildError` for a key or certificate that is none.
    func importKeys() throws -> [KeyHandle] {
        let certificate = try certificateFile.map { try SSHCertificate($0) }
        let keys = try privateKeys.map { key in
            do { return try KeyHandle(key) } catch let problem as KeyProblem {
                throw BuildError(operation: "log in with a private key", hint: problem.hint, underlying: problem)
            }
        }
        guard let certificate else { return keys }
        var fits = false
        for key in keys where try key.add(certificate) { fits = true }
        guard fits else { throw certificate.problem("it is for another key") }
        return keys
    }
}

/// Reads a file of at most 1 MiB.
private func readSmallFile(_ path: String) throws -> Data {
    let file = try LocalFile(path)
    guard file.size <= 1 << 20 else { throw Reason(text: "\(path) is far too large") }
    return Data(try file.read(at: 0, most: 1 << 20))
}

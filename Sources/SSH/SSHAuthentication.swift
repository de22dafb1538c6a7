import CLibssh
import Scopes

extension SSHConnection {
    /// Tries what the credentials hold, in Packer's order.
    func authenticate(_ credentials: SSHCredentials) async throws {
        var tried: [String] = []
        func succeeded(_ result: Int32) throws -> Bool {
            if result == SSH_AUTH_SUCCESS.rawValue { return true }
            if result == SSH_AUTH_ERROR.rawValue, ssh_is_connected(session) == 0 {
                throw SSHError.authenticationRefused(tried: tried, offered: offered)
            }
            return false
        }
        // Asking for nothing tells what the server takes; some let everyone in.
        if try succeeded(try await attempt { ssh_userauth_none($0.session, nil) }) { return }
        if credentials.usesAgent {
            tried.append("agent")
            if try succeeded(try await attempt { ssh_userauth_agent($0.session, nil) }) { return }
        }
        for key in credentials.privateKeys {
            tried.append("key")
            if try succeeded(try await authenticate(with: key, certificate: credentials.certificateFile)) { return }
        }
        if let password = credentials.password {
            tried.append("password")
            if try succeeded(try await attempt { ssh_userauth_password($0.session, nil, password.reveal()) }) { return }
            tried.append("keyboard-interactive")
            if try succeeded(try await answerQuestions(password)) { return }
        }
        throw SSHError.authenticationRefused(tried: tried, offered: offered)
    }

    private func attempt(_ call: @Sendable (isolated SSHConnection) -> Int32) async throws -> Int32 {
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            let result = call(self)
            if result != SSH_AUTH_AGAIN.rawValue { return result }
            if clock.now - start > .seconds(60) { throw SSHError.timedOut("logging in") }
            try await pause()
        }
    }

    private func authenticate(with key: SSHKey, certificate: String?) async throws -> Int32 {
        let imported = try KeyHandle(key)
        if let certificate { try imported.add(certificate) }
        return try await attempt { ssh_userauth_publickey($0.session, nil, imported.pointer) }
    }

    /// Every question gets the password for an answer, as Packer does.
    private func answerQuestions(_ password: Sensitive<String>) async throws -> Int32 {
        for _ in 0..<10 {
            let result = try await attempt { ssh_userauth_kbdint($0.session, nil, nil) }
            guard result == SSH_AUTH_INFO.rawValue else { return result }
            for index in 0..<max(0, ssh_userauth_kbdint_getnprompts(session)) {
                ssh_userauth_kbdint_setanswer(session, UInt32(index), password.reveal())
            }
        }
        return SSH_AUTH_DENIED.rawValue
    }

    private var offered: [String] {
        let methods = ssh_userauth_list(session, nil)
        let names: [(UInt32, String)] = [
            (SSH_AUTH_METHOD_PUBLICKEY, "publickey"), (SSH_AUTH_METHOD_PASSWORD, "password"),
            (SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"), (SSH_AUTH_METHOD_HOSTBASED, "hostbased"),
        ]
        return names.filter { UInt32(bitPattern: methods) & $0.0 != 0 }.map(\.1)
    }
}

/// A key of libssh's, freed exactly once.
private final class KeyHandle: @unchecked Sendable {  // Used on the session's thread, freed on any.
    let pointer: ssh_key

    init(_ key: SSHKey) throws {
        var imported: ssh_key?
        guard ssh_pki_import_privkey_base64(key.pem.reveal(), nil, nil, nil, &imported) == SSH_OK, let imported else {
            throw SSHError.other("a private key cannot be read")
        }
        pointer = imported
    }

    deinit { ssh_key_free(pointer) }

    func add(_ certificate: String) throws {
        var signed: ssh_key?
        guard ssh_pki_import_cert_file(certificate, &signed) == SSH_OK, let signed else {
            throw SSHError.other("the certificate \(certificate) cannot be read")
        }
        defer { ssh_key_free(signed) }
        guard ssh_pki_copy_cert_to_privkey(signed, pointer) == SSH_OK else {
            throw SSHError.other("the certificate \(certificate) does not belong to the key")
        }
    }
}

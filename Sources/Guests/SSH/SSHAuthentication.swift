import CLibssh
import Foundation
import Guests
import Scopes

extension SSHConnection {
    private enum Outcome { case accepted, partly, refused }

    private struct Method {
        /// The protocol's word for it (RFC 4252).
        let name: String
        /// Our word for it.
        let title: String
        let attempt: () async throws -> Outcome
    }

    /// Tries what the credentials hold, in Packer's order, as far as the server takes it.
    ///
    /// A server may want two things, one after the other: after a step that was only partly enough it is asked anew.
    func authenticate(_ credentials: SSHCredentials) async throws {
        let methods = try methods(credentials)
        var tried: [String] = []
        // Asking for nothing tells what the server takes; some let everyone in.
        if try await outcome({ ssh_userauth_none($0.session, nil) }) == .accepted { return }
        for _ in 0..<4 {
            var isPartly = false
            let offered = offered
            for method in methods where offered.isEmpty || offered.contains(method.name) {
                if !tried.contains(method.title) { tried.append(method.title) }
                switch try await attempt(method, tried) {
                case .accepted: return
                case .partly: isPartly = true
                case .refused: continue
                }
                break
            }
            if !isPartly { break }
        }
        throw GuestError.loginRefused(tried: tried, offered: offered)
    }

    private func attempt(_ method: Method, _ tried: [String]) async throws -> Outcome {
        do { return try await method.attempt() } catch GuestError.connectionLost(let reason)
            where reason.contains("SSH_MSG_DISCONNECT")
        {
            // A server that says goodbye has had enough of us; one that is just gone is rebooting.
            throw GuestError.loginRefused(tried: tried, offered: offered)
        }
    }

    private func methods(_ credentials: SSHCredentials) throws -> [Method] {
        var methods: [Method] = []
        if credentials.usesAgent {
            methods.append(
                Method(name: "publickey", title: "agent") {
                    try await self.outcome { ssh_userauth_agent($0.session, nil) }
                })
        }
        for key in try credentials.importKeys() {
            methods.append(
                Method(name: "publickey", title: "key") {
                    try await self.outcome { ssh_userauth_publickey($0.session, nil, key.pointer) }
                })
        }
        if let password = credentials.password {
            methods.append(
                Method(name: "password", title: "password") {
                    try await self.outcome { ssh_userauth_password($0.session, nil, password.reveal()) }
                })
            methods.append(
                Method(name: "keyboard-interactive", title: "keyboard-interactive") {
                    try await self.answerQuestions(password)
                })
        }
        return methods
    }

    /// Every question gets the password for an answer, as Packer does.
    private func answerQuestions(_ password: Sensitive<String>) async throws -> Outcome {
        for _ in 0..<10 {
            let result = try await finish { ssh_userauth_kbdint($0.session, nil, nil) }
            guard result == SSH_AUTH_INFO.rawValue else { return try outcome(of: result) }
            for index in 0..<max(0, ssh_userauth_kbdint_getnprompts(session)) {
                ssh_userauth_kbdint_setanswer(session, UInt32(index), password.reveal())
            }
        }
        return .refused
    }

    private func outcome(_ call: @Sendable (isolated SSHConnection) -> Int32) async throws -> Outcome {
        try outcome(of: try await finish(call))
    }

    private func outcome(of result: Int32) throws -> Outcome {
        switch result {
        case SSH_AUTH_SUCCESS.rawValue: return .accepted
        case SSH_AUTH_PARTIAL.rawValue: return .partly
        case _ where !isAlive: throw GuestError.connectionLost("it ended during the login: \(lastError)")
        default: return .refused
        }
    }

    private func finish(_ call: @Sendable (isolated SSHConnection) -> Int32) async throws -> Int32 {
        let start = ContinuousClock.now
        while true {
            let result = call(self)
            if result != SSH_AUTH_AGAIN.rawValue { return result }
            if ContinuousClock.now - start > options.handshakeTimeout { throw GuestError.timedOut("logging in") }
            try await waitForNetwork()
        }
    }

    private var offered: [String] {
        let methods = UInt32(bitPattern: ssh_userauth_list(session, nil))
        let names: [(UInt32, String)] = [
            (SSH_AUTH_METHOD_PUBLICKEY, "publickey"), (SSH_AUTH_METHOD_PASSWORD, "password"),
            (SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive"), (SSH_AUTH_METHOD_HOSTBASED, "hostbased"),
        ]
        return names.filter { methods & $0.0 != 0 }.map(\.1)
    }
}

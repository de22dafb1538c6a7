import Foundation
import SSH
import Scopes
import Synchronization

/// An SSH server in this process that does nothing but judge logins, made of libssh's own server half. That is not in
/// the headers that the project imports, so its functions are looked up by name.
final class LoginServer: Sendable {
    enum Attempt: Equatable, Sendable {
        case nothing
        case key
        case password(String)
        /// The client wants to be asked.
        case questions
        case answers([String])
    }

    enum Verdict: Sendable {
        case accept
        /// Enough for this step; these are left.
        case partly(Methods)
        case refuse(Methods)
        case ask([String])
        case hangUp
    }

    struct Methods: OptionSet, Sendable {
        let rawValue: Int32
        static let password = Methods(rawValue: 2)
        static let key = Methods(rawValue: 4)
        static let questions = Methods(rawValue: 16)
    }

    let endpoint: SSHEndpoint
    private let folder: String
    private let listening: Int32
    private let seen = Mutex<[Attempt]>([])

    /// Every attempt of every connection so far.
    var attempts: [Attempt] { seen.withLock { $0 } }

    init(judge: @escaping @Sendable (Attempt) -> Verdict) throws {
        folder = try temporaryFolder()
        let host = try TemporaryKeyPair.generate(type: "ecdsa", bits: 256, comment: "host")
        try write(host.privateKey.reveal(), to: folder + "/host")
        let (descriptor, port) = try listen(backlog: 16)
        listening = descriptor
        endpoint = SSHEndpoint(host: "127.0.0.1", port: port)
        let hostKey = folder + "/host"
        Thread.detachNewThread { [seen = Shared(self)] in
            while true {
                let connection = accept(descriptor, nil, nil)
                if connection < 0 { return }
                Thread.detachNewThread {
                    Session(connection, hostKey: hostKey)?.serve { attempt in
                        seen.note(attempt)
                        return judge(attempt)
                    }
                }
            }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Does not keep the server alive, so that it goes with its test.
    private final class Shared: @unchecked Sendable {
        private weak var server: LoginServer?
        init(_ server: LoginServer) { self.server = server }
        func note(_ attempt: Attempt) { server?.seen.withLock { $0.append(attempt) } }
    }
}

/// One connection, served in its own thread.
private final class Session {
    private typealias Pointer = OpaquePointer
    private let library = Library()
    private let session: OpaquePointer

    init?(_ connection: Int32, hostKey: String) {
        guard let bind = library.bindNew(), let session = library.sessionNew() else { return nil }
        self.session = session
        defer { library.bindFree(bind) }
        var no: Int32 = 0
        _ = library.bindOptionsSet(bind, 19, &no)  // SSH_BIND_OPTIONS_PROCESS_CONFIG
        _ = hostKey.withCString { library.bindOptionsSet(bind, 3, UnsafeMutableRawPointer(mutating: $0)) }
        guard library.bindAcceptFD(bind, session, connection) == 0 else { return nil }
    }

    deinit { library.sessionFree(session) }

    func serve(_ judge: (LoginServer.Attempt) -> LoginServer.Verdict) {
        guard library.handleKeyExchange(session) == 0 else { return }
        while let message = library.messageGet(session) {
            defer { library.messageFree(message) }
            switch library.messageType(message) {
            case 4: _ = library.serviceReply(message)
            case 1:
                guard let attempt = attempt(message) else { continue }
                guard answer(message, judge(attempt)) else {
                    shutdown(library.descriptor(session), Int32(SHUT_RDWR))
                    return
                }
            default: _ = library.replyDefault(message)
            }
        }
    }

    /// nil: answered already.
    private func attempt(_ message: OpaquePointer) -> LoginServer.Attempt? {
        switch library.messageSubtype(message) {
        case 2: return .password(library.password(message).map { String(cString: $0) } ?? "")
        case 4:
            if library.keyState(message) == 1 { return .key }
            _ = library.keyIsFine(message)
            return nil
        case 16:
            guard library.isResponse(message) != 0 else { return .questions }
            let count = UInt32(max(0, library.answerCount(session)))
            return .answers((0..<count).map { library.answer(session, $0).map { String(cString: $0) } ?? "" })
        default: return .nothing
        }
    }

    /// - Returns: false to hang up.
    private func answer(_ message: OpaquePointer, _ verdict: LoginServer.Verdict) -> Bool {
        switch verdict {
        case .accept: _ = library.replySuccess(message, 0)
        case .partly(let rest):
            _ = library.setMethods(message, rest.rawValue)
            _ = library.replySuccess(message, 1)
        case .refuse(let rest):
            _ = library.setMethods(message, rest.rawValue)
            _ = library.replyDefault(message)
        case .ask(let questions):
            var prompts: [UnsafePointer<CChar>?] = questions.map { UnsafePointer(strdup($0)) }
            var echo = [CChar](repeating: 0, count: questions.count)
            _ = library.ask(message, "test", "", UInt32(questions.count), &prompts, &echo)
            prompts.forEach { free(UnsafeMutableRawPointer(mutating: $0)) }
        case .hangUp: return false
        }
        return true
    }
}

/// The functions of libssh's server half.
private struct Library {
    typealias P = OpaquePointer
    let bindNew: @convention(c) () -> P? = symbol("ssh_bind_new")
    let bindFree: @convention(c) (P) -> Void = symbol("ssh_bind_free")
    let bindOptionsSet: @convention(c) (P, Int32, UnsafeMutableRawPointer) -> Int32 = symbol("ssh_bind_options_set")
    let bindAcceptFD: @convention(c) (P, P, Int32) -> Int32 = symbol("ssh_bind_accept_fd")
    let sessionNew: @convention(c) () -> P? = symbol("ssh_new")
    let sessionFree: @convention(c) (P) -> Void = symbol("ssh_free")
    let descriptor: @convention(c) (P) -> Int32 = symbol("ssh_get_fd")
    let handleKeyExchange: @convention(c) (P) -> Int32 = symbol("ssh_handle_key_exchange")
    let messageGet: @convention(c) (P) -> P? = symbol("ssh_message_get")
    let messageFree: @convention(c) (P) -> Void = symbol("ssh_message_free")
    let messageType: @convention(c) (P) -> Int32 = symbol("ssh_message_type")
    let messageSubtype: @convention(c) (P) -> Int32 = symbol("ssh_message_subtype")
    let serviceReply: @convention(c) (P) -> Int32 = symbol("ssh_message_service_reply_success")
    let replyDefault: @convention(c) (P) -> Int32 = symbol("ssh_message_reply_default")
    let replySuccess: @convention(c) (P, Int32) -> Int32 = symbol("ssh_message_auth_reply_success")
    let setMethods: @convention(c) (P, Int32) -> Int32 = symbol("ssh_message_auth_set_methods")
    let password: @convention(c) (P) -> UnsafePointer<CChar>? = symbol("ssh_message_auth_password")
    let keyState: @convention(c) (P) -> Int32 = symbol("ssh_message_auth_publickey_state")
    let keyIsFine: @convention(c) (P) -> Int32 = symbol("ssh_message_auth_reply_pk_ok_simple")
    let isResponse: @convention(c) (P) -> Int32 = symbol("ssh_message_auth_kbdint_is_response")
    let answerCount: @convention(c) (P) -> Int32 = symbol("ssh_userauth_kbdint_getnanswers")
    let answer: @convention(c) (P, UInt32) -> UnsafePointer<CChar>? = symbol("ssh_userauth_kbdint_getanswer")
    let ask:
        @convention(c) (
            P, UnsafePointer<CChar>, UnsafePointer<CChar>, UInt32, UnsafeMutablePointer<UnsafePointer<CChar>?>,
            UnsafeMutablePointer<CChar>
        ) -> Int32 = symbol("ssh_message_auth_interactive_request")
}

private func symbol<Function>(_ name: String) -> Function {
    guard let library = dlopen("libssh.so.4", RTLD_NOW), let address = dlsym(library, name) else {
        preconditionFailure("libssh lacks \(name)")
    }
    return unsafeBitCast(address, to: Function.self)
}

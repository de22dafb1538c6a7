import Foundation
import Guests
import SSH
import Scopes
import Testing

@Suite("logging in over SSH", .serialized)
struct LoginTests {
    private func connect(_ server: LoginServer, password: String = "secret", keys: [SSHKey] = []) async throws {
        let credentials = SSHCredentials(username: "root", password: Sensitive(password), privateKeys: keys)
        let connection = try await SSHConnection.connect(server.endpoint, credentials, SSHOptions())
        await connection.close()
    }

    @Test("a password lets in")
    func password() async throws {
        let server = try LoginServer { $0 == .password("secret") ? .accept : .refuse([.password]) }
        try await connect(server)
        #expect(server.attempts == [.nothing, .password("secret")])
    }

    @Test("every question of a server gets the password, over several rounds")
    func questions() async throws {
        let server = try LoginServer { attempt in
            switch attempt {
            case .questions: .ask(["Password: ", "Again: "])
            case .answers(["secret", "secret"]): .ask(["And once more: "])
            case .answers(["secret"]): .accept
            default: .refuse([.questions])
            }
        }
        try await connect(server)
        #expect(server.attempts.last == .answers(["secret"]))
    }

    @Test("a server may want a key and then a password")
    func twoSteps() async throws {
        let server = try LoginServer { attempt in
            switch attempt {
            case .key: .partly([.password])
            case .password("secret"): .accept
            default: .refuse([.key])
            }
        }
        let pair = try TemporaryKeyPair.generate(type: "ed25519", bits: nil, comment: "x")
        try await connect(server, keys: [SSHKey(pem: pair.privateKey)])
        #expect(server.attempts == [.nothing, .key, .password("secret")])
    }

    @Test("a server may want a password and then an answer")
    func passwordThenAnswer() async throws {
        let server = try LoginServer { attempt in
            switch attempt {
            case .questions: .ask(["Code: "])
            case .answers(["secret"]): .partly([.password])
            case .password("secret"): .accept
            default: .refuse([.questions])
            }
        }
        try await connect(server)
        #expect(server.attempts.last == .password("secret"))
    }

    @Test("a wrong password is refused, with what was tried and what the server takes")
    func wrongPassword() async throws {
        let server = try LoginServer { $0 == .questions ? .ask(["Password: "]) : .refuse([.password, .questions]) }
        let error = await #expect(throws: GuestError.self) { try await connect(server, password: "wrong") }
        #expect(
            error
                == .loginRefused(
                    tried: ["password", "keyboard-interactive"], offered: ["password", "keyboard-interactive"]))
        #expect(error?.description.contains("wrong") == false)
    }

    @Test("what the server does not take is not tried")
    func notOffered() async throws {
        let server = try LoginServer { _ in .refuse([.key]) }
        let error = await #expect(throws: GuestError.self) { try await connect(server) }
        #expect(error == .loginRefused(tried: [], offered: ["publickey"]))
        #expect(server.attempts == [.nothing])
    }

    @Test("a connection that dies during the login is a loss, not a refusal")
    func lostDuringLogin() async throws {
        let server = try LoginServer { $0 == .nothing ? .refuse([.password]) : .hangUp }
        let error = await #expect(throws: GuestError.self) { try await connect(server) }
        guard case .connectionLost = error else {
            Issue.record("not a loss: \(String(describing: error))")
            return
        }
        #expect(error?.isConnectionLoss == true)
    }

    @Test("only refusals count as attempts, and each state is told once")
    func attemptsAndNews() async throws {
        let hangUps = Counter()
        let server = try LoginServer { attempt in
            if attempt == .nothing { return .refuse([.password]) }
            return hangUps.next() < 3 ? .hangUp : .refuse([.password])
        }
        let news = NewsLog()
        let credentials = SSHCredentials(username: "root", password: Sensitive("x"))
        await #expect(throws: GuestError.loginRefused(tried: ["password"], offered: ["password"])) {
            _ = try await waitForSSH(
                server.endpoint, credentials, SSHOptions(), timeout: .seconds(60), handshakeAttempts: 2,
                onNews: { news.add($0) })
        }
        #expect(hangUps.value == 5)
        let kinds = news.all.map { item in
            switch item {
            case .banner: "banner"
            case .problem: "problem"
            case .refused: "refused"
            default: "other: \(item)"
            }
        }
        #expect(kinds == ["banner", "problem", "refused"])
    }

    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0
        func next() -> Int {
            lock.withLock {
                count += 1
                return count - 1
            }
        }
        var value: Int { lock.withLock { count } }
    }
}

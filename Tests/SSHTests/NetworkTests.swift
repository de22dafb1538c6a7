import Foundation
import SSH
import Scopes
import Testing

@Suite("the wait for a guest's SSH port", .serialized)
struct NetworkTests {
    private func connect(_ endpoint: SSHEndpoint, _ options: SSHOptions = SSHOptions()) async -> SSHError? {
        await #expect(throws: SSHError.self) {
            _ = try await SSHConnection.connect(endpoint, SSHCredentials(username: "x"), options)
        }
    }

    @Test("a closed port is refused")
    func refused() async throws {
        #expect(await connect(SSHEndpoint(host: "127.0.0.1", port: try freePort())) == .connectionRefused)
    }

    @Test("an address that no route leads to is unreachable")
    func unreachable() async throws {
        // Nothing connects to a multicast address.
        let error = await connect(SSHEndpoint(host: "224.0.0.1", port: 22))
        guard case .unreachable = error else {
            Issue.record("not unreachable: \(String(describing: error))")
            return
        }
    }

    @Test("a host without address is not found")
    func hostNotFound() async throws {
        let error = await connect(SSHEndpoint(host: "no..such..host", port: 22))
        guard case .hostNotFound(let reason) = error else {
            Issue.record("found: \(String(describing: error))")
            return
        }
        #expect(reason.contains("no..such..host"))
    }

    @Test("a port that accepts nothing times out")
    func timedOut() async throws {
        // Connections beyond the backlog are not accepted.
        let (listening, port) = try listen(backlog: 0)
        defer { close(listening) }
        var options = SSHOptions()
        options.connectTimeout = .milliseconds(300)
        options.bannerTimeout = .milliseconds(300)
        var errors: [SSHError?] = []
        for _ in 0..<3 { errors.append(await connect(SSHEndpoint(host: "127.0.0.1", port: port), options)) }
        #expect(errors.contains(.timedOut("connecting")))
    }

    @Test("a port on which nobody speaks has no banner")
    func noBanner() async throws {
        let (listening, port) = try listen(backlog: 5)
        defer { close(listening) }
        var options = SSHOptions()
        options.bannerTimeout = .milliseconds(300)
        #expect(await connect(SSHEndpoint(host: "127.0.0.1", port: port), options) == .noBanner)
    }

    @Test("the wait outlasts a closed port, and tells of it once")
    func lateServer() async throws {
        let port = try freePort()
        let news = NewsLog()
        await #expect(throws: TimedOut.self) {
            _ = try await waitForSSH(
                SSHEndpoint(host: "127.0.0.1", port: port), SSHCredentials(username: "x"), SSHOptions(),
                timeout: .seconds(1), handshakeAttempts: 1, onNews: { news.add($0) })
        }
        #expect(news.all == [.portClosed])
    }
}

import Foundation
import Proxmox
import Scopes
import Synchronization
import Testing

@Suite("Signing in and trust")
struct ConnectionTests {
    @Test("a token signs every call in")
    func token() async throws {
        try await FakeServer.with(FakeCluster()) { server in
            let version = try await server.client { try await $0.version() }
            #expect(version.description == "8.4.1")
            #expect(version >= .takesDiskUploads)
        }
    }

    @Test("a wrong token is refused with what to check")
    func wrongToken() async throws {
        try await FakeServer.with(FakeCluster()) { server in
            let text = await words {
                try await server.client(.token(id: "ci@pve!ingot", secret: Sensitive("wrong"))) {
                    try await $0.version()
                }
            }
            #expect(text.contains("(401)") && text.contains("did not let us in"), "\(text)")
            #expect(text.contains("user@realm!name") && !text.contains("wrong"), "\(text)")
        }
    }

    @Test("a password gives a ticket, and writing calls carry its guard")
    func password() async throws {
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            try await server.client(FakeServer.password) { client in
                _ = try await client.version()
                let task = try #require(try await client.removeVolume("local:import/a.raw", on: "pve"))
                #expect(task.type == "imgdel" && task.user == "ci@pve")
            }
        }
        #expect(cluster.state.withLock { $0.logins } == 1)
    }

    @Test("a wrong password is refused with what to check")
    func wrongPassword() async throws {
        try await FakeServer.with(FakeCluster()) { server in
            let text = await words {
                try await server.client(.password(user: "ci@pve", password: Sensitive("secret"))) {
                    try await $0.version()
                }
            }
            #expect(text.contains("sign in") && text.contains("realm") && !text.contains("secret"), "\(text)")
        }
    }

    @Test("an old ticket is renewed without the password")
    func renewal() async throws {
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            var pace = ProxmoxPace.quick
            pace.ticketAge = .zero
            try await server.client(FakeServer.password, pace: pace) { client in
                _ = try await client.version()
                cluster.state.withLock { $0.secrets = [:] }
                _ = try await client.version()
            }
        }
        #expect(cluster.state.withLock { $0.logins } == 2)
    }

    @Test("a ticket too old to be renewed, or that is refused, gives way to the password", arguments: [true, false])
    func deadTicket(isTooOld: Bool) async throws {
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            var pace = ProxmoxPace.quick
            pace.ticketAge = .zero
            if isTooOld { pace.ticketLife = .zero }
            try await server.client(FakeServer.password, pace: pace) { client in
                _ = try await client.version()
                cluster.state.withLock { $0.tickets = [] }
                _ = try await client.version()
            }
        }
        cluster.state.withLock { #expect($0.logins == 2 && $0.counts["ticket"] == (isTooOld ? 2 : 3)) }
    }

    @Test("a ticket that the server forgot is replaced")
    func lostTicket() async throws {
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            try await server.client(FakeServer.password) { client in
                _ = try await client.version()
                cluster.state.withLock { $0.tickets = [] }
                _ = try await client.version()
            }
        }
        #expect(cluster.state.withLock { $0.logins } == 2)
    }

    @Test("an account with a second factor is told of tokens")
    func secondFactor() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.needsSecondFactor = true }
        try await FakeServer.with(cluster) { server in
            let text = await words { try await server.client(FakeServer.password) { try await $0.version() } }
            #expect(text.contains("second factor") && text.contains("API token"), "\(text)")
        }
    }

    @Test("the fingerprint of the server's certificate is enough, with or without colons")
    func fingerprint() async throws {
        let fingerprint = try await FakeCertificates.made.value.fingerprint
        try await FakeServer.with(FakeCluster()) { server in
            let forms = [
                fingerprint, fingerprint.lowercased().replacing(":", with: ""), "sha256 Fingerprint=" + fingerprint,
            ]
            for text in forms {
                _ = try await server.client(trust: .fingerprint(text)) { try await $0.version() }
            }
        }
    }

    @Test("another fingerprint ends the connection before a request is sent, and shows the actual one")
    func wrongFingerprint() async throws {
        let fingerprint = try await FakeCertificates.made.value.fingerprint
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            let wrong = String(repeating: "00:", count: 31) + "00"
            let text = await words { try await server.client(trust: .fingerprint(wrong)) { try await $0.version() } }
            #expect(text.contains(fingerprint) && text.contains("somebody is in between"), "\(text)")
        }
        #expect(cluster.state.withLock { $0.calls } == [])
    }

    @Test("an authority that did not sign the certificate is not enough, nor is the system's trust")
    func unknownAuthority() async throws {
        let other = try await FakeCertificates.made.value.otherAuthority
        let cluster = FakeCluster()
        try await FakeServer.with(cluster) { server in
            let text = await words {
                try await server.client(trust: .authorities(file: other)) { try await $0.version() }
            }
            #expect(text.contains("TLS handshake") && text.contains(other), "\(text)")
            let system = await words { try await server.client(trust: .system) { try await $0.version() } }
            #expect(system.contains("pve-root-ca.pem") && system.contains("fingerprint"), "\(system)")
        }
        #expect(cluster.state.withLock { $0.calls } == [])
    }

    @Test("a certificate for another host is refused")
    func wrongHost() async throws {
        try await FakeServer.with(FakeCluster(), isForeign: true) { server in
            let text = await words { try await server.client { try await $0.version() } }
            #expect(text.contains("TLS handshake") && text.contains("name the host"), "\(text)")
        }
    }

    @Test("an answer that is not one of Proxmox VE is told from a refusal")
    func otherProgram() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock { $0.faults = [.init(call: "version", fault: .garbage)] }
        try await FakeServer.with(cluster) { server in
            let text = await words { try await server.client { try await $0.version() } }
            #expect(text.contains("is not one of Proxmox VE"), "\(text)")
        }
    }

    @Test("without verification anything goes")
    func unverified() async throws {
        try await FakeServer.with(FakeCluster()) { server in
            _ = try await server.client(trust: .unverified) { try await $0.version() }
        }
    }

    @Test("a file of authorities that is none is named")
    func badAuthorities() async throws {
        try await FakeServer.with(FakeCluster()) { server in
            let text = await words {
                try await server.client(trust: .authorities(file: "/nonexistent.pem")) { try await $0.version() }
            }
            #expect(text.contains("/nonexistent.pem") && text.contains("PEM"), "\(text)")
        }
    }

    @Test("a port where nothing listens is named")
    func nothingThere() async throws {
        let port = try await FakeServer.with(FakeCluster()) { $0.port }
        var server = try ProxmoxServer(url: "https://127.0.0.1:\(port)", credentials: FakeServer.token)
        server.pace = .quick
        let closed = server
        let text = await words { try await ProxmoxClient.with(closed) { try await $0.version() } }
        #expect(text.contains("no connection to https://127.0.0.1:\(port)") && text.contains("8006"), "\(text)")
    }

    @Test(
        "addresses and names that cannot be right are refused early",
        arguments: [
            ("http://pve:8006", "a@pam!t"), ("https://user:pw@pve", "a@pam!t"), ("https://pve/other", "a@pam!t"),
            ("", "a@pam!t"), ("https://pve", "a@pam"), ("https://pve", "root!t"), ("https://pve", "a@pam!t\r\nX: y"),
        ])
    func badServers(url: String, id: String) {
        #expect(throws: BuildError.self) {
            try ProxmoxServer(url: url, credentials: .token(id: id, secret: Sensitive("x")))
        }
    }

    @Test("the address is taken with or without port and path")
    func addresses() throws {
        for url in ["pve", "https://pve", "https://pve:8006/", "https://pve:8006/api2/json", "https://pve/api2/json/"] {
            #expect(try ProxmoxServer(url: url, credentials: FakeServer.token).address == "https://pve:8006")
        }
        #expect(
            try ProxmoxServer(url: "https://[::1]:443", credentials: FakeServer.token).address == "https://[::1]:443")
    }

    @Test("reading calls are made again after a passing fault, writing ones are not")
    func retries() async throws {
        let cluster = FakeCluster()
        cluster.state.withLock {
            $0.faults = [
                .init(call: "version", occurrence: 1, fault: .refuse(595, "Connection refused")),
                .init(call: "version", occurrence: 2, fault: .cut),
                .init(call: "removeVolume", occurrence: nil, fault: .refuse(595, "Connection refused")),
            ]
        }
        try await FakeServer.with(cluster) { server in
            try await server.client { client in
                _ = try await client.version()
                let text = await words { try await client.removeVolume("local:import/a.raw", on: "pve") }
                #expect(text.contains("(595)") && text.contains("offline"), "\(text)")
            }
        }
        #expect(cluster.state.withLock { $0.counts["version"] } == 3)
        #expect(cluster.state.withLock { $0.counts["removeVolume"] } == 1)
    }

    @Test("ids of tasks are read and bad ones refused")
    func taskIDs() throws {
        let task = try UPID("UPID:pve-1:0000ABCD:00112233:66E0F000:qmcreate:105:root@pam!ci:")
        #expect(task.node == "pve-1" && task.type == "qmcreate" && task.id == "105" && task.user == "root@pam!ci")
        for text in ["", "UPID:", "UPID:pve:1:2:3:a:b:c:", "UPID:../x:0000ABCD:00112233:66E0F000:a:b:c:", "OK"] {
            #expect(throws: Reason.self) { try UPID(text) }
        }
    }

    @Test("versions are compared by their numbers", arguments: ["8.4.1", "8.4-1", "9.0~beta", "10.0"])
    func versions(text: String) throws {
        #expect(try #require(ProxmoxVersion(text)) >= .takesDiskUploads)
        #expect(try #require(ProxmoxVersion("8.3.9")) < .takesDiskUploads)
    }
}

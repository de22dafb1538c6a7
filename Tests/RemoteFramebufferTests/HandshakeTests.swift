import RemoteFramebuffer
import Testing

@Suite("Shaking hands with a VNC server")
struct HandshakeTests {
    /// DES of the challenge under "secret12" with its bits reversed, as OpenSSL computes it.
    private static let response: [UInt8] = [
        0x27, 0xBA, 0x1B, 0x0F, 0x87, 0xCB, 0x32, 0x50, 0xC0, 0x43, 0x75, 0xFA, 0xD6, 0xAF, 0x11, 0x23,
    ]
    /// Likewise under "pa".
    private static let shortResponse: [UInt8] = [
        0x6F, 0x49, 0xF1, 0x49, 0x98, 0x71, 0x17, 0x37, 0xEB, 0xEC, 0xC4, 0x8D, 0xB3, 0x48, 0xA2, 0x2A,
    ]

    @Test(
        "every version is answered in kind, with a password and without",
        arguments: [
            ("003.003", "RFB 003.003\n"), ("003.005", "RFB 003.003\n"), ("003.007", "RFB 003.007\n"),
            ("003.008", "RFB 003.008\n"), ("003.889", "RFB 003.008\n"), ("004.001", "RFB 003.008\n"),
        ], [nil, "secret12", "secret12 and more", "pa"])
    func versions(_ version: (server: String, client: String), password: String?) async throws {
        var honest = HonestServer(version: version.server)
        honest.response = password.map { $0 == "pa" ? Self.shortResponse : Self.response }
        let server = VNCServer { [honest] peer in
            let answer = try honest.greet(peer)
            guard answer == version.client else { throw HonestServer.Mismatch(text: answer) }
            _ = try honest.request(peer)
            try peer.write(update((0, 0, 16, 16, 0, raw(Array(repeating: 0x123456, count: 256)))))
            peer.readToEnd()
        }
        let connection = try await server.connect(password: password)
        let picture = try await connection.framebuffer()
        #expect(picture.width == 16 && picture.pixels == Array(repeating: 0x123456, count: 256))
        connection.close()
        try await server.finish()
    }

    @Test("a password is not sent to a server that requires none")
    func needlessPassword() async throws {
        let server = VNCServer { peer in
            try HonestServer().greet(peer)
            peer.readToEnd()
        }
        try await server.connect(password: "secret12").close()
        try await server.finish()
    }

    @Test("a wrong password is an error, with the server's reason if it gives one", arguments: ["003", "007", "008"])
    func wrongPassword(minor: String) async {
        let server = VNCServer { peer in
            try HonestServer(version: "003.\(minor)", response: Self.response).greet(peer)
        }
        let message = await failure(of: server, password: "wrong")
        #expect(message.contains("refused the password") && message.contains("127.0.0.1:"))
        #expect(message.contains("Authentication failed") == (minor == "008"))
        #expect(!message.contains("wrong"))
    }

    @Test(
        "a missing password and an unknown kind of authentication are errors",
        arguments: ["003.003", "003.007", "003.008"])
    func security(version: String) async {
        for (type, expected) in [(2, "requires a password"), (19, "requires a password")] as [(UInt8, String)] {
            let offer: [UInt8] = version == "003.003" ? [0, 0, 0, type] : [1, type]
            let server = VNCServer { peer in
                try peer.write(Array("RFB \(version)\n".utf8))
                _ = try peer.read(12)
                try peer.write(offer)
                peer.readToEnd()
            }
            let message = await failure(of: server, password: type == 2 ? nil : "x")
            #expect(message.contains(type == 2 ? expected : "does not support password authentication"), "\(message)")
        }
    }

    @Test("the error for a refused connection has the server's reason", arguments: ["003.003", "003.007", "003.008"])
    func refused(version: String) async {
        let server = VNCServer { peer in
            try peer.write(Array("RFB \(version)\n".utf8))
            _ = try peer.read(12)
            let reason = Array("too many\u{1B}[31m clients\u{9B}".utf8)
            try peer.write((version == "003.003" ? [0, 0, 0, 0] : [0]) + bytes32(reason.count) + reason)
            peer.readToEnd()
        }
        let message = await failure(of: server)
        #expect(message.contains("refused the connection: too many[31m clients"), "\(message)")
    }

    @Test("if no server listens, the error names the address")
    func nobody() async {
        do {
            _ = try await VNCConnection.connect(to: .unix("/nonexistent/vnc"), password: nil, deadline: .seconds(10))
            Issue.record("there was a server")
        } catch { #expect("\(error)".contains("/nonexistent/vnc")) }
    }
}

/// What connecting fails with.
func failure(of server: VNCServer, password: String? = nil, deadline: Duration = .seconds(10)) async -> String {
    do {
        try await server.connect(password: password, deadline: deadline).close()
        return "connected"
    } catch { return "\(error)" }
}

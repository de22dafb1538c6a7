import AsyncHTTPClient
import Crypto
import NIOCore
import NIOSSL
import Scopes

/// The server's certificate is not the one that was promised.
struct FingerprintMismatch: Error, CustomStringConvertible {
    var expected: String
    var actual: String
    var description: String { "the server's certificate has the SHA-256 fingerprint \(Self.colons(actual))" }

    private static func colons(_ digits: String) -> String {
        let upper = Array(digits.uppercased())
        return stride(from: 0, to: upper.count, by: 2).map { String(upper[$0..<min($0 + 2, upper.count)]) }
            .joined(separator: ":")
    }
}

extension HTTPClient.Configuration {
    /// - Throws: `BuildError` if the file of authorities cannot be read.
    init(for server: ProxmoxServer) throws {
        self.init(
            redirectConfiguration: .disallow,
            timeout: .init(
                connect: .init(server.pace.connectLimit), read: .init(server.pace.silenceLimit),
                write: .init(server.pace.silenceLimit)))
        httpVersion = .http1Only
        // Trying again is our own decision; the client would hide a refused connection until its timeout.
        connectionPool.retryConnectionEstablishment = false
        var tls = TLSConfiguration.makeClientConfiguration()
        switch server.trust {
        case .system: break
        case .authorities(let file):
            do {
                guard !(try NIOSSLCertificate.fromPEMFile(file)).isEmpty else {
                    throw Reason(text: "it contains no certificate")
                }
            } catch {
                throw BuildError(
                    operation: "read the certificate authorities in \(file)",
                    hint: "Give a PEM file, such as a copy of the node's /etc/pve/pve-root-ca.pem.", underlying: error)
            }
            tls.trustRoots = .file(file)
        case .unverified:
            tls.certificateVerification = .none
        case .fingerprint(let text):
            let expected = ProxmoxServer.fingerprint(text) ?? ""
            // The certificate itself is compared, before the first byte of a request is sent.
            tls.certificateVerification = .none
            http1_1ConnectionDebugInitializer = { channel in
                channel.nioSSL_peerCertificate().flatMapThrowing { certificate in
                    let actual = try certificate.map { SHA256.hex(of: try $0.toDERBytes()) } ?? "none"
                    guard actual == expected else { throw FingerprintMismatch(expected: expected, actual: actual) }
                }.flatMapError { error in
                    channel.close().flatMapError { _ in channel.eventLoop.makeSucceededVoidFuture() }
                        .flatMapThrowing { throw error }
                }
            }
        }
        tlsConfiguration = tls
    }
}

extension TimeAmount {
    /// Whole nanoseconds; what is too long to count is as long as can be counted.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLong) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        self = .nanoseconds(overflow || tooLong ? .max : sum)
    }
}

extension SHA256 {
    static func hex(of bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        return hash.finalize().hex
    }
}

extension SHA256.Digest {
    /// Lower-case hex.
    var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

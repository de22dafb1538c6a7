import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Scopes

extension ProxmoxClient {
    /// What went wrong below HTTP, in our words; cancellation stays recognisable.
    func transportFailure(_ error: any Error) -> (error: any Error, hint: String?) {
        if error is CancellationError || Task.isCancelled { return (CancellationError(), nil) }
        let host = server.address
        switch error {
        case let error as FingerprintMismatch:
            return (
                error,
                "Compare it with the one on the node (Certificates, or `openssl x509 -noout -fingerprint -sha256 -in "
                    + "/etc/pve/local/pve-ssl.pem`). If they differ, somebody is in between; if not, correct the setting."
            )
        case let error as TimedOut:
            return (error, "Check the node's load and the network between here and \(host).")
        case let error as NIOSSLError where error == .uncleanShutdown:
            return (
                ConnectionFailure(stage: .underWay, reason: "\(host) ended the connection in the middle of its answer"),
                "Check that the address and port are those of Proxmox VE, and the node's load."
            )
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            return (
                ConnectionFailure(
                    stage: .connecting, reason: "the TLS handshake with \(host) failed: \(Self.tlsReason(error))"),
                tlsHint
            )
        case let error as HTTPClientError where error == .connectTimeout || error == .tlsHandshakeTimeout:
            return (
                ConnectionFailure(stage: .connecting, reason: "\(host) does not answer"),
                "Check the address and port, and that no firewall is in between."
            )
        case let error as NIOConnectionError:
            let causes = error.connectionErrors.map { "\($0.error)" }
            let lookup = error.dnsAError ?? error.dnsAAAAError
            let reason = causes.first ?? (lookup == nil ? "\(error)" : "the name cannot be looked up")
            return (
                ConnectionFailure(stage: .connecting, reason: "no connection to \(host): \(reason)"),
                "Check the address and port (8006 unless a proxy is in front), and that the server is up."
            )
        case let error as IOError
        where [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL].contains(error.errnoCode):
            return (
                ConnectionFailure(
                    stage: .connecting,
                    reason: "no connection to \(host): \(String(cString: strerror(error.errnoCode)))"),
                "Check the address and port (8006 unless a proxy is in front), and that the server is up."
            )
        default:
            return (
                ConnectionFailure(stage: .underWay, reason: "the connection to \(host) broke: \(error)"),
                "Check the network, and the free space in /var/tmp of the node: it drops uploads it cannot store."
            )
        }
    }

    /// The TLS library's words for what people meet; its own hold numbers and the paths of its source.
    private static func tlsReason(_ error: any Error) -> String {
        let words = "\(error)"
        let known = [
            ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted"),
            ("WRONG_VERSION_NUMBER", "there is no TLS on that port"), ("HTTP_REQUEST", "there is no TLS on that port"),
            ("UNSUPPORTED_PROTOCOL", "it supports only old versions of TLS"),
            ("unableToValidateCertificate", "its certificate does not name the host of the URL"),
            ("failedToValidateHostname", "its certificate does not name the host of the URL"),
            ("Couldn't find", "its certificate does not name the host of the URL"),
        ]
        if let (_, reason) = known.first(where: { words.contains($0.0) }) { return reason }
        return String(words.prefix { $0 != "/" }.prefix(200))
    }

    private var tlsHint: String {
        switch server.trust {
        case .system:
            "Servers of Proxmox VE sign their certificate themselves by default: give the cluster's "
                + "/etc/pve/pve-root-ca.pem as CA file, or the certificate's SHA-256 fingerprint."
        case .authorities(let file):
            "The certificate must be vouched for by an authority in \(file), be valid now, and name the host of the URL."
        case .fingerprint, .unverified: "Check that the port is that of Proxmox VE."
        }
    }
}

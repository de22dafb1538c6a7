import Foundation
import ProxmoxConfiguration
package import Scopes

/// Who signs in.
package enum ProxmoxCredentials: Sendable {
    /// An API token: `user@realm!name`, and its secret.
    case token(id: String, secret: Sensitive<String>)
    /// `user@realm` and the password. An account with a second factor needs a token.
    case password(user: String, password: Sensitive<String>)
}

/// Which server certificates are trusted.
package enum ServerTrust: Sendable, Equatable {
    /// What this system trusts.
    case system
    /// Only what the authorities in this PEM file vouch for; a node has its cluster's in `/etc/pve/pve-root-ca.pem`.
    case authorities(file: String)
    /// Exactly the certificate with this SHA-256 fingerprint, in hex, with or without colons.
    case fingerprint(String)
    /// Any certificate. Anyone between here and the server can read the secrets; the caller must warn of it.
    case unverified
}

/// A Proxmox VE server and how to talk to it.
package struct ProxmoxServer: Sendable {
    /// `https://host:8006`, without the path of the API.
    package let address: String
    package var credentials: ProxmoxCredentials
    package var trust: ServerTrust
    package var pace = ProxmoxPace()

    /// - Parameter url: `https://host:8006/api2/json`, as templates have it; path and port may be left out.
    /// - Throws: `BuildError` for a malformed address, user name or fingerprint.
    package init(url: String, credentials: ProxmoxCredentials, trust: ServerTrust = .system) throws {
        func refuse(_ reason: String, _ hint: String) -> BuildError {
            BuildError("reach Proxmox VE", because: reason, hint: hint)
        }
        let text = url.contains("://") ? url : "https://" + url
        guard let parts = URLComponents(string: text), parts.user == nil, parts.password == nil, !text.contains("@")
        else {
            throw text.contains("@")
                ? refuse("the URL holds a user or password", "Give them as `username` and `password` or `token`.")
                : refuse("the URL “\(url)” is malformed", "Write it as https://pve.example.com:8006/api2/json.")
        }
        guard let host = parts.host, !host.isEmpty, (1...65535).contains(parts.port ?? 8006) else {
            throw refuse("the URL “\(url)” is malformed", "Write it as https://pve.example.com:8006/api2/json.")
        }
        guard parts.scheme?.lowercased() == "https" else {
            throw refuse(
                "the URL “\(url)” is not https", "Proxmox VE answers on https only; write https://\(host):8006.")
        }
        let path = parts.path.split(separator: "/").joined(separator: "/")
        guard ["", "api2", "api2/json", "api2/extjs"].contains(path) else {
            throw refuse("the URL has the path /\(path)", "Write it as https://\(host):8006/api2/json.")
        }
        let literal = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        address = "https://\(literal):\(parts.port ?? 8006)"
        self.credentials = credentials
        self.trust = trust
        switch credentials {
        case .token(let id, let secret):
            guard Self.tokenID.matches(id) else {
                throw refuse(
                    "“\(id)” is not a token's id",
                    "Write user@realm!name, such as root@pam!ingot; the name has two characters or more.")
            }
            guard Self.isHeaderSafe(secret.reveal()) else {
                throw refuse("the token's secret is empty or malformed", "Copy the UUID shown when the token was made.")
            }
        case .password(let user, let password):
            guard Self.userID.matches(user) else {
                throw refuse("“\(user)” is not a user with realm", "Write user@realm, such as root@pam.")
            }
            if password.reveal().isEmpty { throw refuse("the password is empty", "Set `password` or `token`.") }
        }
        if case .fingerprint(let text) = trust, Self.fingerprint(text) == nil {
            throw refuse(
                "“\(text)” is not a SHA-256 fingerprint",
                "Give the 64 hex digits that the node's certificate page shows.")
        }
    }

    /// The digest in lower-case hex; nil if it is not one.
    static func fingerprint(_ text: String) -> String? {
        // openssl prints "sha256 Fingerprint=" in front of it.
        let value = text.split(separator: "=").last ?? ""
        let digits = value.filter { $0 != ":" && $0 != " " }.lowercased()
        return digits.utf8.count == 64
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            ? digits : nil
    }

    private static let tokenID = Pattern("[^\\s:/!@]+(@[^\\s:/!@]+)*@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+")
    private static let userID = Pattern("[^\\s:/!]+@[A-Za-z][A-Za-z0-9._-]+")
    private static func isHeaderSafe(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }
}

/// How patient a client is.
package struct ProxmoxPace: Sendable {
    /// Between two looks at a running task.
    package var pollInterval: Duration = .seconds(1)
    /// Before a call is made again.
    package var retryDelay: Duration = .seconds(2)
    /// For one call other than an upload. The server itself gives up after 30 s.
    package var callLimit: Duration = .seconds(60)
    package var connectLimit: Duration = .seconds(15)
    /// For one upload, from the first byte to the answer.
    package var uploadLimit: Duration = .seconds(4 * 3600)
    /// A connection without a byte for so long is dead.
    package var silenceLimit: Duration = .seconds(300)
    /// For one task.
    package var taskLimit: Duration = .seconds(2 * 3600)
    /// For undoing one thing.
    package var cleanupLimit: Duration = .seconds(180)
    /// A ticket is renewed at this age.
    package var ticketAge: Duration = .seconds(3600)
    /// From this age on the password is needed again; the server takes a ticket for two hours.
    package var ticketLife: Duration = .seconds(7000)
    package init() {}
}

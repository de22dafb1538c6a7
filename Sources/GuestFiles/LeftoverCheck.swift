import Foundation
package import Scopes

/// What must not be left in an image.
package struct LeftoverCheck: Sendable {
    /// Secrets of the build to search for in files.
    package var secrets: [Sensitive<String>]
    /// The folders to search; searching more takes long.
    package var folders: [String]
    /// The keys that may be authorised, as lines of authorized_keys.
    package var permittedKeys: [String]

    package init(
        secrets: [Sensitive<String>] = [],
        folders: [String] = [
            "/etc", "/root", "/home", "/var/log", "/var/lib/cloud", "/tmp", "/var/tmp", "/opt", "/srv",
        ],
        permittedKeys: [String] = []
    ) {
        self.secrets = secrets
        self.folders = folders
        self.permittedKeys = permittedKeys
    }
}

/// Something in an image that may give access to the wrong people.
package struct Finding: Codable, Sendable, Hashable {
    /// The kinds of findings.
    package enum Kind: String, Codable, Sendable {
        case secret
        case authorizedKey = "authorized-key"
        case readablePrivateKey = "readable-private-key"
        case emptyPassword = "empty-password"
        /// The search stopped early.
        case incomplete
    }
    /// What was found.
    package var kind: Kind
    /// The path in the guest.
    package var path: String
    /// What was found, for people, without the secret itself.
    package var text: String
}

/// Searches the content of one file.
package struct LeftoverSearch {
    private let secrets: [Data]
    /// The minimum length of a secret to search for: shorter ones would be found everywhere.
    static let shortestSecret = 5

    package init(_ secrets: [Sensitive<String>]) {
        self.secrets = secrets.map { Data($0.reveal().trimmingCharacters(in: .newlines).utf8) }.filter {
            $0.count >= Self.shortestSecret
        }
    }

    /// The findings in the content of a file.
    package func findings(in content: [UInt8], path: String, mode: Int64) -> [Finding] {
        var findings: [Finding] = []
        let data = Data(content)
        if secrets.contains(where: { data.range(of: $0) != nil }) {
            findings.append(Finding(kind: .secret, path: path, text: "it contains a secret of the build"))
        }
        if mode & 0o004 != 0, content.starts(with: "-----BEGIN ".utf8),
            data.prefix(80).range(of: Data("PRIVATE KEY-----".utf8)) != nil
        {
            findings.append(
                Finding(kind: .readablePrivateKey, path: path, text: "a private key that every user may read"))
        }
        return findings
    }
}

/// The secrets without those that are a line of another one. Lines such as `-----END CERTIFICATE-----` or `#!/bin/sh` are
/// in many files, and the whole secret is searched for anyway.
package func withoutLinesOfOthers(_ secrets: [Sensitive<String>]) -> [Sensitive<String>] {
    var lines: Set<Substring> = []
    for secret in secrets {
        let parts = secret.reveal().split(whereSeparator: \.isNewline)
        if parts.count > 1 { lines.formUnion(parts) }
    }
    return secrets.filter { !lines.contains($0.reveal()[...]) }
}

extension Guestfs {
    /// Limits: bytes at the beginning and at the end of a file, bytes in total, and the number of files.
    private static let pieceOfFile: Int64 = 1 << 20
    private static let mostBytes: Int64 = 128 << 20
    private static let mostFiles = 20_000

    /// Searches the mounted system.
    func check(_ wanted: LeftoverCheck) throws -> [Finding] {
        var findings: [Finding] = []
        let permitted = Set(wanted.permittedKeys.compactMap { AuthorizedKeys.key(of: $0[...]) })
        let passwords = PasswordState.read(try contents("/etc/shadow") ?? "")
        for account in try accounts() {
            if passwords[account.name] == .empty, !account.shell.hasSuffix("nologin"), !account.shell.hasSuffix("false")
            {
                findings.append(
                    Finding(kind: .emptyPassword, path: "/etc/shadow", text: "\(account.name) needs no password"))
            }
            for path in keyFiles(of: account) {
                let keys = AuthorizedKeys(text: try contents(path) ?? "")
                for (key, name) in zip(keys.keys, keys.names) where !permitted.contains(key) {
                    findings.append(
                        Finding(kind: .authorizedKey, path: path, text: "\(name) may log in as \(account.name)"))
                }
            }
        }
        let search = LeftoverSearch(wanted.secrets)
        var bytesLeft = Self.mostBytes
        var filesLeft = Self.mostFiles
        for folder in wanted.folders where try isFolder(folder) {
            for (name, status) in try files(below: folder) where status.size > 0 {
                let size = min(status.size, 2 * Self.pieceOfFile)
                guard filesLeft > 0, bytesLeft >= size else {
                    findings.append(
                        Finding(kind: .incomplete, path: folder, text: "it has too many files to search them all"))
                    break
                }
                filesLeft -= 1
                bytesLeft -= size
                let path = "\(folder)/\(name)"
                do {
                    var content = try bytes(
                        ofFile: path, limit: Int(status.size > size ? Self.pieceOfFile : size))
                    if status.size > size {
                        // The zero byte prevents a match across the two pieces.
                        content.append(0)
                        content += try bytes(
                            ofFile: path, from: status.size - Self.pieceOfFile, limit: Int(Self.pieceOfFile))
                    }
                    findings += search.findings(in: content, path: path, mode: status.mode)
                } catch let error as GuestfsError {
                    findings.append(
                        Finding(kind: .incomplete, path: path, text: "it could not be read: \(error.text)"))
                }
            }
        }
        return findings
    }
}

import Foundation

/// The package URL (purl) of a package: `pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-13`.
package func packageURL(_ package: InstalledPackage, of system: GuestSystem) -> String {
    let kind: String
    switch system.packageFormat {
    case "deb", "rpm", "apk": kind = system.packageFormat
    case "pacman": kind = "alpm"
    default: kind = "generic"
    }
    let namespace = vendor(of: system)
    var version = package.version
    var qualifiers: [(String, String)] = []
    if !package.architecture.isEmpty { qualifiers.append(("arch", package.architecture)) }
    if !namespace.isEmpty, !system.version.isEmpty {
        // Debian names a release by its first number.
        let release = system.distribution == "debian" ? system.version.prefix { $0 != "." } : system.version[...]
        qualifiers.append(("distro", "\(namespace)-\(release)"))
    }
    // The version in a purl does not contain the epoch of an RPM.
    if kind == "rpm", let colon = version.firstIndex(of: ":") {
        qualifiers.append(("epoch", String(version[..<colon])))
        version = String(version[version.index(after: colon)...])
    }
    let address =
        "pkg:\(kind)/" + (namespace.isEmpty ? "" : escaped(namespace) + "/")
        + escaped(kind == "rpm" ? package.name : package.name.lowercased()) + "@" + escaped(version)
    let query = qualifiers.sorted { $0.0 < $1.0 }.map { "\($0.0)=\(escaped($0.1))" }.joined(separator: "&")
    return query.isEmpty ? address : address + "?" + query
}

/// The purl namespace of a distribution.
private func vendor(of system: GuestSystem) -> String {
    switch system.distribution {
    case "alpinelinux": "alpine"
    case "archlinux": "arch"
    case "rhel": "redhat"
    case "kalilinux": "kali"
    case let name where name.hasPrefix("opensuse"): "opensuse"
    default: system.distribution.lowercased()
    }
}

private func escaped(_ text: String) -> String {
    let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:".utf8)
    return text.utf8.map { byte in
        plain.contains(byte)
            ? String(UnicodeScalar(byte))
            : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
}

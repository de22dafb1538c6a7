/// An operating system on a machine's disks.
package struct GuestSystem: Codable, Sendable, Hashable {
    /// Systems that share rules.
    package enum Family: String, Codable, Sendable {
        case debian, ubuntu, fedora, rhel, alpine, arch, suse
        /// A Linux distribution without rules of its own here.
        case otherLinux = "other-linux"
        case windows
        /// BSD and other systems.
        case unknown
    }

    /// `linux`, `windows`, `freebsd` …
    package var kind: String
    /// libguestfs's name of the distribution, such as `debian`, `rocky`, `opensuse-leap`.
    package var distribution: String
    /// The system's own name: "Debian GNU/Linux 13 (trixie)".
    package var name: String
    /// The version, such as `13.1`; may be empty.
    package var version: String
    /// The processor architecture in libguestfs's terms, such as `x86_64`.
    package var architecture: String
    /// May be empty.
    package var hostName: String
    /// `deb`, `rpm`, `apk`, `pacman` …
    package var packageFormat: String
    /// `apt`, `dnf`, `zypper` …
    package var packageManagement: String

    package init(
        kind: String, distribution: String, name: String = "", version: String = "", architecture: String = "",
        hostName: String = "", packageFormat: String = "", packageManagement: String = ""
    ) {
        self.kind = kind
        self.distribution = distribution
        self.name = name
        self.version = version
        self.architecture = architecture
        self.hostName = hostName
        self.packageFormat = packageFormat
        self.packageManagement = packageManagement
    }

    /// The family whose rules apply.
    package var family: Family {
        if kind == "windows" { return .windows }
        guard kind == "linux" else { return .unknown }
        switch distribution {
        case "ubuntu", "linuxmint": return .ubuntu
        case "debian", "kalilinux": return .debian
        case "fedora": return .fedora
        case "rhel", "centos", "rocky", "almalinux", "oraclelinux", "scientificlinux", "redhat-based", "circle":
            return .rhel
        case "alpinelinux": return .alpine
        case "archlinux": return .arch
        case "sles", "suse-based": return .suse
        case let name where name.hasPrefix("opensuse"): return .suse
        default: break
        }
        // A derived distribution belongs to the family of its package manager.
        switch packageManagement {
        case "apt": return .debian
        case "dnf": return .fedora
        case "yum": return .rhel
        case "zypper": return .suse
        case "apk": return .alpine
        case "pacman": return .arch
        default: return .otherLinux
        }
    }

    /// Replaces what libguestfs detected with the system's own /etc/os-release.
    mutating func add(osRelease text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let sign = line.firstIndex(of: "=") else { continue }
            let value = String(line[line.index(after: sign)...].filter { $0 != "\"" && $0 != "'" }.prefix(200))
            switch line[..<sign] {
            case "PRETTY_NAME": name = value
            // libguestfs knows the point release, which Debian's file omits.
            case "VERSION_ID" where !version.hasPrefix(value + "."): version = value
            default: break
            }
        }
    }

    /// Whether it is a Linux distribution.
    package var isLinux: Bool { kind == "linux" }
}

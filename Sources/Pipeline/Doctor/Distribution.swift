import Foundation

/// The host's package manager, to name the command that installs something.
struct Distribution: Sendable {
    private let family: Family
    private let isRoot: Bool

    private enum Family { case debian, fedora, arch, suse, alpine, other }

    /// Package names in each family.
    struct Packages: Sendable {
        var debian: String
        var fedora: String
        var arch: String
        var suse: String
    }

    /// - Parameter osRelease: The text of /etc/os-release.
    init(osRelease: String, isRoot: Bool) {
        let words = osRelease.split(separator: "\n").filter { $0.hasPrefix("ID=") || $0.hasPrefix("ID_LIKE=") }
            .flatMap { $0.split(whereSeparator: { "= \"".contains($0) }) }.map(String.init)
        let families: [(String, Family)] = [
            ("debian", .debian), ("ubuntu", .debian), ("fedora", .fedora), ("rhel", .fedora), ("arch", .arch),
            ("suse", .suse), ("opensuse", .suse), ("alpine", .alpine),
        ]
        family = families.first { words.contains($0.0) }?.1 ?? .other
        self.isRoot = isRoot
    }

    static func current() -> Distribution {
        // Without the file the advice names the package alone.
        let text = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
        return Distribution(osRelease: text, isRoot: geteuid() == 0)
    }

    /// The command that installs the packages.
    func install(_ packages: Packages) -> String {
        let sudo = isRoot ? "" : "sudo "
        switch family {
        case .debian: return "\(sudo)apt install \(packages.debian)"
        case .fedora: return "\(sudo)dnf install \(packages.fedora)"
        case .arch: return "\(sudo)pacman -S \(packages.arch)"
        case .suse: return "\(sudo)zypper install \(packages.suse)"
        case .alpine, .other: return "install the packages that Debian calls \(packages.debian)"
        }
    }
}

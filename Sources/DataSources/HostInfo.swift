import Foundation
import HCL
package import Templates

/// `host-info`: the system that this program runs on, in the words of Go and of its library gopsutil, which Packer's plugin
/// asks.
package struct HostInfo {
    /// What is put before the path of every file that is read.
    let root: String

    package init(root: String = "") { self.root = root }

    package var answer: DataSourceAnswer {
        let release = release
        let id = release["ID"] ?? ""
        let platform = Self.platforms[id] ?? id
        let debian = platform == "debian" ? text("/etc/debian_version") : nil
        return DataSourceAnswer([
            "os_type": .string("linux"), "architecture": .string(Self.architecture), "platform": .string(platform),
            "version": .string(debian ?? release["VERSION_ID"] ?? ""),
            "family": .string(Self.families.first { $0.value.contains(platform) }?.key ?? platform),
        ])
    }

    /// Where gopsutil's word is not that of os-release(5).
    private static let platforms = [
        "rhel": "redhat", "ol": "oracle", "amzn": "amazon", "sles": "suse", "opensuse-leap": "opensuse",
        "opensuse-tumbleweed": "opensuse",
    ]
    private static let families: [String: Set<String>] = [
        "debian": ["debian", "ubuntu", "linuxmint", "raspbian"],
        "rhel": ["redhat", "oracle", "centos", "amazon", "rocky", "almalinux", "cloudlinux"],
        "suse": ["suse", "opensuse"],
    ]

    private static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            ""
        #endif
    }

    /// NAME=VALUE lines, values perhaps in quotes.
    private var release: [String: String] {
        let lines = (text("/etc/os-release") ?? text("/usr/lib/os-release") ?? "").split(whereSeparator: \.isNewline)
        let pairs = lines.compactMap { line -> (String, String)? in
            guard let equals = line.firstIndex(of: "="), !line.hasPrefix("#") else { return nil }
            let value = line[line.index(after: equals)...].trimmingCharacters(in: CharacterSet(charactersIn: "\"' "))
            return (String(line[..<equals]), value)
        }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    /// nil for a file that cannot be read: nothing depends on it then.
    private func text(_ path: String) -> String? {
        (try? String(contentsOfFile: root + path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

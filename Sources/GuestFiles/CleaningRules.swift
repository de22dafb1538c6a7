/// What generalising removes from a system so that it is no longer specific to one machine.
package struct Generalisation: Sendable {
    /// A part that can be disabled.
    package enum Part: String, CaseIterable, Codable, Sendable {
        case machineID = "machine-id"
        case sshHostKeys = "ssh-host-keys"
        case leases = "dhcp-leases"
        case logs
        case randomSeed = "random-seed"
        case cloudInit = "cloud-init"
        case history = "shell-history"
        case networkRules = "udev-rules"
        case packageCaches = "package-caches"
        case temporaryFiles = "temporary-files"
        case identities
    }

    /// The parts to carry out.
    package var parts: Set<Part>
    /// Lines as in authorized_keys; entries with one of these keys are removed for every user.
    package var removedKeys: [String]
    /// Further paths or shell patterns in the guest to remove.
    package var removedPaths: [String]

    package init(
        parts: Set<Part> = Set(Part.allCases), removedKeys: [String] = [], removedPaths: [String] = []
    ) {
        self.parts = parts
        self.removedKeys = removedKeys
        self.removedPaths = removedPaths
    }
}

/// A rule of generalising: what happens to the paths that a pattern matches.
package struct CleaningRule: Hashable {
    /// What to do with a path.
    package enum Action: Hashable {
        /// Removes the path and everything below it.
        case remove
        /// Removes the path if it is a regular file; a link stays.
        case removeFile
        /// Empties the file, keeping its owner and mode.
        case empty
        /// Removes the lines that begin with one of these words.
        case removeLines([String])
    }

    /// The part that the rule belongs to.
    package var part: Generalisation.Part
    /// A shell pattern of absolute paths.
    package var pattern: String
    /// What to do with the paths.
    package var action: Action

    package init(part: Generalisation.Part, pattern: String, action: Action = .remove) {
        self.part = part
        self.pattern = pattern
        self.action = action
    }
}

/// The rules for a kind of system, in order of execution.
///
/// Logs have rules of their own (`LogFate`), which cover every file below /var/log.
package func cleaningRules(for family: GuestSystem.Family, _ parts: Set<Generalisation.Part>) -> [CleaningRule] {
    guard family != .windows, family != .unknown else { return [] }
    return (commonRules + familyRules(family)).filter { parts.contains($0.part) }
}

private func rules(
    _ part: Generalisation.Part, _ action: CleaningRule.Action = .remove, _ patterns: String...
) -> [CleaningRule] {
    patterns.map { CleaningRule(part: part, pattern: $0, action: action) }
}

private let commonRules: [CleaningRule] =
    // systemd fills an empty file at the next start; a missing one would also reset which services are enabled.
    rules(.machineID, .empty, "/etc/machine-id")
    + rules(.machineID, .removeFile, "/var/lib/dbus/machine-id")
    + rules(.sshHostKeys, .remove, "/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/etc/dropbear/*_host_key")
    + rules(
        .leases, .remove, "/var/lib/dhcp/*.lease*", "/var/lib/dhclient/*.lease*", "/var/lib/dhcpcd/*.lease*",
        "/var/lib/dhcpcd/duid", "/var/lib/dhcpcd/secret", "/etc/dhcpcd.duid", "/etc/dhcpcd.secret",
        "/var/lib/dhcpcd5/*.lease*", "/var/lib/NetworkManager/*.lease", "/var/lib/NetworkManager/timestamps",
        "/var/lib/NetworkManager/secret_key", "/var/lib/NetworkManager/seen-bssids", "/var/lib/dhcpv6/*duid*")
    + rules(
        .randomSeed, .remove, "/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/random-seed",
        "/var/lib/misc/random-seed", "/var/lib/seedrng/*", "/boot/loader/random-seed", "/boot/efi/loader/random-seed",
        "/efi/loader/random-seed")
    + rules(.cloudInit, .remove, "/var/lib/cloud/*")
    + rules(
        .history, .remove, "/root/.*_history", "/home/*/.*_history", "/root/.lesshst", "/home/*/.lesshst",
        "/root/.viminfo", "/home/*/.viminfo", "/root/.wget-hsts", "/home/*/.wget-hsts")
    + rules(
        .networkRules, .remove, "/etc/udev/rules.d/70-persistent-net.rules", "/etc/udev/rules.d/70-persistent-cd.rules")
    + rules(.temporaryFiles, .remove, "/tmp/*", "/tmp/.[!.]*", "/var/tmp/*", "/var/tmp/.[!.]*")
    + rules(.temporaryFiles, .remove, "/var/crash/*", "/var/lib/systemd/coredump/*", "/var/cache/debconf/*-old")
    + rules(
        .identities, .remove, "/var/lib/systemd/credential.secret", "/var/lib/puppet/ssl", "/etc/puppetlabs/puppet/ssl",
        "/etc/nvme/hostid", "/etc/nvme/hostnqn", "/etc/openvswitch/system-id.conf")

private func familyRules(_ family: GuestSystem.Family) -> [CleaningRule] {
    switch family {
    case .debian, .ubuntu:
        let apt = rules(
            .packageCaches, .remove, "/var/cache/apt/archives/*.deb", "/var/cache/apt/archives/partial/*",
            "/var/cache/apt/*.bin", "/var/lib/apt/lists/*_*", "/var/lib/apt/lists/partial/*",
            "/var/lib/apt/lists/auxfiles/*")
        // The installer's answers, including passwords.
        let installer = rules(.logs, .remove, "/var/log/installer")
        return apt + installer + rules(.identities, .remove, "/var/lib/ubuntu-advantage/private")
    case .fedora, .rhel:
        return rules(.packageCaches, .remove, "/var/cache/dnf/*", "/var/cache/libdnf5/*", "/var/cache/yum/*")
            + rules(.packageCaches, .remove, "/var/cache/PackageKit/*", "/var/lib/rpm/__db.*")
            + rules(.logs, .remove, "/root/anaconda-ks.cfg", "/root/original-ks.cfg", "/root/install.log*")
            + rules(
                .networkRules, .removeLines(["HWADDR=", "MACADDR="]), "/etc/sysconfig/network-scripts/ifcfg-*")
            // The devices file lists disks by serial number; without it LVM scans all disks.
            + rules(.identities, .remove, "/etc/lvm/devices/system.devices")
            + rules(
                .identities, .remove, "/etc/pki/consumer/*", "/etc/pki/entitlement/*", "/var/lib/rhsm/cache/*",
                "/etc/sysconfig/rhn/systemid", "/etc/insights-client/machine-id")
    case .suse:
        return rules(
            .packageCaches, .remove, "/var/cache/zypp/packages/*", "/var/cache/zypp/raw/*", "/var/cache/zypp/solv/*",
            "/var/cache/libdnf5/*")
            + rules(.leases, .remove, "/var/lib/wicked/*.xml")
            + rules(.networkRules, .removeLines(["LLADDR=", "HWADDR="]), "/etc/sysconfig/network/ifcfg-*")
            + rules(
                .identities, .remove, "/etc/zypp/credentials.d/SCCcredentials", "/etc/SUSEConnect",
                "/var/lib/zypp/AnonymousUniqueId")
            + rules(.logs, .remove, "/var/log/YaST2", "/var/adm/autoinstall/cache/*", "/var/adm/autoinstall/files/*")
    case .alpine: return rules(.packageCaches, .remove, "/var/cache/apk/*", "/etc/apk/cache/*")
    case .arch:
        return rules(.packageCaches, .remove, "/var/cache/pacman/pkg/*")
    case .otherLinux, .windows, .unknown: return []
    }
}

/// What happens to a file below /var/log.
package enum LogFate: Hashable {
    case remove, empty, keep

    /// - Parameter path: Relative to /var/log.
    package init(_ path: String) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let parts = name.split(separator: ".")
        let endings: Set<Substring> = ["gz", "xz", "bz2", "zst", "old", "1"]
        if path.hasPrefix("journal/") || path.hasPrefix("anaconda/") || name.hasSuffix(".journal") {
            self = .remove
        } else if name == ".keep" || name == ".gitkeep" || name == "README" {
            self = .keep
        } else if parts.count > 1, let last = parts.last, endings.contains(last) || Int(last) != nil {
            self = .remove
        } else if let stamp = name.split(separator: "-").last, name.contains("-"), stamp.count == 8, Int(stamp) != nil {
            self = .remove  // logrotate's date suffix: messages-20260131
        } else {
            self = .empty  // Some programs need their log to exist, with its owner.
        }
    }
}

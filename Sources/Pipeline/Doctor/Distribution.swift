import Foundation

/// The host's package manager, to name the command that installs something.
package struct Distribution: Sendable {
    private let family: Family
    private let isRoot: Bool

    private enum Family { case debian, fedora, arch, suse, other }

    /// - Parameter osRelease: The text of /etc/os-release.
    package init(osRelease: String, isRoot: Bool) {
        let words = osRelease.split(separator: "\n").filter { $0.hasPrefix("ID=") || $0.hasPrefix("ID_LIKE=") }
            .flatMap { $0.split(whereSeparator: { "= \"".contains($0) }) }.map(String.init)
        let families: [(String, Family)] = [
            ("debian", .debian), ("ubuntu", .debian), ("fedora", .fedora), ("rhel", .fedora), ("arch", .arch),
            ("suse", .suse), ("opensuse", .suse),
        ]
        family = families.first { words.contains($0.0) }?.1 ?? .other
        self.isRoot = isRoot
    }

    static func current() -> Distribution {
        // Without the file the advice names the package alone.
        let text = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
        return Distribution(osRelease: text, isRoot: geteuid() == 0)
    }

    /// The command that installs a part.
    package func install(_ part: Part) -> String {
        let sudo = isRoot ? "" : "sudo "
        let packages = part.packages
        switch family {
        case .debian: return "\(sudo)apt install \(packages.debian)"
        case .fedora: return "\(sudo)dnf install \(packages.fedora)"
        case .arch: return "\(sudo)pacman -S \(packages.arch)"
        case .suse: return "\(sudo)zypper install \(packages.suse)"
        case .other: return "install the packages that Debian calls \(packages.debian)"
        }
    }

    /// What makes an error of libvirt's go away; nil where no package does.
    package func remedy(for error: String) -> String? {
        // Each of libvirt's parts is a package of its own on some distributions.
        let parts: [(words: [String], part: Part)] = [
            (["missing storage backend", "storage file backend"], .libvirt),
            (["Failed to parse user", "Failed to parse group"], .libvirt),
            (["libvirt.so", "libvirt-qemu.so", "no connection driver available", "libvirt_driver_qemu"], .libvirt),
            (["swtpm"], .swtpm), (["Cannot find suitable emulator", "Unable to find QEMU binary"], .qemu),
            (["network backend 'user' is not compiled", "'user' is not a valid netdev"], .qemu),
        ]
        if let part = parts.first(where: { $0.words.contains(where: error.contains) })?.part { return install(part) }
        return error.contains("/dev/kvm") ? "sudo usermod -aG kvm $USER, then log in again" : nil
    }

    /// A part of the host that a build needs, by the packages that hold it in each family.
    package enum Part: CaseIterable, Sendable {
        case qemu, qemuImg, libvirt, swtpm, firmware, guestfs, appliance, kernel, ssh

        fileprivate var packages: (debian: String, fedora: String, arch: String, suse: String) {
            switch self {
            case .qemu: ("qemu-system-x86", "qemu-system-x86", "qemu-base", "qemu-x86")
            case .qemuImg: ("qemu-utils", "qemu-img", "qemu-img", "qemu-img")
            // Debian's libvirt-daemon-system makes the user that QEMU runs as, and brings what snapshots need, as the
            // storage drivers of the others do.
            case .libvirt:
                (
                    "libvirt-daemon-system libvirt-daemon-driver-qemu",
                    "libvirt-daemon-driver-qemu libvirt-daemon-driver-storage-core", "libvirt",
                    "libvirt-daemon-driver-qemu libvirt-daemon-driver-storage-core"
                )
            case .swtpm: ("swtpm swtpm-tools", "swtpm swtpm-tools", "swtpm", "swtpm")
            case .firmware: ("ovmf", "edk2-ovmf", "edk2-ovmf", "qemu-ovmf-x86_64")
            case .guestfs: ("libguestfs0", "libguestfs", "libguestfs", "libguestfs0")
            case .appliance: ("supermin", "libguestfs-appliance supermin", "supermin", "supermin")
            case .kernel: ("linux-image-cloud-amd64", "kernel-core", "linux", "kernel-default")
            case .ssh: ("openssh-client", "openssh-clients", "openssh", "openssh-clients")
            }
        }
    }
}

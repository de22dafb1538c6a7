import Foundation
import GuestFiles
import Libvirt
import Machines
import Processes
import Scopes

/// Looks at this host: what it has and lacks for building images.
package struct Examination: Sendable {
    private let distribution = Distribution.current()
    private let environment: [String: String]
    private let workingDirectory: String

    package init(environment: [String: String], workingDirectory: String) {
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    /// Everything there is to say, what matters most first.
    package func findings() async -> [Finding] {
        let qemu = qemuTargets()
        var findings = [accelerator(), kvmRights(), qemu].compactMap { $0 }
        findings.append(tool("qemu-img", for: "disk images", isNeeded: true, .qemuUtils))
        findings.append(await libvirt())
        findings.append(await userNetwork())
        findings.append(firmware())
        findings.append(tool("swtpm", for: "vtpm = true", isNeeded: false, .swtpm))
        findings += libguestfs()
        findings += room()
        return findings
    }

    private func accelerator() -> Finding {
        let choice = chooseAccelerator(requested: nil, guest: hostArchitecture)
        guard choice.accelerator == .kvm else {
            return Finding(
                "accelerator", .warning, "only emulation (TCG), many times slower than KVM: \(choice.reason)",
                remedy: "switch on VT-x or AMD-V in the firmware (in a virtual machine: nested virtualisation), then "
                    + "modprobe kvm_intel or kvm_amd")
        }
        return Finding("accelerator", .good, "KVM: \(choice.reason)")
    }

    private func kvmRights() -> Finding? {
        guard FileManager.default.fileExists(atPath: "/dev/kvm") else {
            return Finding("/dev/kvm", .warning, "not there", remedy: "modprobe kvm_intel or kvm_amd")
        }
        guard access("/dev/kvm", R_OK | W_OK) == 0 else {
            return Finding(
                "/dev/kvm", .warning, "you may not use it", remedy: "sudo usermod -aG kvm $USER, then log in again")
        }
        return Finding("/dev/kvm", .good, "readable and writable")
    }

    private func qemuTargets() -> Finding {
        var targets: Set<String> = []
        for folder in searchPath {
            // A folder of PATH that is not there holds no programs.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            targets.formUnion(names.filter { $0.hasPrefix("qemu-system-") }.map { String($0.dropFirst(12)) })
        }
        let own = hostArchitecture
        let machines = targets.subtracting(["common"]).sorted()
        guard machines.contains(own) else {
            return Finding(
                "QEMU", .missing,
                "no qemu-system-\(own)" + (machines.isEmpty ? "" : ", only \(machines.joined(separator: ", "))"),
                remedy: distribution.install(.qemu))
        }
        return Finding("QEMU", .good, "emulates \(machines.joined(separator: ", "))")
    }

    private func libvirt() async -> Finding {
        do {
            let hypervisor = try await Hypervisor.openEmbedded()
            let version = try await hypervisor.versions()
            await hypervisor.close()
            return Finding("libvirt", .good, "embedded driver works: libvirt \(version.libvirt), QEMU \(version.qemu)")
        } catch {
            return Finding("libvirt", .missing, "\(error)", remedy: distribution.install(.libvirt))
        }
    }

    private func userNetwork() async -> Finding {
        let output = OutputText()
        // A QEMU that cannot be started was reported above.
        _ = try? await runProcess(
            "qemu-system-\(hostArchitecture)", ["-netdev", "help"], environment: environment,
            workingDirectory: workingDirectory
        ) { output.add($0.text) }
        if output.lines.contains("user") { return Finding("user network", .good, "QEMU has slirp") }
        if program("passt") != nil {
            return Finding(
                "user network", .warning, "QEMU has no slirp, only passt is there, which Ingot does not use yet")
        }
        return Finding("user network", .missing, "QEMU has no slirp", remedy: distribution.install(.qemu))
    }

    private func firmware() -> Finding {
        let folders = ["/usr/share/qemu/firmware", "/etc/qemu/firmware"]
        // A folder that is not there describes no firmware.
        let described = folders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        guard !described.isEmpty else {
            return Finding(
                "UEFI firmware", .warning, "none found; needed for efi_boot", remedy: distribution.install(.firmware))
        }
        return Finding("UEFI firmware", .good, "\(described.count) descriptions")
    }

    private func libguestfs() -> [Finding] {
        if let problem = libguestfsProblem() {
            return [
                Finding(
                    "libguestfs", .warning, "needed to finish images: \(problem)",
                    remedy: distribution.install(.guestfs))
            ]
        }
        if environment["LIBGUESTFS_PATH"]?.isEmpty == false {
            return [Finding("libguestfs", .good, "with the appliance in LIBGUESTFS_PATH")]
        }
        guard program("supermin") != nil else {
            return [
                Finding(
                    "libguestfs", .warning, "there, but not supermin, which makes its appliance",
                    remedy: distribution.install(.appliance))
            ]
        }
        // Without /boot there is no kernel either.
        let kernels = ((try? FileManager.default.contentsOfDirectory(atPath: "/boot")) ?? []).filter {
            $0.hasPrefix("vmlinuz")
        }
        if kernels.isEmpty {
            return [
                Finding(
                    "libguestfs", .warning, "no kernel in /boot for its appliance",
                    remedy: distribution.install(.kernel))
            ]
        }
        if !kernels.contains(where: { access("/boot/" + $0, R_OK) == 0 }) {
            return [
                Finding(
                    "libguestfs", .warning, "you may not read the kernel in /boot",
                    remedy: "sudo chmod +r /boot/vmlinuz-*")
            ]
        }
        return [Finding("libguestfs", .good, "with \(kernels.count) kernel(s) to start from")]
    }

    private func room() -> [Finding] {
        let cache = StateFolders(environment: environment).cache
        return [("here", workingDirectory), ("in the cache", cache)].compactMap { name, path in
            var existing = path
            while !FileManager.default.fileExists(atPath: existing), existing.count > 1 {
                existing = URL(filePath: existing).deletingLastPathComponent().path
            }
            var status = statvfs()
            guard statvfs(existing, &status) == 0 else { return nil }
            let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
            let text = "\(free >> 30) GiB free in \(path)"
            return free < 10 << 30
                ? Finding("room \(name)", .warning, text, remedy: "make room, 10 GiB or more, or build elsewhere")
                : Finding("room \(name)", .good, text)
        }
    }

    private func tool(_ name: String, for purpose: String, isNeeded: Bool, _ packages: Distribution.Packages) -> Finding
    {
        guard let path = program(name) else {
            return Finding(
                name, isNeeded ? .missing : .warning, "not there; needed for \(purpose)",
                remedy: distribution.install(packages))
        }
        return Finding(name, .good, path)
    }

    private var searchPath: [String] { (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init) }

    private func program(_ name: String) -> String? {
        searchPath.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private var hostArchitecture: String {
        #if arch(arm64)
            "aarch64"
        #else
            "x86_64"
        #endif
    }
}

extension Distribution.Packages {
    fileprivate static let qemu = Self(
        debian: "qemu-system-x86", fedora: "qemu-system-x86", arch: "qemu-base", suse: "qemu-x86")
    fileprivate static let qemuUtils = Self(
        debian: "qemu-utils", fedora: "qemu-img", arch: "qemu-img", suse: "qemu-img")
    fileprivate static let libvirt = Self(
        debian: "libvirt-daemon-driver-qemu", fedora: "libvirt-daemon-driver-qemu", arch: "libvirt",
        suse: "libvirt-daemon-driver-qemu")
    fileprivate static let swtpm = Self(
        debian: "swtpm swtpm-tools", fedora: "swtpm swtpm-tools", arch: "swtpm", suse: "swtpm")
    fileprivate static let firmware = Self(
        debian: "ovmf", fedora: "edk2-ovmf", arch: "edk2-ovmf", suse: "qemu-ovmf-x86_64")
    fileprivate static let guestfs = Self(
        debian: "libguestfs0", fedora: "libguestfs", arch: "libguestfs", suse: "libguestfs0")
    fileprivate static let appliance = Self(
        debian: "supermin", fedora: "libguestfs-appliance supermin", arch: "supermin", suse: "supermin")
    fileprivate static let kernel = Self(
        debian: "linux-image-cloud-amd64", fedora: "kernel-core", arch: "linux", suse: "kernel-default")
}

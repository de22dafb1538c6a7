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
        let emulator = program("qemu-system-\(architecture)")
        var findings = [accelerator(), qemu(emulator)]
        findings.append(tool("qemu-img", for: "every disk image", isNeeded: true, .qemuImg))
        findings += await machines(emulator)
        if let emulator { findings.append(await userNetwork(emulator)) }
        findings.append(firmware())
        findings.append(tool("swtpm", for: "vtpm = true", isNeeded: false, .swtpm))
        findings.append(libguestfs())
        findings.append(
            tool("ssh", for: "ingot shell, and for the shell of -on-error=ask", isNeeded: false, .ssh))
        findings += room()
        return findings
    }

    private func accelerator() -> Finding {
        let choice = chooseAccelerator(requested: nil, guest: architecture)
        guard choice.accelerator == .kvm else {
            return Finding(
                "accelerator", .warning, "only emulation (TCG), many times slower than KVM: \(choice.reason)",
                remedy: choice.remedy)
        }
        return Finding("accelerator", .good, "KVM has created a virtual machine")
    }

    private func qemu(_ emulator: String?) -> Finding {
        // A folder of PATH that does not exist holds no programs.
        let names = searchPath.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        let machines = Set(names.filter { $0.hasPrefix("qemu-system-") }.map { String($0.dropFirst(12)) })
            .subtracting(["common"]).sorted()
        guard emulator != nil else {
            return Finding(
                "QEMU", .missing,
                "no qemu-system-\(architecture)"
                    + (machines.isEmpty ? "" : ", only \(machines.joined(separator: ", "))"),
                remedy: distribution.install(.qemu))
        }
        return Finding("QEMU", .good, "emulates \(machines.joined(separator: ", "))")
    }

    /// libvirt, and what it makes of a machine.
    private func machines(_ emulator: String?) async -> [Finding] {
        // Where builds go, by the same rules.
        let engine = Engine(connectURI: nil, environment: environment)
        let findings: [Finding]
        do {
            findings = try await machines(emulator, try await engine.host(for: nil))
        } catch {
            let reason = "\((error as? BuildError)?.underlying ?? error)"
            findings = [Finding("libvirt", .missing, reason, remedy: distribution.remedy(for: reason))]
        }
        await engine.close()
        return findings
    }

    private func machines(_ emulator: String?, _ host: any MachineHost) async throws -> [Finding] {
        guard let emulator else {
            return [Finding("libvirt", .good, "opens; what it does with a machine cannot be tried without QEMU")]
        }
        let version = try await host.versions()
        let driver = host.stateFolder == nil ? "the daemon answers" : "the embedded driver works"
        let found = Finding("libvirt", .good, "\(driver): libvirt \(version.libvirt), QEMU \(version.qemu)")
        // A daemon has its own idea of which files it may read.
        guard host.stateFolder != nil, program("qemu-img") != nil else { return [found] }
        let trial = MachineTrial(host: host, emulator: emulator, distribution: distribution)
        return [found] + (await trial.findings())
    }

    private func userNetwork(_ emulator: String) async -> Finding {
        let output = OutputText()
        // A QEMU that cannot be started is reported by the trial of a machine.
        _ = try? await runProcess(
            emulator, ["-netdev", "help"], environment: environment, workingDirectory: workingDirectory
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
        // A folder that does not exist describes no firmware.
        let described = folders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
        guard !described.isEmpty else {
            return Finding(
                "UEFI firmware", .warning, "none found; needed for efi_boot", remedy: distribution.install(.firmware))
        }
        return Finding("UEFI firmware", .good, "\(described.count) descriptions")
    }

    private func libguestfs() -> Finding {
        func warning(_ detail: String, _ remedy: String) -> Finding {
            Finding("libguestfs", .warning, "needed to finish images: \(detail)", remedy: remedy)
        }
        if let problem = libguestfsProblem() { return warning(problem, distribution.install(.guestfs)) }
        if environment["LIBGUESTFS_PATH"]?.isEmpty == false {
            return Finding("libguestfs", .good, "with the appliance in LIBGUESTFS_PATH")
        }
        guard program("supermin") != nil else {
            return warning("supermin, which makes its appliance, is missing", distribution.install(.appliance))
        }
        // Without /boot there is no kernel either.
        let kernels = ((try? FileManager.default.contentsOfDirectory(atPath: "/boot")) ?? []).filter {
            $0.hasPrefix("vmlinuz")
        }
        if kernels.isEmpty { return warning("no kernel in /boot for its appliance", distribution.install(.kernel)) }
        if !kernels.contains(where: { access("/boot/" + $0, R_OK) == 0 }) {
            return warning("you may not read the kernel in /boot", "sudo chmod +r /boot/vmlinuz-*")
        }
        return Finding("libguestfs", .good, "starts from \(kernels.sorted().last ?? "")")
    }

    /// The folders that a build writes to: whether it may, and how much they hold.
    private func room() -> [Finding] {
        let folders = StateFolders(environment: environment)
        let places: [(name: String, path: String, needed: UInt64)] = [
            ("output", workingDirectory, 10 << 30), ("downloads", folders.cache, 10 << 30),
            ("checkpoints", folders.checkpoints, 10 << 30), ("logs", folders.runs, 1 << 30),
        ]
        return places.map { name, path, needed in
            var existing = path
            while !FileManager.default.fileExists(atPath: existing), existing.count > 1 {
                existing = URL(filePath: existing).deletingLastPathComponent().path
            }
            let subject = "room for \(name)"
            // Asking for the right would be answered yes for root, who may not write everywhere either.
            var trial = Array((existing + "/.ingot-doctor-XXXXXX").utf8CString)
            guard mkdtemp(&trial) != nil, rmdir(trial) == 0 else {
                let reason = String(cString: strerror(errno))
                return Finding(
                    subject, .warning, "nothing can be written to \(existing): \(reason)",
                    remedy: "make \(path) a folder that you may write to, or use another")
            }
            var status = statvfs()
            guard statvfs(existing, &status) == 0 else {
                return Finding(subject, .warning, "\(existing): \(String(cString: strerror(errno)))")
            }
            let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
            let text = "\(free >> 30) GiB free in \(path)"
            return free < needed
                ? Finding(
                    subject, .warning, text, remedy: "make room, \(needed >> 30) GiB or more, or use another folder")
                : Finding(subject, .good, text)
        }
    }

    private func tool(_ name: String, for purpose: String, isNeeded: Bool, _ part: Distribution.Part) -> Finding {
        guard let path = program(name) else {
            return Finding(
                name, isNeeded ? .missing : .warning, "not found; needed for \(purpose)",
                remedy: distribution.install(part))
        }
        return Finding(name, .good, path)
    }

    private var searchPath: [String] { (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init) }

    private func program(_ name: String) -> String? {
        searchPath.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    private var architecture: String { HostAcceleration.current.architecture }
}

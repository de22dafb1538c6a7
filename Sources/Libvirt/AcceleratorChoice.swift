import Foundation
package import Machines

/// Which accelerator a machine gets, and why.
package struct AcceleratorChoice: Sendable, Equatable {
    package var accelerator: Accelerator
    package var reason: String
    /// Where the template asked for something else than it gets.
    package var warning: String?
}

/// What matters of this host for the choice.
package struct HostAcceleration: Sendable {
    package var architecture: String
    package var hasDevice: Bool
    package var mayUseDevice: Bool
    /// /proc/cpuinfo.
    package var cpuInfo: String

    package init(architecture: String, hasDevice: Bool, mayUseDevice: Bool, cpuInfo: String) {
        self.architecture = architecture
        self.hasDevice = hasDevice
        self.mayUseDevice = mayUseDevice
        self.cpuInfo = cpuInfo
    }

    package static func current() -> HostAcceleration {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: &name.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return HostAcceleration(
            architecture: machine, hasDevice: access("/dev/kvm", F_OK) == 0,
            mayUseDevice: access("/dev/kvm", R_OK | W_OK) == 0,
            // Without it no flag is found, and emulation is chosen.
            cpuInfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
    }

    /// nil when KVM works for this architecture, else why it does not.
    ///
    /// The device alone proves nothing: under some hypervisors it opens and runs no ordinary kernel, because the CPU
    /// lacks the extension.
    func obstacle(for guest: String) -> String? {
        let compatible = architecture == guest || architecture == "x86_64" && guest == "i686"
        if !compatible { return "the guest is \(guest) and this host \(architecture)" }
        if !hasDevice { return "there is no /dev/kvm" }
        if !mayUseDevice { return "you may not use /dev/kvm (sudo usermod -aG kvm $USER, then log in again)" }
        if architecture == "x86_64" {
            let flags = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
            if !flags.contains("vmx") && !flags.contains("svm") {
                return "/dev/kvm is there, but the CPU has neither vmx nor svm"
            }
        }
        return nil
    }
}

/// Chooses by what works.
///
/// - Parameter requested: Packer's `accelerator`; nil when the template leaves it open.
/// - Parameter guest: The guest's architecture, such as `x86_64`.
package func chooseAccelerator(
    requested: String?, guest: String, host: HostAcceleration = .current()
) -> AcceleratorChoice {
    let slow = "emulating the CPU (TCG), which is many times slower"
    switch requested {
    case "tcg", "none": return AcceleratorChoice(accelerator: .tcg, reason: "the template asks for it")
    case nil, "kvm", "":
        guard let obstacle = host.obstacle(for: guest) else {
            return AcceleratorChoice(accelerator: .kvm, reason: "it works on this host")
        }
        return AcceleratorChoice(
            accelerator: .tcg, reason: obstacle, warning: "KVM cannot be used: \(obstacle); \(slow)")
    case let other?:
        guard let obstacle = host.obstacle(for: guest) else {
            return AcceleratorChoice(
                accelerator: .kvm, reason: "it works on this host",
                warning: "accelerator = \"\(other)\" is not one of this host's; using KVM")
        }
        return AcceleratorChoice(
            accelerator: .tcg, reason: obstacle,
            warning: "accelerator = \"\(other)\" is not one of this host's, and \(obstacle); \(slow)")
    }
}

import Foundation
package import Machines

/// Which accelerator a machine gets, and why.
package struct AcceleratorChoice: Sendable, Equatable {
    package var accelerator: Accelerator
    package var reason: String
    /// Set where the machine gets less than the template asks for or this host could give.
    package var warning: String?
    /// What makes KVM usable; nil where nothing does, or nothing has to.
    package var remedy: String?
}

/// What /dev/kvm answers.
package enum KVMDevice: Sendable, Equatable {
    /// It has created a virtual machine.
    case works
    case missing
    case forbidden
    /// The node exists and no driver stands behind it: the kernel module is not loaded.
    case noDriver
    /// Something else uses the processor's extension; its name where it is known.
    case busy(String?)
    case failed(String)

    /// Opens the device and creates a virtual machine, which ends with the call.
    static func probe() -> KVMDevice {
        let device = open("/dev/kvm", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { return refusal(errno, "it cannot be opened") }
        defer { close(device) }
        // KVM_GET_API_VERSION of linux/kvm.h; 12 is the only version since Linux 2.6.22.
        let version = ioctl(device, 0xAE00, 0)
        guard version == 12 else {
            return version < 0
                ? refusal(errno, "it does not report its version") : .failed("its version is \(version), not 12")
        }
        // KVM_CREATE_VM. Some ARM processors have fewer than the 40 address bits that 0 stands for, and report how many
        // through KVM_CHECK_EXTENSION for KVM_CAP_ARM_VM_IPA_SIZE.
        var type: Int32 = 0
        #if arch(arm64)
            type = max(0, ioctl(device, 0xAE03, 165))
        #endif
        let machine = ioctl(device, 0xAE01, type)
        guard machine >= 0 else { return refusal(errno, "it creates no virtual machine") }
        close(machine)
        return .works
    }

    private static func refusal(_ number: Int32, _ what: String) -> KVMDevice {
        switch number {
        case ENOENT: return .missing
        case EACCES, EPERM: return .forbidden
        case ENODEV, ENXIO: return .noDriver
        case EBUSY:
            // Unreadable: the other hypervisor stays without a name.
            return .busy(otherHypervisor((try? String(contentsOfFile: "/proc/modules", encoding: .utf8)) ?? ""))
        default: return .failed("\(what): \(String(cString: strerror(number)))")
        }
    }

    /// - Parameter modules: /proc/modules.
    package static func otherHypervisor(_ modules: String) -> String? {
        let loaded = Set(modules.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) })
        return [("vboxdrv", "VirtualBox"), ("vmmon", "VMware")].first { loaded.contains($0.0) }?.1
    }
}

/// What matters of this host for the choice.
package struct HostAcceleration: Sendable {
    package var architecture: String
    package var device: KVMDevice
    /// /proc/cpuinfo.
    package var cpuInfo: String

    package init(architecture: String, device: KVMDevice, cpuInfo: String) {
        self.architecture = architecture
        self.device = device
        self.cpuInfo = cpuInfo
    }

    /// Looked at once in the life of this process, so that all its machines and checkpoints agree.
    package static let current: HostAcceleration = {
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: &name.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return HostAcceleration(
            architecture: machine, device: .probe(),
            // Without it no flag is found, and emulation is chosen.
            cpuInfo: (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? "")
    }()

    /// Why KVM does not work, and what makes it work.
    struct Obstacle {
        var reason: String
        var remedy: String?
    }

    /// nil when KVM works for this architecture.
    ///
    /// The device alone proves nothing: under some hypervisors it creates machines that run no ordinary kernel, because
    /// the CPU lacks the extension.
    ///
    /// - Parameter isDaemon: The machine runs under a libvirt daemon, whose rights on the device count instead of ours.
    func obstacle(for guest: String, isDaemon: Bool) -> Obstacle? {
        let isCompatible = architecture == guest || architecture == "x86_64" && guest == "i686"
        guard isCompatible else { return Obstacle(reason: "the guest is \(guest) and this host is \(architecture)") }
        switch device {
        case .works: break
        case .forbidden where isDaemon: break
        case .forbidden:
            return Obstacle(
                reason: "you may not open /dev/kvm",
                remedy: "sudo usermod -aG kvm $USER, then log in again (in a container: add the group of /dev/kvm)")
        case .busy(let other):
            return Obstacle(
                reason: "another hypervisor\(other.map { " (\($0))" } ?? "") uses the CPU's virtualization",
                remedy: "stop the virtual machines of \(other ?? "the other hypervisor")")
        case .failed(let reason): return Obstacle(reason: "/dev/kvm does not work: \(reason)")
        case .missing, .noDriver:
            let reason = device == .missing ? "there is no /dev/kvm" : "the kernel module of /dev/kvm is not loaded"
            guard architecture == "x86_64" else { return Obstacle(reason: reason) }
            guard let module else {
                return Obstacle(reason: "\(reason), and \(Self.noExtension)", remedy: Self.switchOn)
            }
            return Obstacle(
                reason: reason,
                remedy: "sudo modprobe \(module); where that is not supported, \(Self.switchOn)"
                    + (device == .missing ? "; in a container: pass --device /dev/kvm to it" : ""))
        }
        if architecture == "x86_64", module == nil {
            return Obstacle(reason: "/dev/kvm is there, but \(Self.noExtension)", remedy: Self.switchOn)
        }
        return nil
    }

    private static let noExtension = "the CPU has neither vmx nor svm"
    private static let switchOn =
        "switch on VT-x or AMD-V in the firmware settings (in a virtual machine: nested virtualization)"

    /// The kernel module for this processor's extension; nil where it has none.
    private var module: String? {
        let flags = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") }?.split(separator: " ") ?? []
        return flags.contains("vmx") ? "kvm_intel" : flags.contains("svm") ? "kvm_amd" : nil
    }
}

/// Chooses by what works.
///
/// - Parameters:
///   - requested: Packer's `accelerator`; nil when the template leaves it open.
///   - guest: The guest's architecture, such as `x86_64`.
///   - isDaemon: The machine runs under a libvirt daemon.
package func chooseAccelerator(
    requested: String?, guest: String, isDaemon: Bool = false, host: HostAcceleration = .current
) -> AcceleratorChoice {
    if requested == "tcg" || requested == "none" {
        return AcceleratorChoice(accelerator: .tcg, reason: "the template asks for it")
    }
    // Those of other systems, such as hvf and whpx.
    let foreign = requested.flatMap { ["", "kvm"].contains($0) ? nil : "accelerator = \"\($0)\" does not work here" }
    guard let obstacle = host.obstacle(for: guest, isDaemon: isDaemon) else {
        return AcceleratorChoice(
            accelerator: .kvm, reason: "it works on this host", warning: foreign.map { "\($0); using KVM" })
    }
    var warning = foreign.map { "\($0), and KVM is not available" } ?? "KVM is not available"
    warning += ": \(obstacle.reason). The CPU is emulated (TCG), which is many times slower."
    if let remedy = obstacle.remedy { warning += " To use KVM: \(remedy)" }
    return AcceleratorChoice(
        accelerator: .tcg, reason: obstacle.reason, warning: warning, remedy: obstacle.remedy)
}

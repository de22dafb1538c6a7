import FoundationEssentials
import Libvirt
import Machines
import Testing

@Suite("the accelerator is chosen by what works")
struct AcceleratorTests {
    private func host(
        _ device: KVMDevice = .works, flags: String = "fpu vmx", architecture: String = "x86_64"
    ) -> HostAcceleration {
        HostAcceleration(
            architecture: architecture, device: device, cpuInfo: "processor\t: 0\nflags\t\t: \(flags)\n")
    }

    private func choice(
        _ requested: String? = nil, guest: String = "x86_64", isDaemon: Bool = false, on host: HostAcceleration
    ) -> AcceleratorChoice {
        chooseAccelerator(requested: requested, guest: guest, isDaemon: isDaemon, host: host)
    }

    @Test("KVM is used without asking where it works")
    func kvm() {
        let chosen = choice(on: host())
        #expect(chosen.accelerator == .kvm && chosen.warning == nil)
    }

    @Test("a /dev/kvm without the CPU's extension does not count as KVM")
    func paravirtualDevice() {
        let chosen = choice("kvm", on: host(flags: "fpu sse"))
        #expect(chosen.accelerator == .tcg)
        #expect(chosen.warning?.contains("neither vmx nor svm") == true)
        #expect(chosen.remedy?.contains("firmware settings") == true)
    }

    @Test(
        "every way in which the device fails has its reason and its own remedy",
        arguments: [
            (KVMDevice.missing, "fpu vmx", "there is no /dev/kvm", "modprobe kvm_intel"),
            (.missing, "fpu svm", "there is no /dev/kvm", "--device /dev/kvm"),
            (.missing, "fpu", "neither vmx nor svm", "firmware settings"),
            (.noDriver, "fpu svm", "not loaded", "modprobe kvm_amd"),
            (.forbidden, "fpu vmx", "may not open", "usermod -aG kvm"),
            (.busy("VirtualBox"), "fpu vmx", "(VirtualBox)", "stop the virtual machines of VirtualBox"),
            (.busy(nil), "fpu vmx", "another hypervisor uses", "stop the virtual machines"),
        ])
    func obstacles(device: KVMDevice, flags: String, reason: String, remedy: String) throws {
        let chosen = choice(on: host(device, flags: flags))
        #expect(chosen.accelerator == .tcg && chosen.reason.contains(reason), "\(chosen)")
        #expect(try #require(chosen.remedy).contains(remedy))
        // Each is said once.
        let warning = try #require(chosen.warning)
        #expect(warning.components(separatedBy: chosen.reason).count == 2 && warning.contains("TCG"))
    }

    @Test("missing rights on the device are not answered with the firmware's settings")
    func rights() {
        #expect(choice(on: host(.forbidden)).remedy?.contains("firmware") == false)
    }

    @Test("under a libvirt daemon its rights count, and the device has to work all the same")
    func daemon() {
        #expect(choice(isDaemon: true, on: host(.forbidden)).accelerator == .kvm)
        #expect(choice(isDaemon: true, on: host(.forbidden, flags: "fpu")).accelerator == .tcg)
        #expect(choice(isDaemon: true, on: host(.busy(nil))).accelerator == .tcg)
    }

    @Test("the hypervisor that is in the way is known by its kernel module")
    func otherHypervisor() {
        let modules = "nf_tables 1 0 - Live 0x0\nvboxdrv 700416 2 vboxnetadp,vboxnetflt, Live 0x0\n"
        #expect(KVMDevice.otherHypervisor(modules) == "VirtualBox")
        #expect(KVMDevice.otherHypervisor("kvm_intel 1 0 - Live 0x0\n") == nil)
    }

    @Test("another architecture is emulated, and no remedy is offered")
    func foreign() {
        let chosen = choice(guest: "aarch64", on: host())
        #expect(chosen.accelerator == .tcg && chosen.remedy == nil)
        #expect(choice(guest: "i686", on: host()).accelerator == .kvm)
        #expect(choice(guest: "aarch64", on: host(flags: "", architecture: "aarch64")).accelerator == .kvm)
    }

    @Test("tcg is used without a warning when the template asks for it")
    func tcg() {
        for requested in ["tcg", "none"] {
            let chosen = choice(requested, on: host())
            #expect(chosen.accelerator == .tcg && chosen.warning == nil)
        }
    }

    @Test("an accelerator of another system becomes the one that works, and that is said")
    func hvf() {
        let chosen = choice("hvf", on: host())
        #expect(chosen.accelerator == .kvm && chosen.warning?.contains("hvf") == true)
        let emulated = choice("whpx", on: host(.missing))
        #expect(emulated.accelerator == .tcg && emulated.warning?.contains("whpx") == true)
    }
}

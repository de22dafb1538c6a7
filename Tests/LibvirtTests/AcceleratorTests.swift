import Libvirt
import Testing

@Suite("the accelerator is chosen by what works")
struct AcceleratorTests {
    private func host(device: Bool = true, mayUse: Bool = true, flags: String = "fpu vmx") -> HostAcceleration {
        HostAcceleration(
            architecture: "x86_64", hasDevice: device, mayUseDevice: mayUse,
            cpuInfo: "processor\t: 0\nflags\t\t: \(flags)\n")
    }

    @Test("KVM is used without asking where it works")
    func kvm() {
        let choice = chooseAccelerator(requested: nil, guest: "x86_64", host: host())
        #expect(choice.accelerator == .kvm)
        #expect(choice.warning == nil)
    }

    @Test("a /dev/kvm without the CPU's extension does not count as KVM")
    func paravirtualDevice() {
        let choice = chooseAccelerator(requested: "kvm", guest: "x86_64", host: host(flags: "fpu sse"))
        #expect(choice.accelerator == .tcg)
        #expect(choice.warning?.contains("neither vmx nor svm") == true)
    }

    @Test("missing rights are named with what mends them")
    func rights() {
        let choice = chooseAccelerator(requested: nil, guest: "x86_64", host: host(mayUse: false))
        #expect(choice.accelerator == .tcg)
        #expect(choice.reason.contains("usermod -aG kvm"))
    }

    @Test("another architecture is emulated")
    func foreign() {
        #expect(chooseAccelerator(requested: nil, guest: "aarch64", host: host()).accelerator == .tcg)
    }

    @Test("tcg is used without a warning when the template asks for it")
    func tcg() {
        let choice = chooseAccelerator(requested: "tcg", guest: "x86_64", host: host())
        #expect(choice.accelerator == .tcg)
        #expect(choice.warning == nil)
    }

    @Test("an accelerator of another system becomes the one that works, and that is said")
    func hvf() {
        let choice = chooseAccelerator(requested: "hvf", guest: "x86_64", host: host())
        #expect(choice.accelerator == .kvm)
        #expect(choice.warning?.contains("hvf") == true)
    }
}

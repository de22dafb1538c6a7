import Foundation
import Pipeline
import Testing

@Suite("What ingot doctor finds")
struct DoctorTests {
    private func distribution(_ lines: String, isRoot: Bool = false) -> Distribution {
        Distribution(osRelease: lines, isRoot: isRoot)
    }

    @Test(
        "an error of libvirt's is answered with the package that makes it go away, on each distribution",
        arguments: [
            ("ID=debian", "sudo apt install libvirt-daemon-system libvirt-daemon-driver-qemu"),
            ("ID=ubuntu\nID_LIKE=debian", "sudo apt install libvirt-daemon-system libvirt-daemon-driver-qemu"),
            ("ID=fedora", "sudo dnf install libvirt-daemon-driver-qemu libvirt-daemon-driver-storage-core"),
            (
                "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"",
                "sudo zypper install libvirt-daemon-driver-qemu libvirt-daemon-driver-storage-core"
            ),
            ("ID=arch", "sudo pacman -S libvirt"),
        ])
    func libvirtRemedy(osRelease: String, expected: String) {
        for error in [
            "internal error: missing storage backend for 'file' storage (virDomainSnapshotCreateXML)",
            "Failed to parse user 'libvirt-qemu' (virConnectOpen)",
            "libvirt.so.0: cannot open shared object file: No such file or directory (virConnectOpen)",
            "no connection driver available for qemu:///embed?root=/run/user/1000/ingot/1-a (virConnectOpen)",
        ] { #expect(distribution(osRelease).remedy(for: error) == expected, "\(error)") }
    }

    @Test("rights on /dev/kvm are answered with the group, and what nothing is known about with nothing")
    func otherRemedies() {
        let debian = distribution("ID=debian")
        #expect(debian.remedy(for: "Could not access KVM kernel module: /dev/kvm")?.contains("usermod -aG kvm") == true)
        #expect(debian.remedy(for: "No space left on device") == nil)
        #expect(debian.remedy(for: "Cannot find suitable emulator for x86_64") == "sudo apt install qemu-system-x86")
    }

    @Test("root needs no sudo, and an unknown distribution gets Debian's names")
    func otherDistributions() {
        #expect(distribution("ID=debian", isRoot: true).install(.ssh) == "apt install openssh-client")
        #expect(distribution("ID=gentoo").install(.qemuImg).contains("qemu-utils"))
        for part in Distribution.Part.allCases {
            for id in ["debian", "fedora", "arch", "suse"] {
                #expect(!distribution("ID=\(id)").install(part).hasSuffix(" "))
            }
        }
    }
}

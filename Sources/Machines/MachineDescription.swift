package import Scopes

package enum Accelerator: String, Sendable, Equatable { case kvm, tcg }

/// A machine as Packer's options describe it, before it becomes domain XML.
package struct MachineDescription: Sendable {
    package struct Disk: Sendable {
        package enum Bus: String, Sendable { case ide, sata, scsi, sd, virtio, virtioSCSI = "virtio-scsi" }
        package var path: String
        package var format: String
        package var bus: Bus
        package var cache: String
        package var discard: String
        package var detectZeroes: String

        package init(path: String, format: String, bus: Bus, cache: String, discard: String, detectZeroes: String) {
            self.path = path
            self.format = format
            self.bus = bus
            self.cache = cache
            self.discard = discard
            self.detectZeroes = detectZeroes
        }
    }

    package enum Network: Sendable, Equatable {
        /// QEMU's user network, with a network card of this QEMU name.
        case user(model: String)
        case bridge(String, model: String)
        case none
    }

    package enum Firmware: Sendable, Equatable {
        case bios
        /// `-bios FILE`, or a read-only flash.
        case file(String, isFlash: Bool)
        /// UEFI; libvirt chooses the code where no path is given. The variables live in `vars`.
        case efi(code: String?, template: String?, vars: String)
    }

    package enum Screen: Sendable {
        case socket(String)
        case tcp(address: String, port: Int, password: Sensitive<String>?)
    }

    package var name: String
    /// nil: libvirt chooses. It names the folder of the TPM's state, and the guest sees it as the board's serial number.
    package var uuid: String?
    /// MiB.
    package var memory: Int
    package var cpus: Int
    package var sockets = 0
    package var cores = 0
    package var threads = 0
    /// `pc`, `q35`, `virt`…
    package var machineType: String
    /// As QEMU names it: `x86_64`.
    package var architecture: String
    /// An absolute path.
    package var emulator: String
    package var accelerator: Accelerator
    /// As after `-cpu`: `host`, `Nehalem`, `qemu64,-cx16`; nil for QEMU's default.
    package var cpu: String?
    /// The main disk first.
    package var disks: [Disk]
    /// Paths of ISO images, in the order of their drives.
    package var cdroms: [String]
    /// Where the CD drives hang; nil for what the machine's type has.
    package var cdromBus: CDROMBus?
    package var floppy: String?
    package var network: Network
    /// The CD goes before the disks.
    package var bootsFromCDFirst = false
    /// As after `-vga`; nil for std.
    package var vga: String?
    /// Where the first serial port is recorded; nil for none.
    package var serialPath: String?
    package var screen: Screen?
    package var firmware = Firmware.bios
    package var tpm: (model: String, version: String)?
    /// Arguments that libvirt has no word for.
    package var arguments: [String] = []

    package init(
        name: String, memory: Int, cpus: Int, machineType: String, architecture: String, emulator: String,
        accelerator: Accelerator, disks: [Disk], cdroms: [String], network: Network
    ) {
        self.name = name
        self.memory = memory
        self.cpus = cpus
        self.machineType = machineType
        self.architecture = architecture
        self.emulator = emulator
        self.accelerator = accelerator
        self.disks = disks
        self.cdroms = cdroms
        self.network = network
    }

    package enum CDROMBus: String, Sendable {
        case ide, sata
        /// On a virtio controller.
        case scsi
    }

    package var isX86: Bool { architecture == "x86_64" || architecture == "i686" }
    package var isQ35: Bool { machineType.contains("q35") }
}

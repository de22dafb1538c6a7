package import Foundation
package import Scopes

/// A machine or template of Proxmox VE: what its `qemu-server.conf` says, apart from any node.
///
/// Names and ranges are those of the server's own schema; `problems()` says which value the server would refuse
/// and why. It is rendered as parameters of the API (`creationParameters`) or as the text that a backup archive
/// carries (`archiveText`).
package struct MachineConfiguration: Sendable, Equatable {
    /// 100 to 999999999; nil takes the server's next free number.
    package var vmid: Int?
    package var name: String
    /// Shown as notes, in Markdown.
    package var description = ""
    package var tags: [String] = []
    /// Resource pool that the machine joins; not part of an archive.
    package var pool: String?

    package var osType: OSType = .linux
    /// `q35`, `pc`, or a pinned one such as `pc-q35-9.0`; nil is the server's default.
    package var machine: String?
    package var bios: BIOS = .seabios
    /// A CPU model, with flags where wanted: `x86-64-v2-AES`, `host,flags=+aes`.
    package var cpu: String?
    package var cores = 1
    package var sockets = 1
    /// MiB.
    package var memory = 2048
    /// MiB that ballooning may shrink to; 0 turns ballooning off, nil is the server's default.
    package var balloon: Int?
    package var hasNUMA = false
    package var usesKVM = true

    /// Where disks, the cloud-init drive and the firmware's variables live, unless they say otherwise.
    package var storage: String
    package var scsiController: SCSIController = .virtioSingle
    package var disks: [Disk] = []
    package var efiDisk: EFIDisk?
    package var tpm: TPMState?
    package var cloudInit: CloudInit?

    package var networks: [NetworkAdapter] = []
    /// `serial0`…: `socket`, or a device of the node such as `/dev/ttyS0` (root only).
    package var serials: [String] = []
    package var vga: VGA?
    package var rng: RandomSource?
    package var agent: GuestAgent?
    /// Devices such as `scsi0`, `net0`; empty leaves the choice to the server.
    package var bootOrder: [String] = []
    package var startsOnBoot = false
    /// Written into archives; over the API a machine becomes a template by a call of its own.
    package var isTemplate = true

    /// Identity in the guest's DMI tables. An archive without one gets a random one.
    package var smbiosUUID: UUID?
    /// Further options by their names in `qemu-server.conf`, given as they are.
    package var otherOptions: [String: String] = [:]

    package init(name: String, storage: String) {
        self.name = name
        self.storage = storage
    }
}

extension MachineConfiguration {
    /// `ostype`: what the server tunes the machine for.
    package enum OSType: String, Sendable, CaseIterable {
        case other, wxp, w2k, w2k3, w2k8, wvista, win7, win8, win10, win11, solaris
        case oldLinux = "l24"
        case linux = "l26"
    }

    /// The firmware.
    package enum BIOS: String, Sendable, CaseIterable { case seabios, ovmf }

    /// `scsihw`.
    package enum SCSIController: String, Sendable, CaseIterable {
        case lsi, lsi53c810, megasas, pvscsi
        case virtio = "virtio-scsi-pci"
        /// One controller for each disk; the only one that allows I/O threads for SCSI disks.
        case virtioSingle = "virtio-scsi-single"
    }

    /// The formats of images in a storage of files.
    package enum DiskFormat: String, Sendable, CaseIterable { case raw, qcow2, vmdk }

    /// A disk of the machine.
    package struct Disk: Sendable, Equatable {
        /// How the host caches it.
        package enum Cache: String, Sendable, CaseIterable { case none, writethrough, writeback, unsafe, directsync }
        /// How QEMU does its input and output.
        package enum AIO: String, Sendable, CaseIterable {
            case native, threads
            case ioUring = "io_uring"
        }

        package var slot: DriveSlot
        /// Nil is the machine's storage.
        package var storage: String?
        /// Nil is the storage's default. Storages that keep blocks instead of files know only `raw`.
        package var format: DiskFormat?
        package var cache: Cache?
        package var aio: AIO?
        package var discards = false
        package var isSSD = false
        package var hasIOThread = false
        package var isBackedUp = true

        package init(slot: DriveSlot, storage: String? = nil, format: DiskFormat? = nil) {
            self.slot = slot
            self.storage = storage
            self.format = format
        }
    }

    /// The firmware's variable store.
    package struct EFIDisk: Sendable, Equatable {
        /// The size of the UEFI variables.
        package enum Kind: String, Sendable, CaseIterable {
            /// 128 KiB; too small for Secure Boot.
            case small = "2m"
            /// 528 KiB.
            case large = "4m"
        }
        package var kind: Kind = .large
        /// Microsoft's and the distributions' keys, with Secure Boot on.
        package var hasEnrolledKeys = false
        package var storage: String?
        package var format: DiskFormat?
        package init(kind: Kind = .large, hasEnrolledKeys: Bool = false) {
            self.kind = kind
            self.hasEnrolledKeys = hasEnrolledKeys
        }
    }

    /// The disk with the state of a TPM.
    package struct TPMState: Sendable, Equatable {
        /// The version of the TPM.
        package enum Version: String, Sendable, CaseIterable {
            case v1 = "v1.2"
            case v2 = "v2.0"
        }
        package var version: Version = .v2
        package var storage: String?
        package init(version: Version = .v2, storage: String? = nil) {
            self.version = version
            self.storage = storage
        }
    }

    /// A network card.
    package struct NetworkAdapter: Sendable, Equatable {
        /// The card that the guest sees.
        package enum Model: String, Sendable, CaseIterable {
            case virtio, e1000, e1000e, rtl8139, vmxnet3, pcnet, i82551, i82557b, i82559er
            case e1000Desktop = "e1000-82540em"
            case e1000Gigabit = "e1000-82544gc"
            case e1000Dual = "e1000-82545em"
            case ne2kISA = "ne2k_isa"
            case ne2kPCI = "ne2k_pci"
        }
        package var model: Model = .virtio
        package var bridge: String
        /// Nil: over the API the server picks one, an archive gets a random one.
        package var macAddress: String?
        package var vlan: Int?
        package var mtu: Int?
        package var queues: Int?
        package var hasFirewall = false
        package init(model: Model = .virtio, bridge: String, macAddress: String? = nil) {
            self.model = model
            self.bridge = bridge
            self.macAddress = macAddress
        }
    }

    /// The graphics card.
    package struct VGA: Sendable, Equatable {
        /// `std`, `serial0`, `virtio`, `qxl`, `none`…
        package var type: String
        /// MiB, 4 to 512.
        package var memory: Int?
        package init(type: String, memory: Int? = nil) {
            self.type = type
            self.memory = memory
        }
    }

    /// A source of random numbers for the guest.
    package struct RandomSource: Sendable, Equatable {
        /// `/dev/urandom`, `/dev/random` or `/dev/hwrng`.
        package var source: String
        /// Bytes in each period; 0 means no limit, nil the server's default.
        package var maxBytes: Int?
        /// Milliseconds.
        package var period: Int?
        package init(source: String = "/dev/urandom", maxBytes: Int? = nil, period: Int? = nil) {
            self.source = source
            self.maxBytes = maxBytes
            self.period = period
        }
    }

    /// The QEMU guest agent, and what the server asks of it.
    package struct GuestAgent: Sendable, Equatable {
        package var isEnabled = true
        package init(isEnabled: Bool = true) { self.isEnabled = isEnabled }
    }

    /// The cloud-init drive, and what the server writes on it at every start.
    package struct CloudInit: Sendable, Equatable {
        /// The format in which cloud-init gets its data.
        package enum Kind: String, Sendable, CaseIterable { case configdrive2, nocloud, opennebula }
        package var slot = DriveSlot(bus: .ide, index: 2)
        package var storage: String?
        package var kind: Kind?
        package var user: String?
        /// In plain text over the API, where the server hashes it; an archive takes only a hash.
        package var password: Sensitive<String>?
        /// Public keys in OpenSSH's form, one each.
        package var sshKeys: [String] = []
        /// By the number of the network adapter.
        package var addresses: [Address] = []
        package var nameservers: [String] = []
        package var searchDomains: [String] = []
        /// Upgrade all packages at the first boot. The server's default is yes; known since 8.0.
        package var upgradesPackages: Bool?
        package init() {}
    }

    /// `ipconfigN`.
    package struct Address: Sendable, Equatable {
        /// `dhcp` or an address with its prefix, `10.0.0.5/24`.
        package var ip: String?
        package var gateway: String?
        /// `dhcp`, `auto` or an address with its prefix.
        package var ip6: String?
        package var gateway6: String?
        package init(ip: String? = nil, gateway: String? = nil, ip6: String? = nil, gateway6: String? = nil) {
            self.ip = ip
            self.gateway = gateway
            self.ip6 = ip6
            self.gateway6 = gateway6
        }
        package static let dhcp = Address(ip: "dhcp")
    }
}

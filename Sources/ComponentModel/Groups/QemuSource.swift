import GoTemplates
package import Scopes

/// A `source "qemu"` with every default filled in.
package struct QemuSource: Sendable {
    package var vmName: String
    package var outputDirectory: String
    package var input: BootMedium
    package var disk: DiskSettings
    package var machine: MachineSettings
    package var seeds: SeedSettings
    package var http: HTTPSettings
    package var boot: BootSettings
    package var communicator: CommunicatorSettings
    package var shutdown: ShutdownSettings
    /// nil: the disks stay as the machine left them.
    package var finish: FinishSettings?
    /// `libvirt_uri`, Ingot's own; nil for the default.
    package var libvirtURI: String?
    /// `installer_dialog_timeout`, Ingot's own; nil to wait on.
    package var installerDialogTimeout: Duration?
    /// `checkpoint`, Ingot's own: false where no checkpoints are kept of this source's builds.
    package var checkpoint: Bool
    /// `format = "proxmox"`: the disks leave as a backup archive.
    package var proxmox: ProxmoxArchiveSettings?
}

/// The installation medium: `iso_url` and related options.
package struct BootMedium: Sendable {
    /// Tried in order: paths relative to the working directory, or URLs.
    package var urls: [String]
    package var checksum: ChecksumSource
    /// `disk_image`: the medium is a disk to start from.
    package var isDiskImage: Bool
    package var targetPath: String?
    package var targetExtension: String
}

/// `iso_checksum`, parsed but not yet resolved.
package enum ChecksumSource: Sendable, Equatable {
    case none
    /// `type` is md5, sha1, sha256 or sha512; `hex` in lower case.
    case digest(type: String, hex: String)
    /// A file of checksums: a path or a URL.
    case file(String)
}

package struct DiskSettings: Sendable {
    package enum Format: String, Sendable { case qcow2, raw }
    package enum Interface: String, Sendable { case ide, sata, scsi, sd, virtio, virtioSCSI = "virtio-scsi" }
    package var format: Format
    /// Bytes, of the main disk.
    package var size: Int64
    /// `disk_size` was written, rather than its default taken.
    package var sizeIsGiven: Bool
    /// `disk_additional_size`, in bytes.
    package var additionalSizes: [Int64]
    package var interface: Interface
    /// nil: not written; Ingot may choose what is fastest for a build.
    package var cache: String?
    package var discard: String
    package var detectZeroes: String
    package var usesBackingFile: Bool
    package var skipsResize: Bool
    package var skipsCompaction: Bool
    package var compresses: Bool
    package var cdromInterface: String
    package var createArguments: [String]
    package var convertArguments: [String]
    package var resizeArguments: [String]
}

package struct MachineSettings: Sendable {
    /// nil: not written, chosen by what works. Else none kvm tcg xen hax hvf whpx.
    package var accelerator: String?
    /// `pc`, `q35`, `virt,highmem=off`…
    package var machineType: String
    package var cpuModel: String?
    package var cpus: Int
    package var sockets: Int
    package var cores: Int
    package var threads: Int
    /// MiB.
    package var memory: Int
    package var netDevice: String
    package var netBridge: String?
    package var vga: String?
    package var headless: Bool
    package var display: String
    package var usesDefaultDisplay: Bool
    package var binary: String
    package var firmware: Firmware
    package var tpm: TPM?
    package var vnc: VNCSettings
    /// Each row: a switch and its values joined; still a template over HTTPIP HTTPPort HTTPDir OutputDir Name SSHHostPort.
    package var qemuArguments: [(flag: String, value: String)]

    package enum Firmware: Sendable, Equatable {
        case bios
        /// `firmware`, and whether as a read-only pflash.
        case file(String, isFlash: Bool)
        /// Paths are nil where the template did not name them and libvirt chooses.
        case efi(code: String?, vars: String?, dropsVars: Bool)
    }

    package struct TPM: Sendable, Equatable {
        package var version: String
        package var deviceType: String
        package init(version: String, deviceType: String) {
            self.version = version
            self.deviceType = deviceType
        }
    }

    package struct VNCSettings: Sendable, Equatable {
        package var isDisabled: Bool
        /// nil: a UNIX socket; else the template asked for TCP.
        package var bindAddress: String?
        package var ports: Range<Int>
        package var usesPassword: Bool
        package var password: Sensitive<String>?
        package init(
            isDisabled: Bool, bindAddress: String?, ports: Range<Int>, usesPassword: Bool, password: Sensitive<String>?
        ) {
            self.isDisabled = isDisabled
            self.bindAddress = bindAddress
            self.ports = ports
            self.usesPassword = usesPassword
            self.password = password
        }
    }
}

/// CD and floppy. Paths and globs are relative to the working directory.
package struct SeedSettings: Sendable {
    package var cdFiles: [String]
    package var cdContent: [String: String]
    package var cdLabel: String
    package var floppyFiles: [String]
    package var floppyDirectories: [String]
    package var floppyContent: [String: String]
    package var floppyLabel: String
}

package struct HTTPSettings: Sendable {
    package var directory: String?
    /// Path (beginning with `/`) to text.
    package var content: [String: String]
    /// The maximum is excluded, except that an empty range means exactly its lower bound.
    package var ports: Range<Int>
    package var bindAddress: String?
    package var interface: String?
}

package struct BootSettings: Sendable {
    /// Negative waits are nil.
    package var wait: Duration?
    /// Still templates over HTTPIP HTTPPort SyslogIP SyslogPort Name SSHPublicKey.
    package var steps: [(command: String, description: String?)]
    /// nil: not written; Ingot types at the guest's pace.
    package var keyInterval: Duration?

    /// The fields that the boot command asks for: `SSHPublicKey` of `{{ .SSHPublicKey }}`.
    package var fields: Set<String> { Set(steps.flatMap { templateFields(of: $0.command) }) }
}

package struct ShutdownSettings: Sendable {
    package var command: String?
    package var timeout: Duration
}

package enum CommunicatorSettings: Sendable {
    case none
    case ssh(SSHSettings)
    /// Known, not built in yet: validated only.
    case winrm
}

package struct SSHSettings: Sendable {
    /// `ssh_host`; nil: the machine's own address, by port forward.
    package var host: String?
    package var port: Int
    package var username: String
    package var password: Sensitive<String>?
    package var privateKeyFile: String?
    package var certificateFile: String?
    package var temporaryKeyType: String?
    package var temporaryKeyBits: Int?
    package var temporaryKeyName: String?
    package var clearsAuthorizedKeys: Bool
    /// nil: no limit.
    package var timeout: Duration?
    /// 0: no limit.
    package var handshakeAttempts: Int
    package var usesAgent: Bool
    package var forwardsAgent: Bool
    package var usesPTY: Bool
    package var transferMethod: TransferMethod?
    package var keepAliveInterval: Duration?
    package var readWriteTimeout: Duration?
    package var ciphers: [String]
    package var keyExchangeAlgorithms: [String]
    package var pauseBeforeConnecting: Duration?
    /// Host ports the forward may use; the maximum is excluded, an empty range is exactly its lower bound.
    package var hostPorts: Range<Int>
    package var skipsNATMapping: Bool

    package enum TransferMethod: String, Sendable { case scp, sftp }
}

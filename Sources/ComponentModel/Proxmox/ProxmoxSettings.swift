package import ProxmoxConfiguration
package import Scopes

/// A machine of Proxmox VE, to be made of a build's disks.
package struct ProxmoxMachineSettings: Sendable {
    /// With a disk for each of the build's, in their order.
    package var machine: MachineConfiguration
    /// `efi_type`, where it is written; else as the variables of the build show.
    package var efiKind: MachineConfiguration.EFIDisk.Kind?
    /// `disk_size`, in bytes, by the disk's place.
    package var grownSizes: [DriveSlot: Int64] = [:]

    /// The number that an archive has where none is written. A restore may choose another.
    package static let usualNumber = 9000
}

/// `format = "proxmox"` and `proxmox-template`.
package struct ProxmoxArchiveSettings: Sendable {
    package var machine: ProxmoxMachineSettings
    /// The folder; nil: beside the images.
    package var output: String?
    /// zstd's, 1 to 22.
    package var level: Int
}

/// `proxmox`.
package struct ProxmoxUploadSettings: Sendable {
    package enum Trust: Sendable, Equatable {
        case system
        case authorities(file: String)
        case fingerprint(String)
        case unverified
    }

    package enum Existing: Sendable, Equatable {
        case refuse
        /// `any`: also those that Ingot did not make.
        case replace(any: Bool)
        /// nil: labelled by the time of the run; all are kept.
        case version(label: String?, keep: Int?)
    }

    package enum Delivery: Sendable, Equatable {
        case automatic
        /// Onto this storage; nil: the first that fits.
        case upload(storage: String?)
        case ssh
    }

    /// Root's shell on the node.
    package struct Shell: Sendable {
        /// nil: the server's.
        package var host: String?
        package var port: Int
        package var username: String
        package var password: Sensitive<String>?
        package var privateKeyFile: String?
        package var usesAgent: Bool
        /// `SHA256:…`, as `ssh-keygen -l` prints it; nil: any key is taken.
        package var hostKeyFingerprint: String?
    }

    package var machine: ProxmoxMachineSettings
    package var url: String
    /// `user@realm`, or `user@realm!name` of a token.
    package var username: String
    package var password: Sensitive<String>?
    /// It wins over the password.
    package var token: Sensitive<String>?
    package var trust: Trust
    package var node: String?
    package var taskTimeout: Duration?
    package var existing: Existing
    package var delivery: Delivery
    /// nil: none was given.
    package var shell: Shell?

    package var secrets: [Sensitive<String>] {
        [password, token, shell?.password].compactMap { $0 }.filter { !$0.reveal().isEmpty }
    }
}

package import Foundation

/// The contents of an image.
package struct ImageReport: Codable, Sendable {
    /// One entry per operating system.
    package var systems: [SystemReport]
    /// One entry per file system or other contents.
    package var fileSystems: [FileSystemReport]
    /// One entry per disk.
    package var disks: [DiskReport]
    /// The findings of the check.
    package var findings: [Finding] = []

    /// The report as JSON with sorted keys.
    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// An operating system in an image.
package struct SystemReport: Codable, Sendable {
    /// The operating system itself.
    package var system: GuestSystem
    /// The device of its root file system.
    package var root: String
    /// The kernel versions in /lib/modules.
    package var kernels: [String]
    /// The accounts that accept logins.
    package var users: [UserReport]
    /// The number of packages.
    package var packageCount: Int
    /// The packages that the package manager lists as installed.
    package var packages: [InstalledPackage]
}

/// An account that accepts logins.
package struct UserReport: Codable, Sendable, Hashable {
    /// The login name.
    package var name: String
    /// Whether the account accepts a password.
    package var password: PasswordState
    /// The comments of its authorised keys.
    package var authorizedKeys: [String]

    package init(name: String, password: PasswordState, authorizedKeys: [String]) {
        self.name = name
        self.password = password
        self.authorizedKeys = authorizedKeys
    }
}

/// A file system, or other contents of a device.
package struct FileSystemReport: Codable, Sendable, Hashable {
    /// The device, such as `/dev/sda1`.
    package var device: String
    /// `ext4`, `swap`, `crypto_LUKS` …
    package var kind: String
    /// The size of the device in bytes.
    package var size: Int64
    /// May be empty.
    package var label: String
    /// The UUID; may be empty.
    package var identifier: String
    /// The path in the guest; nil if it was not mounted.
    package var mountPoint: String?
    /// The bytes in use, if it was mounted.
    package var used: Int64?
}

/// A disk.
package struct DiskReport: Codable, Sendable, Hashable {
    /// The ways in which firmware can boot it.
    package enum Boot: String, Codable, Sendable { case bios, efi }

    /// The device, such as `/dev/sda1`.
    package var device: String
    /// In bytes.
    package var size: Int64
    /// The partition table, `gpt` or `msdos`; nil without one.
    package var partitionTable: String?
    /// The ways in which firmware can boot it.
    package var boot: [Boot]
}

package import Foundation

/// The contents of an image.
package struct ImageReport: Codable, Sendable {
    package var systems: [SystemReport]
    package var fileSystems: [FileSystemReport]
    package var disks: [DiskReport]
    /// The findings of the check.
    package var findings: [Finding] = []

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// An operating system in an image.
package struct SystemReport: Codable, Sendable {
    package var system: GuestSystem
    /// The device of its root file system.
    package var root: String
    /// The kernel versions in /lib/modules.
    package var kernels: [String]
    package var users: [UserReport]
    package var packageCount: Int
    package var packages: [InstalledPackage]
}

/// An account that accepts logins.
package struct UserReport: Codable, Sendable, Hashable {
    package var name: String
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
    package var device: String
    /// `ext4`, `swap`, `crypto_LUKS` …
    package var kind: String
    /// The size of the device in bytes.
    package var size: Int64
    package var label: String
    package var identifier: String
    package var mountPoint: String?
    /// The bytes in use, if it was mounted.
    package var used: Int64?
}

/// A disk.
package struct DiskReport: Codable, Sendable, Hashable {
    /// The ways in which firmware can boot it.
    package enum Boot: String, Codable, Sendable { case bios, efi }

    package var device: String
    package var size: Int64
    /// The partition table, `gpt` or `msdos`; nil without one.
    package var partitionTable: String?
    package var boot: [Boot]
}

package import Foundation

/// What is in an image: for people and for JSON.
package struct ImageReport: Codable, Sendable {
    package var systems: [SystemReport]
    package var fileSystems: [FileSystemReport]
    package var disks: [DiskReport]
    /// What the check found.
    package var findings: [Finding] = []

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

/// An operating system of an image.
package struct SystemReport: Codable, Sendable {
    package var system: GuestSystem
    /// The device of its root file system.
    package var root: String
    /// Versions in /lib/modules, which is where a kernel's other half is.
    package var kernels: [String]
    package var users: [UserReport]
    package var packageCount: Int
    package var packages: [InstalledPackage]
}

/// An account that somebody can enter.
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

/// A file system, or what else fills a device.
package struct FileSystemReport: Codable, Sendable, Hashable {
    package var device: String
    /// `ext4`, `swap`, `crypto_LUKS` …
    package var kind: String
    /// Bytes of the device.
    package var size: Int64
    package var label: String
    package var identifier: String
    package var mountPoint: String?
    /// Bytes that are not free, where it was mounted.
    package var used: Int64?
}

/// A whole disk.
package struct DiskReport: Codable, Sendable, Hashable {
    /// How the machine's firmware can start from it.
    package enum Boot: String, Codable, Sendable { case bios, efi }

    package var device: String
    package var size: Int64
    /// `gpt`, `msdos`, nil without a table.
    package var partitionTable: String?
    package var boot: [Boot]
}

package import Foundation

/// A software bill of materials: the guest's packages in a format that scanners read.
package struct BillOfMaterials: Sendable {
    /// A format of the document.
    package enum Format: String, CaseIterable, Sendable {
        case spdx = "spdx-2.3"
        case cycloneDX = "cyclonedx-1.6"
    }

    /// The name of the image.
    package var name: String
    /// The operating system that has the packages.
    package var system: GuestSystem
    /// The packages to list.
    package var packages: [InstalledPackage]
    /// The time to state in the document.
    package var created: Date
    /// Makes the document's identifier unique.
    package var identifier: UUID
    /// Ingot's version.
    package var toolVersion: String

    package init(
        name: String, system: GuestSystem, packages: [InstalledPackage], created: Date, identifier: UUID,
        toolVersion: String
    ) {
        self.name = name
        self.system = system
        self.packages = packages
        self.created = created
        self.identifier = identifier
        self.toolVersion = toolVersion
    }

    /// The document as JSON; equal for equal input.
    package func render(_ format: Format) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        switch format {
        case .spdx: return try encoder.encode(SPDXDocument(self))
        case .cycloneDX: return try encoder.encode(CycloneDXDocument(self))
        }
    }

    /// The time in UTC, in whole seconds.
    var timestamp: String { created.ISO8601Format() }
    var systemName: String { system.name.isEmpty ? system.distribution : system.name }
    var sortedPackages: [InstalledPackage] {
        packages.sorted { ($0.name, $0.architecture, $0.version) < ($1.name, $1.architecture, $1.version) }
    }
}

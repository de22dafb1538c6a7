import Foundation

/// An SPDX 2.3 document as JSON, https://spdx.github.io/spdx-spec/v2.3/.
struct SPDXDocument: Encodable {
    struct CreationInfo: Encodable {
        var created: String
        var creators: [String]
    }
    struct Reference: Encodable {
        var referenceCategory = "PACKAGE-MANAGER"
        var referenceType = "purl"
        var referenceLocator: String
    }
    struct Package: Encodable {
        var SPDXID: String
        var name: String
        var versionInfo: String?
        var supplier: String?
        var homepage: String?
        var summary: String?
        var sourceInfo: String?
        var downloadLocation = "NOASSERTION"
        var filesAnalyzed = false
        var licenseConcluded = "NOASSERTION"
        var licenseDeclared = "NOASSERTION"
        var licenseComments: String?
        var copyrightText = "NOASSERTION"
        var primaryPackagePurpose: String?
        var externalRefs: [Reference]?
    }
    struct Relationship: Encodable {
        var spdxElementId: String
        var relationshipType: String
        var relatedSpdxElement: String
    }

    var spdxVersion = "SPDX-2.3"
    var dataLicense = "CC0-1.0"
    var SPDXID = "SPDXRef-DOCUMENT"
    var name: String
    var documentNamespace: String
    var creationInfo: CreationInfo
    var packages: [Package]
    var relationships: [Relationship]

    init(_ bill: BillOfMaterials) {
        name = bill.name
        // The format requires a unique URI, which need not resolve.
        let path = String(bill.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        documentNamespace = "https://spdx.org/spdxdocs/\(path)-\(bill.identifier.uuidString.lowercased())"
        creationInfo = CreationInfo(created: bill.timestamp, creators: ["Tool: ingot-\(bill.toolVersion)"])
        let system = "SPDXRef-OperatingSystem"
        packages = [
            Package(
                SPDXID: system, name: bill.systemName,
                versionInfo: bill.system.version.isEmpty ? nil : bill.system.version,
                primaryPackagePurpose: "OPERATING_SYSTEM")
        ]
        relationships = [
            Relationship(spdxElementId: SPDXID, relationshipType: "DESCRIBES", relatedSpdxElement: system)
        ]
        for (index, package) in bill.sortedPackages.enumerated() {
            let identifier = "SPDXRef-Package-\(index + 1)"
            packages.append(
                Package(
                    SPDXID: identifier, name: package.name, versionInfo: package.version,
                    supplier: package.maintainer.map(Self.supplier),
                    homepage: package.homepage.flatMap { $0.contains("://") && !$0.contains(" ") ? $0 : nil },
                    summary: package.summary, sourceInfo: package.source.map { "built from \($0)" },
                    licenseComments: package.license.map { "The package says: \($0)" },
                    externalRefs: [Reference(referenceLocator: packageURL(package, of: bill.system))]))
            relationships.append(
                Relationship(spdxElementId: system, relationshipType: "CONTAINS", relatedSpdxElement: identifier))
        }
    }

    /// Converts "Jo Doe <jo@example.org>" to "Organization: Jo Doe (jo@example.org)".
    private static func supplier(_ maintainer: String) -> String {
        guard let open = maintainer.firstIndex(of: "<"), let close = maintainer.lastIndex(of: ">"), open < close else {
            return "Organization: \(maintainer)"
        }
        let name = maintainer[..<open].trimmingCharacters(in: .whitespaces)
        let address = maintainer[maintainer.index(after: open)..<close]
        return "Organization: \(name.isEmpty ? String(address) : name) (\(address))"
    }
}

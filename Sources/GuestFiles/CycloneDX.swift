import Foundation

/// A CycloneDX 1.6 document as JSON, https://cyclonedx.org/docs/1.6/json/.
struct CycloneDXDocument: Encodable {
    struct Property: Encodable {
        var name: String
        var value: String
    }
    struct Supplier: Encodable { var name: String }
    struct License: Encodable {
        struct Named: Encodable { var name: String }
        var license: Named
    }
    struct ExternalReference: Encodable {
        var type = "website"
        var url: String
    }
    struct Component: Encodable {
        enum CodingKeys: String, CodingKey {
            case type, name, version, purl, supplier, description, licenses, externalReferences, properties
            case reference = "bom-ref"
        }
        var type = "library"
        var reference: String
        var name: String
        var version: String?
        var purl: String?
        var supplier: Supplier?
        var description: String?
        var licenses: [License]?
        var externalReferences: [ExternalReference]?
        var properties: [Property]?
    }
    struct Tools: Encodable { var components: [Component] }
    struct Metadata: Encodable {
        var timestamp: String
        var tools: Tools
        var component: Component
    }

    var bomFormat = "CycloneDX"
    var specVersion = "1.6"
    var version = 1
    var serialNumber: String
    var metadata: Metadata
    var components: [Component]

    init(_ bill: BillOfMaterials) {
        serialNumber = "urn:uuid:\(bill.identifier.uuidString.lowercased())"
        metadata = Metadata(
            timestamp: bill.timestamp,
            tools: Tools(components: [
                Component(type: "application", reference: "ingot", name: "ingot", version: bill.toolVersion)
            ]),
            component: Component(type: "operating-system", reference: "image", name: bill.name))
        components = [
            Component(
                type: "operating-system", reference: "operating-system", name: bill.systemName,
                version: bill.system.version.isEmpty ? nil : bill.system.version)
        ]
        // References must be unique, and a hostile database could list a package twice.
        var seen: Set<String> = []
        for package in bill.sortedPackages {
            let address = packageURL(package, of: bill.system)
            var reference = address
            while !seen.insert(reference).inserted { reference += "#" }
            components.append(
                Component(
                    reference: reference, name: package.name, version: package.version, purl: address,
                    supplier: package.maintainer.map { Supplier(name: $0) }, description: package.summary,
                    licenses: package.license.map { [License(license: .init(name: $0))] },
                    externalReferences: package.homepage.flatMap {
                        $0.contains("://") && !$0.contains(" ") ? [ExternalReference(url: $0)] : nil
                    },
                    properties: package.source.map { [Property(name: "ingot:source-package", value: $0)] }))
        }
    }
}

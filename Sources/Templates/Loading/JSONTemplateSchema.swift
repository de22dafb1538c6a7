import ComponentModel
import HCL

extension BodySchema {
    /// What a `.pkr.json` file may hold: the blocks of Packer's configuration language, and those of the built-in components.
    static let template = BodySchema(blocks: [
        "packer": BlockType(BodySchema(blocks: ["required_plugins": BlockType()])),
        "variable": BlockType(
            labels: 1, BodySchema(blocks: ["validation": BlockType()], expressions: ["type"])),
        "variables": BlockType(), "locals": BlockType(), "local": BlockType(labels: 1),
        "data": component(KnownComponents.dataSources, labels: 2),
        "source": component(KnownComponents.sources, labels: 2), "build": BlockType(build),
        "hcp_packer_registry": BlockType(), "communicator": BlockType(labels: 2),
    ])

    private static let build = BodySchema(
        blocks: [
            "source": BlockType(labels: 1) { labels in
                // `source.qemu.NAME`, or without the first word.
                let parts = labels.first?.split(separator: ".").map(String.init) ?? []
                return component(KnownComponents.sources, labels: 1).body(Array(parts.suffix(2)))
            },
            "provisioner": component(KnownComponents.provisioners, labels: 1),
            "error-cleanup-provisioner": component(KnownComponents.provisioners, labels: 1),
            "post-processor": component(KnownComponents.postProcessors, labels: 1),
            "post-processors": BlockType(
                BodySchema(blocks: ["post-processor": component(KnownComponents.postProcessors, labels: 1)])),
            "hcp_packer_registry": BlockType(),
        ], allowsDynamic: true)

    /// A component, the first of whose labels is its type.
    private static func component(_ family: KnownComponents.Family, labels: Int) -> BlockType {
        BlockType(labels: labels) { labels in
            schema(of: labels.first.flatMap { family.builtIn[$0] } ?? [])
        }
    }

    private static func schema(of options: [Option]) -> BodySchema {
        var blocks: [String: BlockType] = [:]
        for option in options {
            if case .block(let inner) = option.kind { blocks[option.name] = BlockType(schema(of: inner)) }
        }
        return BodySchema(blocks: blocks)
    }
}

import HCL

extension BodySchema {
    /// What a `.pkr.json` file may hold: the blocks of Packer's configuration language. Whatever a component has besides is
    /// an attribute of it.
    static let template = BodySchema(blocks: [
        "packer": BlockType(BodySchema(blocks: ["required_plugins": BlockType()])),
        "variable": BlockType(
            labels: 1, BodySchema(blocks: ["validation": BlockType()], expressions: ["type"])),
        "variables": BlockType(), "locals": BlockType(), "local": BlockType(labels: 1), "data": BlockType(labels: 2),
        "source": BlockType(labels: 2), "build": BlockType(build), "hcp_packer_registry": BlockType(),
        "communicator": BlockType(labels: 2),
    ])

    private static let build = BodySchema(
        blocks: [
            "source": BlockType(labels: 1), "provisioner": BlockType(labels: 1),
            "error-cleanup-provisioner": BlockType(labels: 1), "post-processor": BlockType(labels: 1),
            "post-processors": BlockType(BodySchema(blocks: ["post-processor": BlockType(labels: 1)])),
            "hcp_packer_registry": BlockType(),
        ], allowsDynamic: true)
}

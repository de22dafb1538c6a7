/// What a body in the JSON syntax may hold: JSON alone does not distinguish a block from an attribute.
///
/// A property that is not among `blocks` is an attribute, so an empty schema reads a file of attributes only.
public struct BodySchema: Sendable {
    /// A type of block.
    public struct BlockType: Sendable {
        /// Levels of objects whose property names are the labels.
        public var labels: Int
        /// The schema of a block with these labels. Inside `dynamic`, where labels are not known yet, there are none.
        public var body: @Sendable (_ labels: [String]) -> BodySchema

        public init(labels: Int = 0, body: @escaping @Sendable ([String]) -> BodySchema) {
            self.labels = labels
            self.body = body
        }

        public init(labels: Int = 0, _ body: BodySchema = BodySchema()) {
            self.init(labels: labels) { _ in body }
        }
    }

    public var blocks: [String: BlockType]
    /// Attributes whose text is an expression and not a template, such as the `type` of a variable.
    public var expressions: Set<String>
    /// Whether `dynamic` blocks may generate the blocks.
    public var allowsDynamic: Bool

    public init(blocks: [String: BlockType] = [:], expressions: Set<String> = [], allowsDynamic: Bool = false) {
        self.blocks = blocks
        self.expressions = expressions
        self.allowsDynamic = allowsDynamic
    }

    func blockType(_ name: String) -> BlockType? {
        if let type = blocks[name] { return type }
        guard allowsDynamic, name == "dynamic" else { return nil }
        let blocks = blocks
        return BlockType(labels: 1) { labels in
            let content = labels.first.flatMap { blocks[$0] }?.body([]) ?? BodySchema()
            return BodySchema(blocks: ["content": BlockType(content)], expressions: ["iterator"])
        }
    }
}

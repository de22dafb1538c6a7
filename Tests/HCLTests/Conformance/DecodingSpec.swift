import Diagnostics
import HCL

/// How a body becomes one value, in the language of the conformance suite's `.hcldec` files.
indirect enum DecodingSpec {
    case object([String: DecodingSpec])
    case array([DecodingSpec])
    case attribute(String, HCLType, isRequired: Bool)
    case block(String, isRequired: Bool, DecodingSpec)
    case blocks(String, Collection, least: Int, most: Int?, DecodingSpec)
    case blockMap(String, labels: [String], makesObject: Bool, DecodingSpec)
    case blockAttributes(String, HCLType, isRequired: Bool)
    case literal(Value)
    case fallback([DecodingSpec])
    case transform(Expression, DecodingSpec)

    enum Collection: String { case list = "block_list", tuple = "block_tuple", set = "block_set" }

    /// A mistake in the specification itself.
    struct Mistake: Error, CustomStringConvertible { var description: String }

    /// - Parameter name: Of the attribute or block, where the header gives none.
    init(_ block: Block, variables: [String: Value]) throws {
        let options = Options(block, variables)
        switch block.type {
        case "object":
            var members: [String: DecodingSpec] = [:]
            for inner in block.body.blocks {
                guard let name = inner.labels.first?.text else { throw Mistake(description: "no name in object") }
                members[name] = try DecodingSpec(inner, variables: variables)
            }
            self = .object(members)
        case "array": self = .array(try options.nested())
        case "attr":
            self = .attribute(
                try options.name("name"), try options.type("type"), isRequired: options.flag("required"))
        case "block":
            self = .block(try options.name("block_type"), isRequired: options.flag("required"), try options.only())
        case "block_list", "block_tuple", "block_set":
            guard let collection = Collection(rawValue: block.type) else { throw Mistake(description: block.type) }
            self = .blocks(
                try options.name("block_type"), collection, least: options.number("min_items") ?? 0,
                most: options.number("max_items"), try options.only())
        case "block_map", "block_object":
            let labels = options.value("labels")?.elements?.compactMap(\.stringValue) ?? []
            self = .blockMap(
                try options.name("block_type"), labels: labels, makesObject: block.type == "block_object",
                try options.only())
        case "block_attrs":
            self = .blockAttributes(
                try options.name("block_type"), try options.type("element_type"), isRequired: options.flag("required"))
        case "literal": self = .literal(options.value("value") ?? .null)
        case "default": self = .fallback(try options.nested())
        case "transform":
            guard let result = options.attribute("result") else { throw Mistake(description: "no result") }
            self = .transform(result, try options.only())
        default: throw Mistake(description: "unknown kind of specification \(block.type)")
        }
    }

    private struct Options {
        let block: Block
        let variables: [String: Value]

        init(_ block: Block, _ variables: [String: Value]) {
            self.block = block
            self.variables = variables
        }

        func attribute(_ name: String) -> Expression? {
            block.body.attributes.first { $0.name == name }?.expression
        }

        func value(_ name: String) -> Value? {
            attribute(name)?.evaluate(in: EvaluationContext(variables: variables)).value
        }

        func flag(_ name: String) -> Bool { value(name)?.boolValue ?? false }
        func number(_ name: String) -> Int? { value(name)?.numberValue?.int }

        func name(_ key: String) throws -> String {
            guard let name = value(key)?.stringValue ?? block.labels.first?.text else {
                throw Mistake(description: "\(block.type) without \(key)")
            }
            return name
        }

        func type(_ key: String) throws -> HCLType {
            guard let expression = attribute(key) else { return .any }
            return try HCLType.parse(expression).get()
        }

        func nested() throws -> [DecodingSpec] {
            try block.body.blocks.map { try DecodingSpec($0, variables: variables) }
        }

        func only() throws -> DecodingSpec {
            let all = try nested()
            guard let first = all.first, all.count == 1 else {
                throw Mistake(description: "\(block.type) needs one specification inside")
            }
            return first
        }
    }
}

extension DecodingSpec {
    /// What a body may hold, for telling what it may not, and for JSON.
    var attributeNames: Set<String> {
        switch self {
        case .object(let members): members.values.reduce(into: []) { $0.formUnion($1.attributeNames) }
        case .array(let all), .fallback(let all): all.reduce(into: []) { $0.formUnion($1.attributeNames) }
        case .attribute(let name, _, _): [name]
        case .transform(_, let inner): inner.attributeNames
        case .block, .blocks, .blockMap, .blockAttributes, .literal: []
        }
    }

    var schema: BodySchema {
        switch self {
        case .object(let members): Self.merged(Array(members.values))
        case .array(let all), .fallback(let all): Self.merged(all)
        case .transform(_, let inner): inner.schema
        case .block(let type, _, let inner), .blocks(let type, _, _, _, let inner):
            BodySchema(blocks: [type: BodySchema.BlockType(inner.schema)])
        case .blockMap(let type, let labels, _, let inner):
            BodySchema(blocks: [type: BodySchema.BlockType(labels: labels.count, inner.schema)])
        case .blockAttributes(let type, _, _): BodySchema(blocks: [type: BodySchema.BlockType()])
        case .attribute, .literal: BodySchema()
        }
    }

    private static func merged(_ specs: [DecodingSpec]) -> BodySchema {
        BodySchema(blocks: specs.reduce(into: [:]) { $0.merge($1.schema.blocks) { $1 } })
    }
}

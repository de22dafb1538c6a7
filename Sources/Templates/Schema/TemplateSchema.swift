import FoundationEssentials
import HCL

/// The JSON Schema (draft 2020-12) of templates in the JSON form of HCL, `.pkr.json`, as text.
///
/// It is made of what the templates themselves are read and checked by: the schema of their blocks and the tables of options.
package func templateSchema() -> String {
    let schema = body(of: .template, nil, at: []).with([
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Template of Ingot and Packer in JSON (.pkr.json)",
        "$defs": .object(ValueSchemas.definitions.merging(componentDefinitions) { $1 }), "type": "object",
    ])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Texts, numbers and flags always encode.
    guard let data = try? encoder.encode(schema) else { return "" }
    return String(decoding: data, as: UTF8.self) + "\n"
}

/// The components that a block's label chooses from, with what every one of them takes.
private struct LabelledFamily {
    var family: KnownComponents.Family
    var common: BlockSpec?

    init?(_ path: [String]) {
        switch path.last {
        case "source" where path.count == 1: (family, common) = (KnownComponents.sources, nil)
        case "data": (family, common) = (KnownComponents.dataSources, nil)
        case "provisioner", "error-cleanup-provisioner": (family, common) = (KnownComponents.provisioners, .provisioner)
        case "post-processor": (family, common) = (KnownComponents.postProcessors, .postProcessor)
        default: return nil
        }
    }

    static let all = [["source"], ["data"], ["provisioner"], ["post-processor"]].compactMap(LabelledFamily.init)

    func definition(of type: String) -> String { family.word.replacing(" ", with: "-") + "." + type }
}

private let componentDefinitions: [String: SchemaValue] = {
    var definitions: [String: SchemaValue] = [:]
    for family in LabelledFamily.all {
        for (type, options) in family.family.builtIn {
            let common = family.common.map(ValueSchemas.properties) ?? [:]
            definitions[family.definition(of: type)] = ValueSchemas.closed(
                ValueSchemas.properties(options).merging(common) { $1 })
        }
    }
    return definitions
}()

private func spec(at path: [String]) -> BlockSpec {
    switch path {
    case ["packer"]: .packer
    case ["packer", "required_plugins"]: .requiredPlugins
    case ["variable"]: .variable
    case ["variable", "validation"]: .validation
    case ["variables"]: .variables
    case ["locals"]: .locals
    case ["local"]: .local
    case ["data"]: .data
    case ["source"]: .source
    case ["build"]: .build
    case ["build", "source"]: .buildSource
    case ["build", "post-processors"]: .postProcessors
    case ["build", "hcp_packer_registry"]: .registry
    default: path.last == "post-processor" ? .postProcessor : .provisioner
    }
}

/// What is inside a block; `spec` is nil for the whole template.
private func body(of schema: BodySchema, _ spec: BlockSpec?, at path: [String]) -> SchemaValue {
    var properties = spec.map(ValueSchemas.properties) ?? [:]
    for (name, type) in schema.blocks { properties[name] = block(type, at: path + [name]) }
    if schema.allowsDynamic {
        let content: SchemaValue = ["content": ValueSchemas.oneOrMany(["type": "object"])]
        guard case .object(let inside) = content else { return [:] }
        let dynamic = ValueSchemas.closed(ValueSchemas.properties(.dynamic).merging(inside) { $1 })
        let kinds = schema.blocks.mapValues { _ in ValueSchemas.oneOrMany(dynamic) }
        properties["dynamic"] = ValueSchemas.oneOrMany(ValueSchemas.closed(kinds)).described(BlockSpec.dynamic.meaning)
    }
    guard let spec, spec.isOpen else { return ValueSchemas.closed(properties) }
    let isPlugins = path == ["packer", "required_plugins"]
    return [
        "type": ["object", "null"], "properties": .object(properties),
        "additionalProperties": isPlugins
            ? ValueSchemas.closed(ValueSchemas.properties(.requiredPlugin)).with([
                "required": .list(BlockSpec.requiredPlugin.names.map(SchemaValue.text))
            ]) : [:],
    ]
}

/// A block with its labels, each of which is a level of objects.
private func block(_ type: BodySchema.BlockType, at path: [String]) -> SchemaValue {
    let spec = spec(at: path)
    var inner: SchemaValue
    var levels = type.labels
    if let family = LabelledFamily(path) {
        levels -= 1
        let types = family.family.builtIn.keys.map { name in
            (name, labelled(ValueSchemas.oneOrMany(ValueSchemas.reference(family.definition(of: name))), levels))
        }
        // Of what is not built in nothing is known.
        let other = labelled(ValueSchemas.oneOrMany(["type": ["object", "null"]]), levels)
        inner = ValueSchemas.oneOrMany([
            "type": ["object", "null"], "properties": .object(Dictionary(types, uniquingKeysWith: { $1 })),
            "additionalProperties": other,
        ])
    } else {
        inner = labelled(ValueSchemas.oneOrMany(body(of: type.body([]), spec, at: path)), levels)
    }
    return inner.described(spec.meaning)
}

private func labelled(_ schema: SchemaValue, _ levels: Int) -> SchemaValue {
    (0..<max(0, levels)).reduce(schema) { inner, _ in
        ValueSchemas.oneOrMany(["type": ["object", "null"], "additionalProperties": inner])
    }
}

import Diagnostics
import HCL

/// Decodes bodies by a specification.
struct SpecDecoder {
    let context: EvaluationContext
    private(set) var diagnostics: [Diagnostic] = []

    init(_ context: EvaluationContext) { self.context = context }

    /// The body's value, after telling of everything the specification does not know.
    mutating func decode(_ body: Body, _ spec: DecodingSpec) -> Value {
        let (attributes, blocks) = (spec.attributeNames, spec.schema.blocks)
        for attribute in body.attributes where !attributes.contains(attribute.name) {
            report("Unsupported argument", attribute.nameRange)
        }
        for block in body.blocks {
            guard let type = blocks[block.type] else {
                report("Unsupported block type", block.typeRange)
                continue
            }
            if block.labels.count != type.labels { report("Wrong number of labels", block.headerRange) }
        }
        return value(body, spec)
    }

    private mutating func value(_ body: Body, _ spec: DecodingSpec) -> Value {
        switch spec {
        case .object(let members):
            return .object(
                members.sorted { $0.key < $1.key }.reduce(into: [:]) { $0[$1.key] = value(body, $1.value) })
        case .array(let all): return .tuple(all.map { value(body, $0) })
        case .attribute(let name, let type, let isRequired):
            guard let attribute = body.attributes.first(where: { $0.name == name }) else {
                if isRequired { report("Missing required argument", body.range) }
                return .null
            }
            return evaluated(attribute, type)
        case .block(let type, let isRequired, let inner):
            let blocks = body.blocks.filter { $0.type == type }
            for extra in blocks.dropFirst() { report("Duplicate \(type) block", extra.typeRange) }
            guard let block = blocks.first else {
                if isRequired { report("Missing \(type) block", body.range) }
                return .null
            }
            return decode(block.body, inner)
        case .blocks(let type, let collection, let least, let most, let inner):
            let blocks = body.blocks.filter { $0.type == type }
            if blocks.count < least { report("Too few \(type) blocks", body.range) }
            if let most, blocks.count > most { report("Too many \(type) blocks", blocks[most].typeRange) }
            let values = blocks.map { decode($0.body, inner) }
            switch collection {
            case .list: return .list(values)
            case .tuple: return .tuple(values)
            case .set: return .makeSet(values)
            }
        case .blockMap(let type, let labels, let makesObject, let inner):
            let blocks = body.blocks.filter { $0.type == type && $0.labels.count == labels.count }
            return map(blocks[...], depth: 0, labels.count, makesObject, inner)
        case .blockAttributes(let type, let element, let isRequired):
            guard let block = body.blocks.first(where: { $0.type == type }) else {
                if isRequired { report("Missing \(type) block", body.range) }
                return .null
            }
            return .map(block.body.attributes.reduce(into: [:]) { $0[$1.name] = evaluated($1, element) })
        case .literal(let value): return value
        case .fallback(let all):
            var result = Value.null
            for inner in all where result.isNull { result = value(body, inner) }
            return result
        case .transform(let expression, let inner):
            let nested = value(body, inner)
            var context = context
            context.variables["nested"] = nested
            let result = expression.evaluate(in: context)
            diagnostics += result.diagnostics
            return result.value
        }
    }

    private mutating func map(
        _ blocks: ArraySlice<Block>, depth: Int, _ labels: Int, _ makesObject: Bool, _ inner: DecodingSpec
    ) -> Value {
        var members: [String: Value] = [:]
        var names: [String] = []
        for block in blocks where !names.contains(block.labels[depth].text) { names.append(block.labels[depth].text) }
        for name in names {
            let same = blocks.filter { $0.labels[depth].text == name }
            if depth + 1 < labels {
                members[name] = map(same[...], depth: depth + 1, labels, makesObject, inner)
            } else {
                for extra in same.dropFirst() { report("Duplicate block", extra.headerRange) }
                members[name] = same.first.map { decode($0.body, inner) }
            }
        }
        return makesObject ? .object(members) : .map(members)
    }

    private mutating func evaluated(_ attribute: Attribute, _ type: HCLType) -> Value {
        let result = attribute.expression.evaluate(in: context)
        diagnostics += result.diagnostics
        guard !result.diagnostics.hasErrors else { return .unknown }
        switch result.value.converted(to: type) {
        case .success(let value): return value
        case .failure(let problem):
            report("Incorrect attribute value type: \(problem)", attribute.expression.range)
            return .unknown
        }
    }

    private mutating func report(_ summary: String, _ range: SourceRange) {
        diagnostics.append(Diagnostic(id: "test/decoding", summary: summary, subject: range))
    }
}

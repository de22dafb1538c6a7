public import Diagnostics

/// Parses a file in the JSON syntax of HCL.
///
/// - Parameters:
///   - schema: Which properties are blocks.
///   - readsTemplates: Whether strings are templates. Without, `${` and `%{` are plain text, as in files of variables.
public func parseJSON(_ file: SourceFile, schema: BodySchema, readsTemplates: Bool = true) -> Diagnosed<Body> {
    let read = readJSON(file, locatesEscapes: readsTemplates)
    guard let root = read.value else {
        let range = SourceRange(file: file.name, start: 0, end: file.text.utf8.count)
        return Diagnosed(Body(attributes: [], blocks: [], range: range), read.diagnostics)
    }
    var decoder = JSONBodyDecoder(readsTemplates: readsTemplates)
    let body = decoder.body(root, schema)
    return Diagnosed(body, read.diagnostics + decoder.diagnostics)
}

/// Turns JSON into bodies by a schema.
struct JSONBodyDecoder {
    let readsTemplates: Bool
    var diagnostics: [Diagnostic] = []

    mutating func body(_ node: JSONNode, _ schema: BodySchema) -> Body {
        var attributes: [Attribute] = []
        var blocks: [Block] = []
        var names: [String: SourceRange] = [:]
        for property in properties(node, "to define arguments and blocks") {
            let name = normalized(property.name)
            // A comment.
            if name == "//" { continue }
            if let type = schema.blockType(name) {
                unpack(property.value, BlockStart(type: name, typeRange: property.nameRange, schema: type), &blocks)
                continue
            }
            if let first = names[name] {
                diagnostics.append(.duplicateAttribute(name, at: property.nameRange, first: first))
                continue
            }
            names[name] = property.nameRange
            attributes.append(
                Attribute(
                    name: name, nameRange: property.nameRange,
                    expression: expression(property.value, isExpression: schema.expressions.contains(name)),
                    range: property.nameRange.union(property.value.range)))
        }
        return Body(attributes: attributes, blocks: blocks, range: node.range)
    }

    /// What is known of a block before its content.
    private struct BlockStart {
        var type: String
        var typeRange: SourceRange
        var schema: BodySchema.BlockType
        var labels: [Block.Label] = []
    }

    private mutating func unpack(_ node: JSONNode, _ start: BlockStart, _ blocks: inout [Block]) {
        guard start.labels.count >= start.schema.labels else {
            let properties = properties(node, "whose property names are labels of the \(start.type) block")
            if properties.isEmpty, node.isContainer {
                report(
                    "json-missing-label", "Missing block label",
                    "At least one property is required, whose name is label \(start.labels.count + 1) of \(start.schema.labels) of the \(start.type) block.",
                    node.opening)
            }
            for property in properties {
                var inner = start
                inner.labels.append(Block.Label(text: normalized(property.name), range: property.nameRange))
                unpack(property.value, inner, &blocks)
            }
            return
        }
        switch node.kind {
        // No block at all.
        case .null: break
        case .object: blocks.append(block(node, start))
        case .array(let elements): for element in elements { blocks.append(block(element, start)) }
        default:
            report(
                "json-wrong-type", "Incorrect JSON value type",
                "An object, or an array of objects, is required as the content of \(start.type) blocks, not \(node.name).",
                node.range)
        }
    }

    private mutating func block(_ node: JSONNode, _ start: BlockStart) -> Block {
        Block(
            type: start.type, typeRange: start.typeRange, labels: start.labels,
            body: body(node, start.schema.body(start.labels.map(\.text))),
            headerRange: start.labels.last?.range ?? start.typeRange, range: node.range)
    }

    /// The properties of an object, or of all objects of an array, in order.
    private mutating func properties(_ node: JSONNode, _ purpose: String) -> [JSONNode.Member] {
        switch node.kind {
        case .null: return []
        case .object(let properties): return properties
        case .array(let elements):
            return elements.flatMap { element -> [JSONNode.Member] in
                if case .object(let properties) = element.kind { return properties }
                report(
                    "json-wrong-type", "Incorrect JSON value type",
                    "An object is required here, \(purpose), not \(element.name).", element.range)
                return []
            }
        default:
            report(
                "json-wrong-type", "Incorrect JSON value type",
                "An object, or an array of objects, is required here, \(purpose), not \(node.name).", node.range)
            return []
        }
    }

    mutating func report(_ id: String, _ summary: String, _ detail: String, _ range: SourceRange) {
        diagnostics.append(Diagnostic(id: "hcl/" + id, summary: summary, detail: detail, subject: range))
    }
}

extension JSONNode {
    fileprivate var isContainer: Bool {
        switch kind {
        case .null, .object: true
        case .array(let elements): elements.allSatisfy { if case .object = $0.kind { true } else { false } }
        default: false
        }
    }

    /// The brace, bracket or word with which the node begins.
    fileprivate var opening: SourceRange {
        SourceRange(file: range.file, start: range.start, end: min(range.start + 1, range.end))
    }
}

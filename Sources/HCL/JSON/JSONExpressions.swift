import Diagnostics

extension JSONBodyDecoder {
    /// A value of JSON as an expression: strings are templates, or where the schema says so expressions.
    mutating func expression(_ node: JSONNode, isExpression: Bool) -> Expression {
        switch node.kind {
        case .null: return Expression(.literal(.null), node.range)
        case .bool(let flag): return Expression(.literal(.bool(flag)), node.range)
        case .number(let digits):
            return Expression(.literal(Number(digits).map { .number($0) } ?? .unknown), node.range)
        case .string(let text):
            return isExpression
                ? parsed(text, node.range, node.offsets) { $0.parseLoneExpression() }
                : template(text, node.range, node.offsets)
        case .array(let elements):
            let members = elements.map { expression($0, isExpression: isExpression) }
            return Expression(.tuple(members), node.range, children: members)
        case .object(let properties):
            var places: [String: SourceRange] = [:]
            var items: [Expression.ObjectItem] = []
            for property in properties {
                let name = normalized(property.name)
                if let first = places[name] {
                    var problem = Diagnostic.duplicateObjectKey(name, at: property.nameRange)
                    problem.detail = "The property \"\(name)\" is set twice; remove one of them."
                    problem.notes = [Diagnostic.Note("first set here", at: first)]
                    diagnostics.append(problem)
                    continue
                }
                places[name] = property.nameRange
                items.append(
                    Expression.ObjectItem(
                        key: template(property.name, property.nameRange, property.nameOffsets),
                        value: expression(property.value, isExpression: isExpression),
                        mustBeUnique: true))
            }
            return Expression(.object(items), node.range, children: items.flatMap { [$0.key, $0.value] })
        }
    }

    private mutating func template(_ text: String, _ range: SourceRange, _ offsets: [Int]?) -> Expression {
        let bytes = text.utf8
        let holdsMarker = zip(bytes, bytes.dropFirst()).contains { first, second in
            second == UInt8(ascii: "{") && (first == UInt8(ascii: "$") || first == UInt8(ascii: "%"))
        }
        guard readsTemplates, holdsMarker else { return Expression(.literal(.string(normalized(text))), range) }
        return parsed(text, range, offsets) { $0.parseTemplateFile() }
    }

    /// - Parameters:
    ///   - range: Of the string, with its quotes.
    ///   - offsets: Where its bytes are, if not one after another.
    private mutating func parsed(
        _ text: String, _ range: SourceRange, _ offsets: [Int]?, _ read: (inout Parser) -> Expression
    ) -> Expression {
        var parser = Parser(file: range.file, bytes: Array(text.utf8), base: range.start + 1, offsets: offsets)
        let expression = read(&parser)
        diagnostics += parser.diagnostics
        return Expression(expression.kind, range, children: [expression])
    }
}

import Diagnostics

extension JSONBodyDecoder {
    /// A value of JSON as an expression: strings are templates, or where the schema says so expressions.
    mutating func expression(_ node: JSONNode, isExpression: Bool) -> Expression {
        switch node.kind {
        case .null: return Expression(.literal(.null), node.range)
        case .bool(let flag): return Expression(.literal(.bool(flag)), node.range)
        case .number(let number): return Expression(.literal(.number(number)), node.range)
        case .string(let text):
            return isExpression ? parsed(text) { $0.parseLoneExpression() } : template(text)
        case .array(let elements):
            let members = elements.map { expression($0, isExpression: isExpression) }
            return Expression(.tuple(members), node.range, children: members)
        case .object(let properties):
            var places: [String: SourceRange] = [:]
            var items: [Expression.ObjectItem] = []
            for property in properties {
                let name = property.name.text
                if let first = places[name] {
                    var problem = Diagnostic.duplicateObjectKey(name, at: property.name.range)
                    problem.detail = "The property \"\(name)\" is set twice; remove one of them."
                    problem.notes = [Diagnostic.Note("first set here", at: first)]
                    diagnostics.append(problem)
                    continue
                }
                places[name] = property.name.range
                items.append(
                    Expression.ObjectItem(
                        key: template(property.name), value: expression(property.value, isExpression: isExpression),
                        mustBeUnique: true))
            }
            return Expression(.object(items), node.range, children: items.flatMap { [$0.key, $0.value] })
        }
    }

    private mutating func template(_ text: JSONText) -> Expression {
        let holdsMarker = zip(text.bytes, text.bytes.dropFirst()).contains { first, second in
            second == UInt8(ascii: "{") && (first == UInt8(ascii: "$") || first == UInt8(ascii: "%"))
        }
        guard readsTemplates, holdsMarker else { return Expression(.literal(.string(text.text)), text.range) }
        return parsed(text) { $0.parseTemplateFile() }
    }

    private mutating func parsed(_ text: JSONText, _ read: (inout Parser) -> Expression) -> Expression {
        var parser = Parser(
            file: text.range.file, bytes: text.bytes, base: text.range.start + 1, offsets: text.offsets)
        let expression = read(&parser)
        diagnostics += parser.diagnostics
        return Expression(expression.kind, text.range, children: [expression])
    }
}

import ComponentModel
import Diagnostics
import HCL

/// A block with `dynamic` blocks written out: its labels are text, and what is inside is evaluated in its own scope.
struct ExpandedBlock: Sendable {
    var type: String
    var typeRange: SourceRange
    var labels: [Label]
    var body: Body
    var header: SourceRange
    private(set) var scope: Scope
    /// Names of the iterators around it, which hide other values of these names.
    var iterators: Set<String> = []

    init(
        type: String, typeRange: SourceRange, labels: [Label], body: Body, header: SourceRange, scope: Scope,
        iterators: Set<String> = []
    ) {
        self.type = type
        self.typeRange = typeRange
        self.labels = labels
        self.body = body
        self.header = header
        self.scope = scope
        self.iterators = iterators
    }

    /// Gives `name` a value, unless an iterator has it.
    mutating func define(_ name: String, _ value: Value) {
        if !iterators.contains(name) { scope.roots[name] = value }
    }

    struct Label: Hashable, Sendable {
        var text: String
        var range: SourceRange
    }
}

/// Writes out `dynamic` blocks and turns bodies into options.
struct BodyEvaluator: Sendable {
    let environment: Evaluation.Environment
    let localNames: Set<String>
    private(set) var diagnostics: [Diagnostic] = []
    /// Places of values that are not known, on which the shape of the template depends: how many blocks there are, and of what type.
    private(set) var unknowns: [SourceRange] = []

    private static let maximumBlocks = 10_000

    init(environment: Evaluation.Environment, localNames: Set<String>) {
        self.environment = environment
        self.localNames = localNames
    }

    mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

    mutating func noteUnknown(at range: SourceRange) { unknowns.append(range) }

    /// The value; unknown after an error, which is reported.
    mutating func value(_ expression: Expression, _ scope: Scope) -> Value {
        let result = environment.evaluate(expression, scope, locals: localNames)
        diagnostics += result.diagnostics
        return result.diagnostics.hasErrors ? .unknown : result.value
    }

    // MARK: Blocks

    /// The blocks of a body whose type `isWanted` accepts; a dynamic block counts as the type of the blocks it makes.
    mutating func blocks(
        of body: Body, _ scope: Scope, iterators: Set<String> = [], where isWanted: (String) -> Bool = { _ in true }
    ) -> [ExpandedBlock] {
        var expanded: [ExpandedBlock] = []
        for block in body.blocks where isWanted(block.madeType) {
            if block.type == "dynamic" {
                expanded += expand(block, scope, iterators)
            } else {
                expanded.append(
                    ExpandedBlock(
                        type: block.type, typeRange: block.typeRange,
                        labels: block.labels.map { ExpandedBlock.Label(text: $0.text, range: $0.range) },
                        body: block.body,
                        header: block.headerRange, scope: scope, iterators: iterators))
            }
            if expanded.count > Self.maximumBlocks {
                report(
                    Diagnostic(
                        id: "template/too-many-blocks",
                        summary: "There are more than \(Self.maximumBlocks) blocks here",
                        subject: block.headerRange))
                break
            }
        }
        return expanded
    }

    private mutating func expand(_ block: Block, _ scope: Scope, _ iterators: Set<String>) -> [ExpandedBlock] {
        guard block.labels.count == 1 else {
            report(
                Diagnostic(
                    id: "template/wrong-labels",
                    summary: "A dynamic block takes the type of the blocks it makes as its label",
                    detail: "Write dynamic \"TYPE\" { for_each = …, content { … } }.", subject: block.headerRange))
            return []
        }
        var iterator = block.labels[0].text
        var source: Expression?
        var labels: Expression?
        for attribute in block.body.attributes {
            switch attribute.name {
            case "for_each": source = attribute.expression
            case "labels": labels = attribute.expression
            case "iterator":
                if let name = attribute.expression.keyword {
                    iterator = name
                } else {
                    report(
                        Diagnostic(
                            id: "template/invalid-iterator", summary: "iterator must be a bare name",
                            detail: "Write iterator = item, without quotes.", subject: attribute.expression.range))
                }
            default: report(.unsupported(attribute, in: "dynamic", BlockSpec.dynamic.names))
            }
        }
        let contents = block.body.blocks.filter { $0.type == "content" }
        for inner in block.body.blocks where inner.type != "content" {
            report(.unsupported(inner, in: "dynamic", ["content"]))
        }
        guard let source, let content = contents.first, contents.count == 1 else {
            report(
                Diagnostic(
                    id: "template/missing-option", summary: "A dynamic block needs for_each and one content block",
                    detail: "Write for_each = … and content { … } inside it.", subject: block.headerRange))
            return []
        }
        let made = elements(of: source, scope).prefix(Self.maximumBlocks + 1)
        return made.compactMap { key, element in
            var inner = scope
            inner.roots[iterator] = .object(["key": key, "value": element])
            guard let names = self.labels(labels, inner) else { return nil }
            return ExpandedBlock(
                type: block.labels[0].text, typeRange: block.labels[0].range, labels: names, body: content.body,
                header: block.headerRange, scope: inner, iterators: iterators.union([iterator]))
        }
    }

    /// The elements that a dynamic block goes through. Of an unknown collection it is one that is unknown, so that the content is still
    /// checked.
    private mutating func elements(of collection: Expression, _ scope: Scope) -> [(key: Value, value: Value)] {
        let known = diagnostics.count
        let value = value(collection, scope)
        if value.isUnknown {
            if diagnostics.count > known { return [] }
            noteUnknown(at: collection.range)
            return [(.unknown, .unknown)]
        }
        if let elements = value.members { return elements }
        report(
            Diagnostic(
                id: "template/invalid-for-each", summary: "for_each must be a list, a set, a map or an object",
                subject: collection.range))
        return []
    }

    /// nil if they are wrong or unknown.
    private mutating func labels(_ expression: Expression?, _ scope: Scope) -> [ExpandedBlock.Label]? {
        guard let expression else { return [] }
        let known = diagnostics.count
        let value = value(expression, scope).optionValue
        if value.isUnknown {
            if diagnostics.count == known { noteUnknown(at: expression.range) }
            return nil
        }
        if case .list(let elements) = value {
            let texts = elements.compactMap(\.text)
            if texts.count == elements.count {
                return texts.map { ExpandedBlock.Label(text: $0, range: expression.range) }
            }
        }
        report(
            Diagnostic(
                id: "template/wrong-type", summary: "labels must be a list of text",
                detail: "Write labels = [\"TYPE\"].", subject: expression.range))
        return nil
    }

    // MARK: Options

    /// The options of a component: its attributes but for `meta`, its blocks, and those of `more`, which adds and cannot override.
    mutating func options(
        _ block: ExpandedBlock, without meta: Set<String> = [], adding more: ExpandedBlock? = nil,
        withoutInAddition: Set<String> = []
    ) -> OptionBody {
        var result = OptionBody(header: block.header)
        var first: [String: SourceRange] = [:]
        for (part, meta) in [(block, meta), (more, withoutInAddition)] {
            guard let part else { continue }
            for attribute in part.body.attributes where !meta.contains(attribute.name) {
                if let place = first[attribute.name] {
                    report(
                        Diagnostic(
                            id: "template/duplicate-argument",
                            summary: "\(attribute.name) is already set by the source",
                            detail: "A source block inside a build adds options and cannot override any.",
                            subject: attribute.nameRange, notes: [Diagnostic.Note("first set here", at: place)]))
                    continue
                }
                first[attribute.name] = attribute.nameRange
                result.options.append(option(attribute, part.scope))
            }
            let known = unknowns.count
            for inner in blocks(of: part.body, part.scope, iterators: part.iterators, where: { !meta.contains($0) }) {
                result.blocks.append(
                    OptionBody.Block(name: inner.type, header: inner.header, body: options(inner)))
            }
            result.unknownBlocks += unknowns.dropFirst(known)
        }
        return result
    }

    /// Only the attributes of these names.
    mutating func options(named names: Set<String>, of block: ExpandedBlock) -> [OptionBody.Option] {
        var found: [OptionBody.Option] = []
        for attribute in block.body.attributes where names.contains(attribute.name) {
            found.append(option(attribute, block.scope))
        }
        return found
    }

    private mutating func option(_ attribute: Attribute, _ scope: Scope) -> OptionBody.Option {
        OptionBody.Option(
            name: attribute.name, nameRange: attribute.nameRange,
            value: value(attribute.expression, scope).optionValue, valueRange: attribute.expression.range,
            elementRanges: attribute.expression.elementRanges)
    }
}

extension Block {
    /// Its type; of a dynamic block the type of the blocks it makes.
    fileprivate var madeType: String { type == "dynamic" ? labels.first?.text ?? type : type }
}

extension OptionValue {
    /// Text, also of numbers and bools.
    var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let flag): String(flag)
        default: nil
        }
    }
}

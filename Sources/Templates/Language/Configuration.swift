import ComponentModel
import Diagnostics
import HCL

/// The blocks of all files of a template, sorted by what they declare. Nothing is evaluated yet.
struct Configuration {
    struct Local {
        var name: String
        var nameRange: SourceRange
        var expression: Expression
        var isSensitive: Bool
    }

    struct DataSource {
        var type: String
        var name: String
        var block: Block
    }

    struct Source: Sendable {
        var type: String
        var name: String
        var block: Block

        var key: String { "\(type).\(name)" }
    }

    var packer: [Block] = []
    /// `variable` and `variables`.
    var variableBlocks: [Block] = []
    var locals: [String: Local] = [:]
    /// In order of appearance.
    var localNames: [String] = []
    var dataSources: [String: DataSource] = [:]
    /// `TYPE.NAME`, in order of appearance.
    var dataSourceKeys: [String] = []
    var sources: [String: Source] = [:]
    var builds: [Block] = []
    var diagnostics: [Diagnostic] = []
    /// Types of blocks some of which could not be read, so that what they declare is not known.
    private(set) var openTypes: Set<String> = []

    private static let blockTypes = [
        "packer", "variable", "variables", "locals", "local", "data", "source", "build", "hcp_packer_registry",
        "communicator",
    ]
    /// Where blocks belong that cannot be at the top of a template.
    private static let places = [
        "provisioner": "It belongs in a build block: build { … }.",
        "post-processor": "It belongs in a build block: build { … }.",
        "post-processors": "It belongs in a build block: build { … }.",
        "error-cleanup-provisioner": "It belongs in a build block: build { … }.",
        "required_plugins": "It belongs in the packer block: packer { … }.",
        "validation": "It belongs in a variable block.",
    ]
    private static let foreignTypes: Set<String> = [
        "resource", "output", "provider", "module", "terraform", "import", "moved", "check",
    ]

    init(_ bodies: [Body]) {
        for body in bodies {
            for attribute in body.attributes {
                let hint =
                    Self.blockTypes.contains(attribute.name)
                    ? "Write it as a block, without the equals sign: \(attribute.name) { … }."
                    : "Options belong in blocks such as source or build; values that are used often belong in locals { … }."
                diagnostics.append(
                    Diagnostic(
                        id: "template/unsupported-argument", summary: "“\(attribute.name)” is not expected here",
                        detail: hint, subject: attribute.nameRange))
            }
            for block in body.blocks { add(block) }
        }
    }

    private mutating func add(_ block: Block) {
        switch block.type {
        case "packer": if labels(block, []) { packer.append(block) }
        case "variable": if labels(block, ["name"]) { variableBlocks.append(block) }
        case "variables": if labels(block, []) { variableBlocks.append(block) }
        case "locals": if labels(block, []) { addLocals(block) }
        case "local": if labels(block, ["name"]) { addLocal(block) }
        case "data": if labels(block, ["type", "name"]) { addData(block) }
        case "source": if labels(block, ["type", "name"]) { addSource(block) }
        case "build": if labels(block, []) { builds.append(block) }
        case "hcp_packer_registry":
            if labels(block, []) { diagnostics.append(.registry(at: block.typeRange)) }
        case "communicator": _ = labels(block, ["type", "name"])
        default:
            let isForeign = Self.foreignTypes.contains(block.type)
            let meant = isForeign ? nil : suggestion(for: block.type, among: Self.blockTypes)
            if let meant { openTypes.insert(meant) }
            let hint = meant.map { "Did you mean \"\($0)\"?" } ?? Self.places[block.type]
            let known = Self.blockTypes.joined(separator: ", ")
            diagnostics.append(
                Diagnostic(
                    id: "template/unsupported-block", summary: "There is no block of type “\(block.type)”",
                    detail: hint ?? (isForeign ? "It belongs to Terraform. " : "")
                        + "At this level there can be: \(known).",
                    subject: block.typeRange))
        }
    }

    private mutating func labels(_ block: Block, _ names: [String]) -> Bool {
        if block.labels.count == names.count { return true }
        openTypes.insert(block.type)
        let form = ([block.type] + names.map { "\"\($0.uppercased())\"" }).joined(separator: " ")
        diagnostics.append(
            Diagnostic(
                id: "template/wrong-labels",
                summary: names.isEmpty
                    ? "A \(block.type) block takes no labels"
                    : "A \(block.type) block takes \(names.count) \(names.count == 1 ? "label" : "labels"), not \(block.labels.count)",
                detail: "Write \(form) { … }.", subject: block.headerRange))
        return false
    }

    private mutating func checkName(_ name: String, _ range: SourceRange, of what: String) {
        guard !isIdentifier(name) else { return }
        diagnostics.append(
            Diagnostic(
                id: "template/invalid-name", summary: "“\(name)” cannot be the name of a \(what)",
                detail: "A name has letters, digits, _ and -, and begins with a letter or _.\(name.nameHint)",
                subject: range))
    }

    private mutating func duplicate(_ what: String, at range: SourceRange, first: SourceRange) {
        diagnostics.append(
            Diagnostic(
                id: "template/duplicate", summary: "\(what) is declared twice", detail: "Remove or rename one of them.",
                subject: range, notes: [Diagnostic.Note("first declared here", at: first)]))
    }

    private mutating func declare(_ local: Local) {
        checkName(local.name, local.nameRange, of: "local")
        if let first = locals[local.name] {
            duplicate("local.\(local.name)", at: local.nameRange, first: first.nameRange)
            return
        }
        locals[local.name] = local
        localNames.append(local.name)
    }

    private mutating func addLocals(_ block: Block) {
        for attribute in block.body.attributes {
            declare(
                Local(
                    name: attribute.name, nameRange: attribute.nameRange, expression: attribute.expression,
                    isSensitive: false))
        }
        for inner in block.body.blocks {
            diagnostics.append(
                Diagnostic(
                    id: "template/unsupported-block", summary: "A locals block cannot contain blocks",
                    detail: "Write an object with an equals sign: \(inner.type) = { … }.", subject: inner.typeRange))
        }
    }

    private mutating func addLocal(_ block: Block) {
        var expression: Expression?
        var isSensitive = false
        for attribute in block.body.attributes {
            switch attribute.name {
            case "expression": expression = attribute.expression
            case "sensitive": isSensitive = flag(attribute)
            default: unsupported(attribute, in: "local", BlockSpec.local.names)
            }
        }
        for inner in block.body.blocks { unsupported(inner, in: "local", []) }
        guard let expression else {
            openTypes.insert("local")
            // The value under another name was complained about already.
            if block.body.attributes.contains(where: { $0.name != "sensitive" }) { return }
            diagnostics.append(
                Diagnostic(
                    id: "template/missing-option", summary: "A local block needs expression",
                    detail: "Write expression = … inside it.", subject: block.headerRange))
            return
        }
        declare(
            Local(
                name: block.labels[0].text, nameRange: block.labels[0].range, expression: expression,
                isSensitive: isSensitive))
    }

    private mutating func addData(_ block: Block) {
        let (type, name) = (block.labels[0].text, block.labels[1].text)
        checkName(name, block.labels[1].range, of: "data source")
        if let first = dataSources["\(type).\(name)"] {
            duplicate("data.\(type).\(name)", at: block.headerRange, first: first.block.headerRange)
            return
        }
        dataSources["\(type).\(name)"] = DataSource(type: type, name: name, block: block)
        dataSourceKeys.append("\(type).\(name)")
    }

    private mutating func addSource(_ block: Block) {
        let (type, name) = (block.labels[0].text, block.labels[1].text)
        checkName(name, block.labels[1].range, of: "source")
        if let first = sources["\(type).\(name)"] {
            openTypes.insert("source")
            duplicate("source.\(type).\(name)", at: block.headerRange, first: first.block.headerRange)
            return
        }
        sources["\(type).\(name)"] = Source(type: type, name: name, block: block)
    }

    /// A literal true or false.
    mutating func flag(_ attribute: Attribute) -> Bool {
        let result = Evaluation.evaluate(attribute.expression, Scope.literals)
        diagnostics += result.diagnostics
        switch result.value.optionValue {
        case .bool(let flag): return flag
        case .string("true"): return true
        case .string("false"), .null, .unknown: return false
        default:
            diagnostics.append(
                Diagnostic(
                    id: "template/wrong-type", summary: "\(attribute.name) must be true or false", detail: "",
                    subject: attribute.expression.range))
            return false
        }
    }

    mutating func unsupported(_ attribute: Attribute, in what: String, _ known: [String]) {
        diagnostics.append(.unsupported(attribute, in: what, known))
    }

    mutating func unsupported(_ block: Block, in what: String, _ known: [String]) {
        diagnostics.append(.unsupported(block, in: what, known))
    }
}

extension Diagnostic {
    static func registry(at range: SourceRange) -> Diagnostic {
        Diagnostic(
            id: "template/registry", severity: .warning, summary: "hcp_packer_registry has no effect",
            detail: "Ingot publishes nothing to a registry; the build is the same without it.", subject: range)
    }

    static func unsupported(_ attribute: Attribute, in what: String, _ known: [String]) -> Diagnostic {
        if known.contains(attribute.name) {
            return Diagnostic(
                id: "template/unsupported-argument", summary: "\(attribute.name) is a block",
                detail: "Write it without the equals sign: \(attribute.name) { … }.", subject: attribute.nameRange)
        }
        let hint = suggestion(for: attribute.name, among: known).map { "Did you mean \"\($0)\"?" }
        return Diagnostic(
            id: "template/unsupported-argument", summary: "A \(what) block has no option “\(attribute.name)”",
            detail: hint ?? (known.isEmpty ? "" : "It takes: " + known.joined(separator: ", ") + "."),
            subject: attribute.nameRange)
    }

    static func unsupported(_ block: Block, in what: String, _ known: [String]) -> Diagnostic {
        let hint = suggestion(for: block.type, among: known).map { "Did you mean \"\($0)\"?" }
        return Diagnostic(
            id: "template/unsupported-block", summary: "A \(what) block cannot contain a “\(block.type)” block",
            detail: hint ?? (known.isEmpty ? "" : "It can contain: " + known.joined(separator: ", ") + "."),
            subject: block.typeRange)
    }
}

extension String {
    /// A name that is nearly the same, where there is one.
    var nameHint: String {
        let name = String(map { isIdentifier("_\($0)") ? $0 : "_" })
        let whole = isIdentifier(name) ? name : "_" + name
        return isEmpty || count > 60 || whole.allSatisfy({ $0 == "_" }) ? "" : " Write \"\(whole)\"."
    }
}

/// Letters, digits, `_` and `-`, not beginning with a digit or `-`.
func isIdentifier(_ name: String) -> Bool {
    guard let first = name.first, first == "_" || first.isLetter else { return false }
    return name.allSatisfy { $0 == "_" || $0 == "-" || $0.isLetter || $0.isNumber }
}

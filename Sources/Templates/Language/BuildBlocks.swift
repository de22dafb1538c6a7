import ComponentModel
import Diagnostics
import HCL

/// One `build` block with its sources looked up.
struct BuildBlock: Sendable {
    var name: String
    var uses: [SourceUse]
    /// It names sources that do not exist or are not known, so `uses` is incomplete.
    var isOpen = false
}

/// What a build does with one of its sources.
struct BuildComponents: Sendable {
    var provisioners: [ExpandedBlock] = []
    var errorCleanup: ExpandedBlock?
    /// Chains; a `post-processor` directly in the build is a chain of one.
    var postProcessors: [[ExpandedBlock]] = []
}

/// A source as one build uses it.
struct SourceUse: Sendable {
    var source: Configuration.Source
    /// The build-level `name`, else the source's own.
    var useName: String
    /// The build-level source block, which adds options.
    var addition: ExpandedBlock?
    /// Where the build names the source.
    var range: SourceRange
    /// Dynamic blocks are expanded for each source by itself, since they may depend on it.
    var components = BuildComponents()

    var key: String { "\(source.type).\(useName)" }

    /// `source` in expressions.
    var value: Value { .object(["type": .string(source.type), "name": .string(useName)]) }
}

/// Reads `build` blocks: what they use and what they do, with dynamic blocks expanded.
struct BuildReader {
    private(set) var builds: [BuildBlock] = []
    var evaluator: BodyEvaluator
    private let sources: [String: Configuration.Source]
    private let openTypes: Set<String>
    private let scope: Scope

    private static let attributes = BlockSpec.build.names
    private static let blocks = [
        "source", "provisioner", "post-processor", "post-processors", "error-cleanup-provisioner",
        "hcp_packer_registry",
        "from", "dynamic",
    ]

    init(_ configuration: Configuration, _ scope: Scope, _ evaluator: BodyEvaluator) {
        self.evaluator = evaluator
        self.scope = scope
        sources = configuration.sources
        openTypes = configuration.openTypes
        for block in configuration.builds { read(block) }
    }

    private mutating func read(_ block: Block) {
        var build = BuildBlock(name: "", uses: [])
        // The list of sources is wrong or unknown: that it is empty would be a second error about the same mistake.
        var isOpen = false
        for attribute in block.body.attributes {
            switch attribute.name {
            case "name":
                let value = evaluator.value(attribute.expression, scope).optionValue
                if let name = value.text { build.name = name } else { expect("text", attribute, value) }
            case "description": _ = evaluator.value(attribute.expression, scope)
            case "sources":
                let uses = list(attribute)
                build.uses += uses ?? []
                isOpen = isOpen || uses == nil
            case "from": break
            default:
                evaluator.report(.unsupported(attribute, in: "build", Self.attributes))
                isOpen = isOpen || suggestion(for: attribute.name, among: Self.attributes) == "sources"
            }
        }
        for inner in evaluator.blocks(of: block.body, scope, where: { $0 == "source" }) {
            if labels(inner, "\"source.TYPE.NAME\""), let use = use(inner) {
                build.uses.append(use)
            } else {
                isOpen = true
            }
        }
        if build.uses.isEmpty {
            if !isOpen {
                evaluator.report(
                    Diagnostic(
                        id: "template/no-source", summary: "The build has no source",
                        detail: "Write sources = [\"source.\(sources.keys.sorted().first ?? "TYPE.NAME")\"] inside it.",
                        subject: block.headerRange))
            }
            _ = components(of: block, source: .unknownSource)
        }
        for index in build.uses.indices {
            build.uses[index].components = components(of: block, source: build.uses[index].value)
        }
        build.isOpen = isOpen || openTypes.contains("source")
        builds.append(build)
    }

    /// The provisioners and post-processors of a build, with dynamic blocks expanded for one source.
    mutating func components(of build: Block, source: Value) -> BuildComponents {
        var scope = scope
        scope.roots["source"] = source
        var components = BuildComponents()
        for inner in evaluator.blocks(of: build.body, scope, where: { $0 != "source" }) {
            read(inner, into: &components)
        }
        return components
    }

    private mutating func read(_ block: ExpandedBlock, into components: inout BuildComponents) {
        switch block.type {
        case "provisioner": if labels(block, "\"TYPE\"") { components.provisioners.append(block) }
        case "error-cleanup-provisioner":
            guard labels(block, "\"TYPE\"") else { return }
            if let first = components.errorCleanup {
                evaluator.report(
                    Diagnostic(
                        id: "template/duplicate", summary: "A build has at most one error-cleanup-provisioner",
                        detail: "Remove one of them.", subject: block.header,
                        notes: [Diagnostic.Note("first one here", at: first.header)]))
            } else {
                components.errorCleanup = block
            }
        case "post-processor": if labels(block, "\"TYPE\"") { components.postProcessors.append([block]) }
        case "post-processors":
            var chain: [ExpandedBlock] = []
            for inner in evaluator.blocks(of: block.body, block.scope, iterators: block.iterators) {
                if inner.type == "post-processor" {
                    if labels(inner, "\"TYPE\"") { chain.append(inner) }
                } else {
                    evaluator.report(
                        Diagnostic(
                            id: "template/unsupported-block",
                            summary: "A post-processors block cannot contain a “\(inner.type)” block",
                            detail: "It contains post-processor \"TYPE\" { … } blocks.", subject: inner.typeRange))
                }
            }
            for attribute in block.body.attributes {
                evaluator.report(.unsupported(attribute, in: "post-processors", []))
            }
            if !chain.isEmpty { components.postProcessors.append(chain) }
        case "hcp_packer_registry": evaluator.report(.registry(at: block.typeRange))
        case "from": break
        default:
            let hint = suggestion(for: block.type, among: Self.blocks).map { "Did you mean \"\($0)\"?" }
            evaluator.report(
                Diagnostic(
                    id: "template/unsupported-block", summary: "A build block cannot contain a “\(block.type)” block",
                    detail: hint ?? "It can contain: " + Self.blocks.joined(separator: ", ") + ".",
                    subject: block.typeRange))
        }
    }

    private mutating func expect(_ form: String, _ attribute: Attribute, _ value: OptionValue) {
        if value.isUnknown { return evaluator.noteUnknown(at: attribute.expression.range) }
        guard value != .null else { return }
        evaluator.report(
            Diagnostic(
                id: "template/wrong-type", summary: "\(attribute.name) must be \(form), not \(value.kind)",
                detail: form.hasPrefix("a list") ? "Put square brackets around it: [ … ]." : "",
                subject: attribute.expression.range))
    }

    private mutating func labels(_ block: ExpandedBlock, _ form: String) -> Bool {
        if block.labels.count == 1 { return true }
        evaluator.report(
            Diagnostic(
                id: "template/wrong-labels",
                summary: "A \(block.type) block takes one label, not \(block.labels.count)",
                detail: "Write \(block.type) \(form) { … }.", subject: block.header))
        return false
    }

    /// nil after an error, or if the list is not known.
    private mutating func list(_ attribute: Attribute) -> [SourceUse]? {
        let value = evaluator.value(attribute.expression, scope).optionValue
        if value.isUnknown {
            evaluator.noteUnknown(at: attribute.expression.range)
            return nil
        }
        if case .null = value { return [] }
        guard case .list(let values) = value else {
            expect("a list of sources, such as [\"source.qemu.NAME\"]", attribute, value)
            return nil
        }
        // Each element of a written list has its own place.
        let places = attribute.expression.elementRanges
        var uses: [SourceUse]? = []
        for (index, value) in values.enumerated() {
            let range = places.count == values.count ? places[index] : attribute.expression.range
            guard let text = value.text, let source = find(text, at: range) else {
                uses = nil
                continue
            }
            uses?.append(SourceUse(source: source, useName: source.name, range: range))
        }
        return uses
    }

    private mutating func use(_ block: ExpandedBlock) -> SourceUse? {
        guard let source = find(block.labels[0].text, at: block.labels[0].range) else { return nil }
        var useName = source.name
        if let attribute = block.body.attributes.first(where: { $0.name == "name" }) {
            // In a dynamic block the iterator may be used; Packer allows only literals otherwise.
            let value = evaluator.value(attribute.expression, block.scope).optionValue
            if let name = value.text { useName = name } else { expect("text", attribute, value) }
        }
        return SourceUse(source: source, useName: useName, addition: block, range: block.labels[0].range)
    }

    /// `TYPE.NAME`, with or without a word such as `source.` before it.
    private mutating func find(_ reference: String, at range: SourceRange) -> Configuration.Source? {
        let parts = reference.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3, !parts.contains("") else {
            let named = sources.keys.sorted().filter { $0.hasSuffix("." + reference) || $0.hasPrefix(reference + ".") }
            evaluator.report(
                Diagnostic(
                    id: "template/invalid-source", summary: "“\(reference)” is not a reference to a source",
                    detail: named.isEmpty ? "Write \"source.TYPE.NAME\"." : "Did you mean \"source.\(named[0])\"?",
                    subject: range))
            return nil
        }
        let key = parts.suffix(2).joined(separator: ".")
        if let source = sources[key] { return source }
        // `source.NAME`, or another word for the type.
        let named = sources.keys.sorted().filter { $0.hasSuffix("." + parts[parts.count - 1]) }
        if openTypes.contains("source") { return nil }
        let near = suggestion(for: key, among: sources.keys) ?? (named.count == 1 ? named[0] : nil)
        let type = near.flatMap { sources[$0]?.type } ?? ""
        let family = KnownComponents.sources
        let isMisspelt =
            family.builtIn[type] == nil && !family.known.contains(type) && family.builtIn[parts[parts.count - 2]] != nil
        let hint = near.map {
            isMisspelt
                ? "It is declared with the type “\(type)”, which is probably misspelt."
                : "Did you mean \"source.\($0)\"?"
        }
        let notes = near.flatMap { sources[$0] }.map {
            [Diagnostic.Note("this one is declared", at: $0.block.headerRange)]
        }
        evaluator.report(
            Diagnostic(
                id: "template/unknown-source", summary: "There is no source “\(key)”",
                detail: hint
                    ?? (sources.isEmpty
                        ? "The template declares no source."
                        : "Declared are: " + sources.keys.sorted().joined(separator: ", ") + "."),
                subject: range, notes: notes ?? []))
        return nil
    }
}

import Diagnostics
import HCL

/// Takes a JSON value apart into a template, and says what is wrong with its form.
struct LegacyTemplateReader {
    private(set) var template: LegacyTemplate
    private(set) var diagnostics: [Diagnostic] = []

    private static let keys = [
        "builders", "description", "error-cleanup-provisioner", "min_packer_version", "post-processors",
        "provisioners", "push", "sensitive-variables", "variables",
    ]
    /// The blocks of HCL in JSON, which Packer recognises by the file's name only.
    private static let blocks: Set<String> = ["build", "source", "locals", "packer", "variable", "data"]

    init(_ root: JSONNode) {
        template = LegacyTemplate(
            range: SourceRange(file: root.range.file, start: root.range.start, end: root.range.start + 1))
        guard let members = root.members else {
            report(
                "wrong-type", "A JSON template is an object, not \(root.kindName)", "Write { \"builders\": [ … ] }.",
                root.range)
            return
        }
        for member in members { read(member) }
    }

    private mutating func read(_ member: JSONNode.Member) {
        switch member.name.lowercased() {
        case "builders": template.builders = components(member, KnownComponents.sources)
        case "provisioners": template.provisioners = components(member, KnownComponents.provisioners)
        case "error-cleanup-provisioner":
            template.errorCleanup = component(member.value, KnownComponents.provisioners, of: member.name)
        case "post-processors": postProcessors(member)
        case "variables": variables(member)
        case "sensitive-variables":
            template.sensitive = list(member) ?? []
            for name in template.sensitive where name.text == nil { expect("names of variables", name, member.name) }
        case "min_packer_version":
            if member.value.text == nil { expect("text", member.value, member.name) }
            template.minimumVersion = member.value
        case "description": if member.value.text == nil { expect("text", member.value, member.name) }
        case "push": break
        case let name where name.hasPrefix("_"):
            if member.value.text == nil {
                report(
                    "comment", severity: .warning, "Packer takes only text for a comment",
                    "“\(member.name)” is ignored here; Packer refuses it.", member.value.range)
            }
        default: unknown(member)
        }
    }

    private mutating func unknown(_ member: JSONNode.Member) {
        if Self.blocks.contains(member.name) {
            report(
                "unknown-key", "“\(member.name)” belongs in an HCL template",
                "A template in the JSON form of HCL is a file whose name ends in .pkr.json.", member.nameRange)
            return
        }
        let hint = suggestion(for: member.name, among: Self.keys).map { "Did you mean \"\($0)\"?" }
        report(
            "unknown-key", "A template has no key “\(member.name)”",
            hint ?? "It can have: " + Self.keys.joined(separator: ", ") + ", and comments such as \"_comment\".",
            member.nameRange)
    }

    private mutating func variables(_ member: JSONNode.Member) {
        guard let members = member.value.members else {
            if member.value.kind != .null { expect("an object", member.value, member.name) }
            return
        }
        for variable in members {
            switch variable.value.kind {
            case .string, .null: break
            default:
                let text = JSONNode.goNumber(variable.value.writtenText ?? "…")
                report(
                    "wrong-type", "The variable “\(variable.name)” must be text, not \(variable.value.kindName)",
                    "Put double quotes around it: \"\(text)\". Null makes it required.", variable.value.range)
            }
            template.variables.append(
                LegacyTemplate.Variable(
                    name: variable.name, nameRange: variable.nameRange,
                    value: variable.value.kind == .null ? nil : variable.value))
        }
    }

    // MARK: Components

    private mutating func components(
        _ member: JSONNode.Member, _ family: KnownComponents.Family
    ) -> [LegacyTemplate.Component] {
        var found: [LegacyTemplate.Component] = []
        var first: [String: SourceRange] = [:]
        for node in list(member) ?? [] {
            guard let component = component(node, family, of: member.name) else { continue }
            if family.word == "source", let place = first[component.name] {
                report(
                    "duplicate", "Two builders are called “\(component.name)”",
                    "Give one of them another \"name\"; without one, its type is its name.", component.nameRange,
                    [Diagnostic.Note("first one here", at: place)])
            } else {
                first[component.name] = component.nameRange
            }
            found.append(component)
        }
        return found
    }

    private mutating func postProcessors(_ member: JSONNode.Member) {
        for node in list(member) ?? [] {
            guard let sequence = node.elements else {
                if let single = postProcessor(node, member.name) { template.postProcessors.append([single]) }
                continue
            }
            var chain: [LegacyTemplate.Component] = []
            for inner in sequence {
                if inner.elements != nil {
                    report(
                        "nested-sequence", "A sequence of post-processors cannot hold another",
                        "Write it beside the outer one.", inner.range)
                } else if let single = postProcessor(inner, member.name) {
                    chain.append(single)
                }
            }
            if !chain.isEmpty { template.postProcessors.append(chain) }
        }
    }

    private mutating func postProcessor(_ node: JSONNode, _ key: String) -> LegacyTemplate.Component? {
        guard let type = node.text else { return component(node, KnownComponents.postProcessors, of: key) }
        return LegacyTemplate.Component(
            family: KnownComponents.postProcessors, type: type, typeRange: node.range, name: type,
            nameRange: node.range, meta: [], overrides: [], options: [])
    }

    /// Keys that are not options of the component itself.
    private static func metaKeys(_ family: KnownComponents.Family) -> Set<String> {
        switch family.word {
        case "provisioner": ["only", "except", "override", "pause_before", "max_retries", "timeout"]
        case "post-processor": ["name", "only", "except", "keep_input_artifact"]
        default: ["name"]
        }
    }

    private mutating func component(
        _ node: JSONNode, _ family: KnownComponents.Family, of key: String
    ) -> LegacyTemplate.Component? {
        guard let members = node.members else {
            expect("objects", node, key)
            return nil
        }
        let meta = Self.metaKeys(family)
        var component = LegacyTemplate.Component(
            family: family, type: "", typeRange: node.range, name: "", nameRange: node.range, meta: [], overrides: [],
            options: [])
        var hasType = false
        for member in members {
            switch member.name.lowercased() {
            case "type":
                hasType = true
                if let type = member.value.text {
                    component.type = type
                    component.typeRange = member.value.range
                } else {
                    expect("text", member.value, member.name)
                }
            case "name" where meta.contains("name"):
                if let name = member.value.text {
                    component.name = name
                    component.nameRange = member.value.range
                } else {
                    expect("text", member.value, member.name)
                }
            case "override" where meta.contains("override"): component.overrides = overrides(member)
            case let name where meta.contains(name): component.meta.append(member)
            default: component.options.append(member)
            }
        }
        if !hasType || component.type.isEmpty, component.typeRange == node.range {
            if !hasType {
                report(
                    "missing-type", "A \(family.word == "source" ? "builder" : family.word) needs a type",
                    "Write \"type\": \"…\" in it, such as \"\(family.builtIn.keys.sorted().first ?? "")\".",
                    SourceRange(file: node.range.file, start: node.range.start, end: node.range.start + 1))
            }
            return nil
        }
        if component.name.isEmpty, family.word != "provisioner" {
            component.name = component.type
            component.nameRange = component.typeRange
        }
        return component
    }

    private mutating func overrides(_ member: JSONNode.Member) -> [LegacyTemplate.Override] {
        guard let builders = member.value.members else {
            expect("an object of objects, { BUILDER: { OPTION: VALUE } }", member.value, member.name)
            return []
        }
        return builders.compactMap { builder in
            guard let options = builder.value.members else {
                expect("an object of objects, { BUILDER: { OPTION: VALUE } }", builder.value, member.name)
                return nil
            }
            return LegacyTemplate.Override(builder: builder.name, builderRange: builder.nameRange, options: options)
        }
    }

    // MARK: Complaining

    private mutating func list(_ member: JSONNode.Member) -> [JSONNode]? {
        if member.value.kind == .null { return [] }
        if let elements = member.value.elements { return elements }
        expect("a list", member.value, member.name)
        return nil
    }

    private mutating func expect(_ form: String, _ node: JSONNode, _ name: String) {
        let detail = form == "a list" ? "Put square brackets around it: [ … ]." : ""
        report("wrong-type", "“\(name)” must be \(form), not \(node.kindName)", detail, node.range)
    }

    private mutating func report(
        _ id: String, severity: Diagnostic.Severity = .error, _ summary: String, _ detail: String,
        _ range: SourceRange, _ notes: [Diagnostic.Note] = []
    ) {
        diagnostics.append(
            Diagnostic(
                id: "template/" + id, severity: severity, summary: summary, detail: detail, subject: range,
                notes: notes))
    }
}

extension JSONNode {
    /// Of a number or a bool.
    fileprivate var writtenText: String? {
        switch kind {
        case .number(let digits): digits
        case .bool(let flag): String(flag)
        default: nil
        }
    }
}

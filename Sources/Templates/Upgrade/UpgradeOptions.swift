import ComponentModel
import Diagnostics
import HCL

/// The options of one component as HCL: values in the types that HCL wants, where the types are known.
struct UpgradeOptions {
    private let place: EngineCalls.Place
    private let variables: UpgradeVariables
    private var leftovers: [String] = []

    /// `place` is `.run` for provisioners and post-processors; what is rendered late is found in the tables.
    init(_ place: EngineCalls.Place, _ variables: UpgradeVariables) {
        self.place = place
        self.variables = variables
    }

    /// Objects that are blocks in HCL, of components that have no table.
    private static let blocks: Set<String> = [
        "assume_role", "efi_config", "metadata_options", "plan_info", "rng0", "security_group_filter",
        "shared_image_gallery", "shared_image_gallery_destination", "source_ami_filter", "subnet_filter", "tpm_config",
        "vault_aws_engine", "vga", "vpc_filter",
    ]

    /// One attribute or block a line, each with the comments that belong to it. Without a table, `specs` is nil.
    mutating func lines(_ members: [JSONNode.Member], _ specs: [Option]?) -> String {
        var text = ""
        for member in members where !member.name.hasPrefix("_") && !member.name.hasPrefix("packer_") {
            let spec = specs?.first { $0.name == member.name || $0.name == member.name.lowercased() }
            let name = spec?.name ?? member.name
            guard isIdentifier(name) else {
                text += "# HCL has no option of the name \(singleLine(name))\n"
                continue
            }
            if let objects = blocks(member, spec) {
                for object in objects {
                    var inner: [Option]?
                    if case .block(let specs)? = spec?.kind { inner = specs }
                    text += "\(name) {\n\(lines(object, inner))}\n"
                }
                continue
            }
            if spec != nil, member.value.kind == .null { continue }
            leftovers = []
            let value = expression(member.value, spec?.kind, isLate: spec?.isLate ?? false)
            text += leftoverComment(leftovers) + "\(name) = \(value)\n"
        }
        return text
    }

    /// An object of attributes, as an option of the component would be written.
    mutating func object(_ members: [JSONNode.Member], _ specs: [Option]?) -> String {
        "{\n\(lines(members, specs))}"
    }

    private func blocks(_ member: JSONNode.Member, _ spec: Option?) -> [[JSONNode.Member]]? {
        if let spec {
            guard case .block = spec.kind else { return nil }
        } else if let members = member.value.members {
            return Self.blocks.contains(member.name) ? [members] : nil
        }
        if let members = member.value.members { return [members] }
        guard let elements = member.value.elements, !elements.isEmpty else { return nil }
        let objects = elements.compactMap(\.members)
        return objects.count == elements.count ? objects : nil
    }

    // MARK: Values

    mutating func expression(_ node: JSONNode, _ kind: Option.Kind?, isLate: Bool = false) -> String {
        if let kind, !OptionValue(node).holdsTemplate {
            // What cannot be converted is written as it is; loading says what is wrong with it.
            return literal((try? WeakConversion.convert(OptionValue(node), to: kind)) ?? OptionValue(node))
        }
        switch node.kind {
        case .string(let text): return expression(text, kind, isLate: isLate)
        case .array(let elements):
            var inner: Option.Kind?
            switch kind {
            case .list?: inner = .text
            case .ints?: inner = .int
            case .rows?: inner = .list
            case .map?: return expression(merged(elements), kind, isLate: isLate)
            default: break
            }
            return list(elements.map { expression($0, inner, isLate: isLate) })
        case .object(let members):
            var inner: Option.Kind?
            if case .map? = kind { inner = .text }
            return map(members.map { ($0.name, expression($0.value, inner, isLate: isLate)) })
        default: return literal(OptionValue(node))
        }
    }

    /// A text that holds a template, or whose option has no known type.
    private mutating func expression(_ text: String, _ kind: Option.Kind?, isLate: Bool) -> String {
        switch kind {
        case .rows? where isLate, .list? where isLate:
            // It is cut at its commas before it is rendered.
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            let inner: Option.Kind = if case .rows? = kind { .list } else { .text }
            return list(parts.map { expression(String($0), inner, isLate: true) })
        default: break
        }
        var calls = EngineCalls(place == .run && isLate ? .lateRun : place, variables)
        let converted = calls.convert(text)
        leftovers += calls.leftovers
        let value = converted.hcl
        guard let reference = converted.expression, let constant = variables.constant(reference) else {
            if case .list? = kind { return "split(\",\", \(value))" }
            return value
        }
        // Texts that only the conversions of JSON templates take.
        switch kind {
        case .list?:
            return constant.isEmpty ? "\(value) == \"\" ? [] : split(\",\", \(value))" : "split(\",\", \(value))"
        case .bool? where !["true", "false", "1", "0"].contains(constant):
            return "contains([\"1\", \"t\", \"T\", \"TRUE\", \"true\", \"True\"], \(value))"
        case .int? where constant.isEmpty: return "\(value) == \"\" ? \"0\" : \(value)"
        default: return value
        }
    }

    private func merged(_ maps: [JSONNode]) -> JSONNode {
        var members: [JSONNode.Member] = []
        for member in maps.flatMap({ $0.members ?? [] }) { members[member.name] = member.value }
        return maps.first.map { $0.with(.object(members)) }
            ?? JSONNode(kind: .object([]), range: SourceRange(file: "", start: 0, end: 0))
    }

    private func literal(_ value: OptionValue) -> String {
        switch value {
        case .null, .unknown: "null"
        case .string(let text): HCLText.quoted(text)
        case .number(let digits): digits
        case .bool(let flag): String(flag)
        case .list(let values): list(values.map(literal))
        case .map(let entries): map(entries.map { ($0.key, literal($0.value)) })
        }
    }

    private func list(_ elements: [String]) -> String {
        let line = "[" + elements.joined(separator: ", ") + "]"
        if line.count <= 90, !line.contains("\n") { return line }
        return "[\n" + elements.joined(separator: ",\n") + ",\n]"
    }

    private func map(_ entries: [(key: String, value: String)]) -> String {
        if entries.isEmpty { return "{}" }
        return "{\n" + entries.map { "\(HCLText.key($0.key)) = \($0.value)\n" }.joined() + "}"
    }
}

extension OptionValue {
    fileprivate var holdsTemplate: Bool {
        switch self {
        case .string(let text): text.contains("{{")
        case .list(let values): values.contains(where: \.holdsTemplate)
        case .map(let entries): entries.contains { $0.value.holdsTemplate }
        default: false
        }
    }
}

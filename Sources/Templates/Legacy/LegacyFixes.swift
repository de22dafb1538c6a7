import ComponentModel
import Diagnostics
import GoTemplates

/// Options of older Packer versions, read as `packer fix` rewrites them, each with a warning.
///
/// What Packer still takes under its old name is left to the option tables, and what belongs to builders of other
/// platforms is left out.
enum LegacyFixes {
    /// Old and new names, by component type; "" for every source.
    private static let renames: [(family: String, type: String, old: String, new: String)] = [
        ("source", "", "ssh_key_path", "ssh_private_key_file"),
        ("source", "", "ssh_disable_agent", "ssh_disable_agent_forwarding"),
        ("source", "qemu", "ssh_skip_nat_mapping", "skip_nat_mapping"),
        ("provisioner", "ansible-local", "galaxycommand", "galaxy_command"),
        ("post-processor", "manifest", "filename", "output"),
        ("post-processor", "docker-tag", "tag", "tags"),
    ]

    /// The options after all fixes that apply, and what to say about them.
    static func apply(
        to options: inout [OptionBody.Option], of component: LegacyTemplate.Component
    ) -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for rename in renames where rename.family == component.family.word {
            guard rename.type.isEmpty || rename.type == component.type,
                let index = options.firstIndex(where: { $0.name == rename.old })
            else { continue }
            let old = options[index]
            if options.contains(where: { $0.name == rename.new }) {
                options.remove(at: index)
                diagnostics.append(
                    note(
                        "\(rename.old) is the old name of \(rename.new), which is set too and counts", "Remove it.", old
                    ))
            } else {
                options[index].name = rename.new
                diagnostics.append(
                    note("\(rename.old) is the old name of \(rename.new)", "Write \(rename.new) instead.", old))
            }
        }
        if component.family.word == "source" { joinChecksum(&options, &diagnostics) }
        return diagnostics
    }

    /// `{{.CreateTime}}` was what is now `{{timestamp}}`.
    static func withoutCreateTime(
        _ text: String, _ references: GoTemplateReferences, at range: SourceRange, _ diagnostics: inout [Diagnostic]
    ) -> String {
        guard references.fields.contains("CreateTime") else { return text }
        diagnostics.append(
            Diagnostic(
                id: "template/fixed-option", severity: .warning,
                summary: "{{.CreateTime}} is the old name of {{timestamp}}", detail: "Write {{timestamp}} instead.",
                subject: range))
        return text.replacing(".CreateTime", with: "timestamp")
    }

    /// `iso_md5`, `iso_checksum_type` and `iso_checksum_url` become part of `iso_checksum`.
    private static func joinChecksum(_ options: inout [OptionBody.Option], _ diagnostics: inout [Diagnostic]) {
        let names: Set = ["iso_md5", "iso_checksum_type", "iso_checksum_url"]
        let old = options.filter { names.contains($0.name) }
        guard let first = old.first else { return }
        let current = options.first { $0.name == "iso_checksum" }
        func option(_ name: String) -> OptionBody.Option? { old.first { $0.name == name } }
        func text(_ name: String) -> String { option(name)?.value.text ?? "" }
        var joined = current ?? option("iso_md5") ?? option("iso_checksum_url") ?? first
        joined.name = "iso_checksum"
        if (old + [joined]).contains(where: \.value.isUnknown) {
            joined.value = .unknown
        } else {
            let text = joinedChecksum(
                type: text("iso_checksum_type"), checksum: current?.value.text ?? "", md5: text("iso_md5"),
                url: text("iso_checksum_url"))
            joined.value = text.map { .string($0) } ?? .null
        }
        options.removeAll { names.contains($0.name) || $0.name == "iso_checksum" }
        options.append(joined)
        for option in old {
            let advice = joined.value.text.map { "It is read as iso_checksum = \"\($0)\"; write that instead." }
            diagnostics.append(note("\(option.name) is now part of iso_checksum", advice ?? "", option))
        }
    }

    /// `iso_checksum` in today's form; nil if there is nothing to make it of. A file of checksums beats a checksum, as in
    /// `packer fix`; what has its type in front already is left alone.
    static func joinedChecksum(type: String, checksum: String, md5: String, url: String) -> String? {
        if type.lowercased() == "none" { return "none" }
        if !url.isEmpty { return url.hasPrefix("file:") ? url : "file:" + url }
        if !md5.isEmpty { return "md5:" + md5 }
        if checksum.isEmpty { return nil }
        return checksum == "none" || checksum.contains(":") || type.isEmpty ? checksum : "\(type):\(checksum)"
    }

    private static func note(_ summary: String, _ detail: String, _ option: OptionBody.Option) -> Diagnostic {
        Diagnostic(
            id: "template/fixed-option", severity: .warning, summary: summary, detail: detail,
            subject: option.nameRange)
    }
}

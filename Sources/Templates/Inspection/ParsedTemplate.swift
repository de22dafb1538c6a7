package import Diagnostics
import HCL

/// What a command prints about a template, with all there is to say about the template.
package struct TemplateReport: Sendable {
    /// Whole lines; empty if there is an error.
    package var text: String
    package var diagnostics: [Diagnostic]
    /// The files that diagnostics point into.
    package var files: [SourceFile]
    /// The text of a JSON template's report with what programs want to know of it between the lines, as Packer's
    /// `-machine-readable` has it; empty if there is an error.
    package var records: [Record] = []

    /// A line of the report, for people or for `-machine-readable`.
    package enum Record: Sendable {
        /// Whole lines, the last without its line break.
        case say(String)
        case fact(type: String, data: [String])
    }
}

/// A template's files taken apart; nothing is evaluated yet.
struct ParsedTemplate {
    enum Form {
        case hcl(Configuration, TemplateFiles)
        /// With the JSON itself, and the folder that the template is in.
        case legacy(LegacyTemplate, JSONNode, root: String)
        /// Broken; the diagnostics say how.
        case broken
    }

    private(set) var form = Form.broken
    private(set) var files: [SourceFile]
    private(set) var diagnostics: [Diagnostic]
    /// As far as they are in the template itself.
    private(set) var secrets = SecretCollection()

    init(_ options: LoadOptions) {
        let found = TemplateFiles(options)
        files = found.files + (found.legacy.map { [$0] } ?? [])
        diagnostics = found.diagnostics
        if let file = found.legacy {
            let parsed = readJSON(file, refusesDuplicates: true)
            diagnostics += parsed.diagnostics
            guard let root = parsed.value else {
                secrets.hide(BrokenFile(file).sensitiveMembers)
                return
            }
            let reader = LegacyTemplateReader(root)
            diagnostics += reader.diagnostics
            secrets.hide(reader.template.sensitiveRanges)
            // The variables may be under a misspelt name.
            if reader.diagnostics.hasErrors { secrets.hide(BrokenFile(file).sensitiveMembers) }
            form = .legacy(reader.template, root, root: found.root)
            return
        }
        let bodies = found.files.map { file in
            let isJSON = file.name.hasSuffix(".json")
            let parsed = isJSON ? parseJSON(file, schema: .template) : HCL.parse(file)
            diagnostics += parsed.diagnostics
            return parsed.value
        }
        secrets.hideDeclarations(bodies, in: files, diagnostics)
        guard !diagnostics.hasErrors else { return }
        let configuration = Configuration(bodies)
        diagnostics += configuration.diagnostics
        form = .hcl(configuration, found)
    }

    /// The report, without secrets in the words of its diagnostics, and without text if something is wrong.
    func report(
        _ text: String, adding others: [Diagnostic] = [], files more: [SourceFile] = [],
        secrets: SecretCollection = SecretCollection()
    ) -> TemplateReport {
        let files = files + more
        var secrets = secrets
        secrets.formUnion(self.secrets)
        let all = secrets.redacted(diagnostics + others, files: files).bounded()
        return TemplateReport(text: all.hasErrors ? "" : text, diagnostics: all, files: secrets.masked(files))
    }
}

extension SecretCollection {
    /// The text with `<sensitive>` for every secret in it.
    func redacted(_ text: String) -> String {
        ordered.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "<sensitive>") : $0 }
    }
}

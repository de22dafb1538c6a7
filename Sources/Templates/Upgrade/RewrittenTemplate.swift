package import Diagnostics
import HCL

/// A legacy JSON template in another form.
package struct RewrittenTemplate: Sendable {
    /// nil if the template could not be read; the diagnostics say why.
    package var text: String?
    package var diagnostics: [Diagnostic]
    /// What the diagnostics point into.
    package var files: [SourceFile]
}

/// The template with options of older Packer versions under their names of today: `fix`.
///
/// `isValidated`: the form of the result is checked, and what is wrong with it is reported; there is a result all the
/// same.
package func fixTemplate(_ options: LoadOptions, isValidated: Bool) -> RewrittenTemplate {
    var rewriting = Rewriting(options)
    guard let root = rewriting.root(allowsDuplicates: true) else { return rewriting.result(nil) }
    let fixed = TemplateFixes.apply(to: root)
    if isValidated { rewriting.diagnostics += LegacyTemplateReader(fixed).diagnostics }
    return rewriting.result(fixed.sortedText + "\n\n")
}

/// The template in HCL: `hcl2_upgrade`. `hasAnnotations`: comments explain the blocks.
package func upgradeTemplate(_ options: LoadOptions, hasAnnotations: Bool) -> RewrittenTemplate {
    var rewriting = Rewriting(options)
    guard let root = rewriting.root() else { return rewriting.result(nil) }
    let reader = LegacyTemplateReader(TemplateFixes.apply(to: root))
    rewriting.diagnostics += reader.diagnostics
    guard !rewriting.diagnostics.hasErrors else { return rewriting.result(nil) }
    var upgrade = TemplateUpgrade(reader.template, root, options, hasAnnotations: hasAnnotations)
    return rewriting.result(upgrade.text())
}

/// Reads the JSON file that is to be rewritten.
private struct Rewriting {
    let options: LoadOptions
    var diagnostics: [Diagnostic] = []
    var files: [SourceFile] = []

    init(_ options: LoadOptions) { self.options = options }

    /// `allowsDuplicates`: of names that are written twice in an object the last one counts, with a warning.
    mutating func root(allowsDuplicates: Bool = false) -> JSONNode? {
        if options.path.hasSuffix(".hcl") || options.path.hasSuffix(".pkr.json") {
            diagnostics.append(
                Diagnostic(
                    id: "template/wrong-extension", summary: "“\(options.path)” is an HCL template already",
                    detail: "Only JSON templates of the older kind are rewritten."))
            return nil
        }
        let found = TemplateFiles(options)
        diagnostics = found.diagnostics
        guard let file = found.legacy else {
            if !diagnostics.hasErrors {
                diagnostics.append(
                    Diagnostic(
                        id: "template/wrong-extension", summary: "“\(options.path)” is not a JSON template",
                        detail: "Name the file to be rewritten, such as template.json."))
            }
            return nil
        }
        files = [file]
        let parsed = readJSON(file, refusesDuplicates: true)
        diagnostics += parsed.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            if allowsDuplicates, diagnostic.id == "hcl/duplicate" { diagnostic.severity = .warning }
            return diagnostic
        }
        return diagnostics.hasErrors ? nil : parsed.value?.withoutDuplicates
    }

    func result(_ text: String?) -> RewrittenTemplate {
        RewrittenTemplate(text: text, diagnostics: diagnostics, files: files)
    }
}

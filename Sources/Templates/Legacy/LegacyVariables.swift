import Diagnostics
import GoTemplates
import HCL

/// The user variables of a JSON template: their sources by precedence, rendered until none asks for another.
struct LegacyVariables: Sendable {
    private(set) var values: [String: String] = [:]
    /// Variables that have no value because of an error that was reported.
    private(set) var undecided: Set<String> = []
    private(set) var diagnostics: [Diagnostic] = []
    /// Variable files and command-line values that diagnostics point into.
    private(set) var files: [SourceFile] = []
    private(set) var secrets = SecretCollection()

    /// Where a value comes from; `node` is nil for the command line.
    private struct Source {
        var text: String
        var node: JSONNode?
        var range: SourceRange?
    }

    /// How often a value whose insertions hold templates again is rendered, as often as in Packer.
    private static let maximumRounds = 100
    /// Of all values together, in bytes: they can double along a chain.
    private static let maximumSize = 64 << 20
    private var size = 0

    init(_ template: LegacyTemplate, _ options: LoadOptions, directory: String) {
        var sources: [String: Source] = [:]
        let sensitive = Set(template.sensitive.compactMap(\.text))
        for variable in template.variables {
            guard let node = variable.value else { continue }
            guard let text = node.text else {
                undecided.insert(variable.name)
                continue
            }
            sources[variable.name] = Source(text: text, node: node, range: node.range)
        }
        let declared = Set(template.variables.map(\.name))
        for path in options.variableFiles { readFile(path, options, declared, sensitive, &sources) }
        for (name, value) in options.variables {
            let file = SourceFile(name: "-var \(name)", text: value)
            let range = SourceRange(file: file.name, start: 0, end: value.utf8.count)
            if !sensitive.contains(name) { files.append(file) }
            if !declared.contains(name), options.warnsOnUndeclared {
                let hint = suggestion(for: name, among: declared).map { "Did you mean -var '\($0)=…'? " } ?? ""
                report(
                    "undefined-variable", severity: .warning,
                    "-var sets “\(name)”, which the template does not declare",
                    hint + "Declare it under \"variables\", or remove the option.", nil)
            }
            sources[name] = Source(text: value, range: sensitive.contains(name) ? nil : range)
            undecided.remove(name)
        }
        let lacksValues = diagnostics.hasErrors
        for variable in template.variables where variable.value == nil && sources[variable.name] == nil {
            undecided.insert(variable.name)
            // A file that was not read to its end may have given it.
            if lacksValues { continue }
            report(
                "unset-variable", "The variable “\(variable.name)” has no value",
                "Its default is null, so it is required. Pass -var '\(variable.name)=…' or -var-file.",
                variable.nameRange)
        }
        let services = options.secretStores.map { RecordingSecretStores($0) }
        // Registered before anything is rendered: the messages may quote them.
        secrets.hide(template.sensitiveRanges)
        for name in sensitive { if let source = sources[name] { secrets.insert(source.text) } }
        resolve(
            sources,
            TemplateContext(
                templateDirectory: directory, workingDirectory: options.workingDirectory,
                startTime: options.startTime, environment: options.environment,
                secretStores: services), services)
        for node in template.sensitive { protect(node) }
    }

    private mutating func protect(_ node: JSONNode) {
        guard let name = node.text, !undecided.contains(name) else { return }
        if let value = values[name] { return secrets.insert(value) }
        let hint = suggestion(for: name, among: values.keys).map { "Did you mean \"\($0)\"?" }
        report(
            "undefined-variable", severity: .warning, "There is no variable “\(name)” to protect", hint ?? "",
            node.range)
    }

    // MARK: Variable files

    private mutating func readFile(
        _ path: String, _ options: LoadOptions, _ declared: Set<String>, _ sensitive: Set<String>,
        _ sources: inout [String: Source]
    ) {
        let file: SourceFile
        switch options.source(path) {
        case .success(let source): file = source
        case .failure(let error):
            diagnostics += error.diagnostics
            return
        }
        files.append(file)
        let parsed = readJSON(file, refusesDuplicates: true)
        if path.hasSuffix(".hcl"), parsed.diagnostics.hasErrors {
            report(
                "variable-file", "“\(path)” is a variable file for HCL templates",
                "A JSON template takes its variables from JSON files: { \"NAME\": \"VALUE\", … }.", nil)
            return
        }
        diagnostics += parsed.diagnostics.map { diagnostic in
            // Here Packer lets the last one win.
            var diagnostic = diagnostic
            if diagnostic.id == "hcl/duplicate" { diagnostic.severity = .warning }
            return diagnostic
        }
        // A name that is not declared may be a secret's, misspelt.
        func isShown(_ name: String) -> Bool {
            sensitive.isEmpty || declared.contains(name) && !sensitive.contains(name)
        }
        if parsed.diagnostics.hasErrors || parsed.value?.members == nil, !sensitive.isEmpty {
            secrets.hide(BrokenFile(file).values(visible: isShown, secrets: sensitive))
        }
        guard let root = parsed.value else { return }
        guard let members = root.members else {
            report("variable-file", "A variable file is one object", "Write { \"NAME\": \"VALUE\", … }.", root.range)
            return
        }
        for member in members {
            if !declared.contains(member.name), options.warnsOnUndeclared {
                let hint = suggestion(for: member.name, among: declared).map { "Did you mean \"\($0)\"? " } ?? ""
                report(
                    "undefined-variable", severity: .warning,
                    "“\(member.name)” is set here, but the template does not declare it",
                    hint + "Declare it under \"variables\", or remove the line.", member.nameRange)
            }
            if !isShown(member.name) { secrets.hide(member.value.range) }
            undecided.remove(member.name)
            switch member.value.kind {
            case .string(let text):
                sources[member.name] = Source(text: text, node: member.value, range: member.value.range)
            case .null: sources[member.name] = Source(text: "", node: member.value, range: member.value.range)
            default:
                sources[member.name] = nil
                undecided.insert(member.name)
                report(
                    "wrong-type", "The value of “\(member.name)” must be text, not \(member.value.kindName)",
                    "Put double quotes around it: values in a variable file of a JSON template are text.",
                    member.value.range)
            }
        }
    }

    // MARK: Rendering

    /// A value that is not rendered to its end yet, and the variables that it asks for.
    private struct Open {
        var source: Source
        var users: [(name: String, offset: Int)]
        /// Which of them comes next.
        var next = 0
        var round = 1
    }

    private mutating func resolve(
        _ sources: [String: Source], _ context: TemplateContext, _ services: RecordingSecretStores?
    ) {
        var open: [String: Open] = [:]
        for name in sources.keys.sorted() {
            guard let source = sources[name], let users = users(of: name, source) else { continue }
            open[name] = Open(source: source, users: users)
        }
        var context = context
        for name in open.keys.sorted() { resolve(name, &open, &context, services) }
        values = context.user
    }

    /// Depth first, without recursion: a chain of variables may be long.
    private mutating func resolve(
        _ name: String, _ open: inout [String: Open], _ context: inout TemplateContext,
        _ services: RecordingSecretStores?
    ) {
        var path = [name]
        var onPath: Set<String> = [name]
        while let name = path.last {
            if var current = open[name] {
                if current.next < current.users.count {
                    let need = current.users[current.next].name
                    current.next += 1
                    open[name] = current
                    if onPath.contains(need) {
                        reportCycle(path, closing: need, open)
                    } else if open[need] != nil {
                        path.append(need)
                        onPath.insert(need)
                    }
                    continue
                }
                if current.users.contains(where: { undecided.contains($0.name) }) {
                    undecided.insert(name)
                    open[name] = nil
                } else {
                    let asked = services?.count ?? 0
                    open[name] = rendered(name, current, &context)
                    if let services, services.count > asked {
                        secrets.formUnion(services.secrets)
                        // What is made of a secret is as secret, unless the secret can be found in it.
                        if let value = context.user[name], secrets.redacted(value) == value { secrets.insert(value) }
                    }
                    // Inserted values may hold templates themselves.
                    if open[name] != nil { continue }
                }
            }
            path.removeLast()
            onPath.remove(name)
        }
    }

    /// What the text asks for; nil after an error.
    private mutating func users(of name: String, _ source: Source) -> [(name: String, offset: Int)]? {
        do {
            return try GoTemplateReferences(MaskedTemplate(source.text).text).users
        } catch {
            fail(name, source, error)
            return nil
        }
    }

    /// Adds the value to those that `user` gives; what is left to do if it holds a template again.
    private mutating func rendered(_ name: String, _ current: Open, _ context: inout TemplateContext) -> Open? {
        let source = current.source
        if let missing = current.users.first(where: { context.user[$0.name] == nil }) {
            let hint = suggestion(for: missing.name, among: context.user.keys).map { "Did you mean \"\($0)\"?" }
            report(
                "undefined-variable", "“\(name)” is made of the variable “\(missing.name)”, which does not exist",
                hint ?? "Declare it under \"variables\", or pass it by -var.",
                source.node?.range(ofOffset: missing.offset) ?? source.range)
            undecided.insert(name)
            return nil
        }
        do throws(GoTemplateError) {
            let masked = MaskedTemplate(source.text)
            let text = masked.restored(try renderTemplateOnce(masked.text, data: [:], context: context))
            if !current.users.isEmpty, text != source.text, text.contains("{{") {
                guard current.round < Self.maximumRounds else {
                    throw GoTemplateError("it inserts templates that insert templates, more than a hundred times")
                }
                let next = Source(text: text, node: nil, range: source.range)
                return users(of: name, next).map { Open(source: next, users: $0, round: current.round + 1) }
            }
            size += text.utf8.count
            guard size <= Self.maximumSize else {
                throw GoTemplateError("the variables' values are more than 64 MiB together")
            }
            context.user[name] = text
        } catch {
            fail(name, source, error)
        }
        return nil
    }

    private mutating func fail(_ name: String, _ source: Source, _ error: GoTemplateError) {
        undecided.insert(name)
        report(
            "template-syntax", "The value of “\(name)” cannot be rendered", error.message.endingInStop,
            source.node?.range(ofOffset: error.offset) ?? source.range)
    }

    /// Every variable of a circle is reported once.
    private mutating func reportCycle(_ path: [String], closing name: String, _ open: [String: Open]) {
        guard !undecided.contains(name), let first = path.firstIndex(of: name), let source = open[name]?.source
        else { return }
        let members = path[first...]
        report(
            "cycle", "Variables need each other in a circle",
            (members + [name]).map { "“\($0)”" }.joined(separator: " → "), source.range,
            members.dropFirst().compactMap { member in
                open[member]?.source.range.map { Diagnostic.Note("“\(member)” is made of another here", at: $0) }
            })
        undecided.formUnion(members)
    }

    private mutating func report(
        _ id: String, severity: Diagnostic.Severity = .error, _ summary: String, _ detail: String,
        _ range: SourceRange?, _ notes: [Diagnostic.Note] = []
    ) {
        diagnostics.append(
            Diagnostic(
                id: "template/" + id, severity: severity, summary: summary, detail: detail, subject: range,
                notes: notes))
    }
}

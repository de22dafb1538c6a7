import Diagnostics

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

    /// More rounds than Packer makes are not needed: each resolves at least one link of every chain.
    private static let maximumRounds = 100

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
        for path in options.variableFiles { readFile(path, options, declared, &sources) }
        for (name, value) in options.variables {
            let file = SourceFile(name: "-var \(name)", text: value)
            let range = SourceRange(file: file.name, start: 0, end: value.utf8.count)
            if !sensitive.contains(name) { files.append(file) }
            sources[name] = Source(text: value, range: sensitive.contains(name) ? nil : range)
            undecided.remove(name)
        }
        for variable in template.variables where variable.value == nil && sources[variable.name] == nil {
            undecided.insert(variable.name)
            report(
                "unset-variable", "The variable “\(variable.name)” has no value",
                "Its default is null, so it is required. Pass -var '\(variable.name)=…' or -var-file.",
                variable.nameRange)
        }
        // Registered before anything is rendered: the messages may quote them.
        for name in sensitive { if let source = sources[name] { secrets.insert(source.text) } }
        resolve(
            sources,
            TemplateContext(
                templateDirectory: directory, workingDirectory: options.workingDirectory,
                startTime: options.startTime, environment: options.environment))
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
        _ path: String, _ options: LoadOptions, _ declared: Set<String>, _ sources: inout [String: Source]
    ) {
        let file: SourceFile
        switch options.source(path) {
        case .success(let source): file = source
        case .failure(let error):
            diagnostics += error.diagnostics
            return
        }
        files.append(file)
        let parsed = JSONParser.parse(file)
        if path.hasSuffix(".hcl"), parsed.diagnostics.hasErrors {
            report(
                "variable-file", "“\(path)” is a variable file for HCL templates",
                "A JSON template takes its variables from JSON files: { \"NAME\": \"VALUE\", … }.", nil)
            return
        }
        diagnostics += parsed.diagnostics.map { diagnostic in
            // Here Packer lets the last one win.
            var diagnostic = diagnostic
            if diagnostic.id == "template/duplicate" { diagnostic.severity = .warning }
            return diagnostic
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

    private mutating func resolve(_ sources: [String: Source], _ context: TemplateContext) {
        var open = sources
        var context = context
        for _ in 0..<Self.maximumRounds where !open.isEmpty {
            var isStuck = true
            for name in open.keys.sorted() {
                guard let source = open[name], let users = users(of: name, source) else {
                    open[name] = nil
                    continue
                }
                if users.contains(where: { undecided.contains($0.name) }) {
                    undecided.insert(name)
                } else if users.contains(where: { open[$0.name] != nil }) {
                    continue
                } else {
                    context.user = values
                    render(name, source, hasUsers: !users.isEmpty, context, &open)
                    isStuck = false
                    continue
                }
                open[name] = nil
                isStuck = false
            }
            if isStuck { break }
        }
        reportCycles(open)
    }

    /// What the text asks for; nil after an error.
    private mutating func users(of name: String, _ source: Source) -> [(name: String, offset: Int)]? {
        do {
            let masked = MaskedTemplate(source.text)
            return try GoTemplateReferences(masked.text).users
        } catch {
            fail(name, source, error)
            return nil
        }
    }

    private mutating func render(
        _ name: String, _ source: Source, hasUsers: Bool, _ context: TemplateContext, _ open: inout [String: Source]
    ) {
        if let missing = missing(source, among: context.user) {
            let hint = suggestion(for: missing.name, among: context.user.keys).map { "Did you mean \"\($0)\"?" }
            report(
                "undefined-variable", "“\(name)” is made of the variable “\(missing.name)”, which does not exist",
                hint ?? "Declare it under \"variables\", or pass it by -var.",
                source.node?.range(ofOffset: missing.offset) ?? source.range)
            undecided.insert(name)
            open[name] = nil
            return
        }
        do {
            let masked = MaskedTemplate(source.text)
            let text = masked.restored(try renderTemplateOnce(masked.text, data: [:], context: context))
            if hasUsers, text != source.text, text.contains("{{") {
                // Inserted values may hold templates themselves.
                open[name] = Source(text: text, node: nil, range: source.range)
            } else {
                values[name] = text
                open[name] = nil
            }
        } catch {
            fail(name, source, error)
            open[name] = nil
        }
    }

    private func missing(_ source: Source, among values: [String: String]) -> (name: String, offset: Int)? {
        let users = try? GoTemplateReferences(MaskedTemplate(source.text).text).users  // It was parsed a moment ago.
        return users?.first { values[$0.name] == nil }
    }

    private mutating func fail(_ name: String, _ source: Source, _ error: any Error) {
        undecided.insert(name)
        let failure = error as? GoTemplateError
        report(
            "template-syntax", "The value of “\(name)” cannot be rendered",
            "\(failure?.message ?? "\(error)").", source.node?.range(ofOffset: failure?.offset) ?? source.range)
    }

    /// What is left open needs itself, or something that does.
    private mutating func reportCycles(_ open: [String: Source]) {
        var seen: Set<String> = []
        for start in open.keys.sorted() where !seen.contains(start) {
            var path: [String] = []
            var name = start
            while !seen.contains(name), let source = open[name] {
                seen.insert(name)
                path.append(name)
                let next = users(of: name, source)?.first { open[$0.name] != nil }
                guard let next else { break }
                name = next.name
            }
            guard let first = path.firstIndex(of: name), let source = open[name] else { continue }
            let members = path[first...]
            report(
                "cycle", "Variables need each other in a circle",
                (members + [name]).map { "“\($0)”" }.joined(separator: " → "), source.range,
                members.dropFirst().compactMap { member in
                    open[member]?.range.map { Diagnostic.Note("“\(member)” is made of another here", at: $0) }
                })
        }
        undecided.formUnion(open.keys)
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

/// A text whose parts of the form `{{ .Anything }}` are hidden, since they are filled in by the component that uses the value.
private struct MaskedTemplate {
    private(set) var text = ""
    private var hidden: [(mark: String, part: String)] = []

    init(_ original: String) {
        guard original.contains("{{") else {
            text = original
            return
        }
        var rest = Substring(original)
        while let start = rest.firstRange(of: "{{") {
            let after = rest[start.upperBound...]
            let first = after.first.map { $0.isWhitespace ? after.dropFirst().first : $0 } ?? nil
            guard first == ".", let end = after.firstRange(of: "}}") else {
                text += rest[..<start.upperBound]
                rest = after
                continue
            }
            // Characters of the private use area, which no template is written in.
            let mark = "\u{F8FE}\(hidden.count)\u{F8FF}"
            hidden.append((mark, String(rest[start.lowerBound..<end.upperBound])))
            text += rest[..<start.lowerBound] + mark
            rest = rest[end.upperBound...]
        }
        text += rest
    }

    func restored(_ rendered: String) -> String {
        hidden.reduce(rendered) { $0.replacing($1.mark, with: $1.part) }
    }
}

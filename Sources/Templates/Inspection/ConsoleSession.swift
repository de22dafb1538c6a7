package import Diagnostics
import GoTemplates
import HCL

/// The console: evaluates one line after the other against a template, or against nothing.
package struct ConsoleSession {
    /// What a line without a template is.
    package enum Language: String, CaseIterable, Sendable {
        case hcl2
        /// Text with `{{ }}` in it, as in a JSON template.
        case json
    }

    /// The answer to one line.
    package enum Answer: Sendable {
        case text(String)
        /// The line is wrong; the file is the line.
        case problems([Diagnostic], SourceFile)
        case nothing
        case end
    }

    private enum Mode {
        case hcl(TemplateValues)
        case json(LegacyVariables, TemplateContext)
    }

    /// nil if the template cannot be used.
    private var mode: Mode?
    private let secrets: SecretCollection
    /// What is wrong with the template. After an error there is nothing to ask.
    package let diagnostics: [Diagnostic]
    package let files: [SourceFile]

    /// A session in which no data source was run: what they give is unknown.
    ///
    /// - Parameter language: For a session without a template; a template decides for itself.
    package init(_ options: LoadOptions, usesTemplate: Bool, language: Language = .hcl2) {
        let parsed = usesTemplate ? ParsedTemplate(options) : nil
        var values = Self.values(parsed, options, language)
        values?.evaluate()
        self.init(options, parsed, values, language)
    }

    /// A session with every data source run, as Packer does.
    ///
    /// - Throws: `CancellationError` alone.
    package static func start(
        _ options: LoadOptions, usesTemplate: Bool, language: Language = .hcl2, running runner: any DataSourceRunner
    ) async throws -> ConsoleSession {
        let parsed = usesTemplate ? ParsedTemplate(options) : nil
        var values = Self.values(parsed, options, language)
        try await values?.evaluate(running: runner)
        return ConsoleSession(options, parsed, values, language)
    }

    /// nil for JSON, and for a template that cannot be used.
    private static func values(
        _ parsed: ParsedTemplate?, _ options: LoadOptions, _ language: Language
    ) -> TemplateValues? {
        switch parsed?.form {
        case .hcl(let configuration, let found)?: TemplateValues(configuration, found, options)
        case nil where language == .hcl2: TemplateValues(options)
        default: nil
        }
    }

    private init(_ options: LoadOptions, _ parsed: ParsedTemplate?, _ values: TemplateValues?, _ language: Language) {
        var variables: LegacyVariables?
        var directory = options.workingDirectory
        switch parsed?.form {
        case .legacy(let template, _, let root)?:
            directory = options.absolute(root)
            variables = LegacyVariables(template, options, directory: directory)
        case nil where language == .json:
            let empty = LegacyTemplate(range: SourceRange(file: "", start: 0, end: 0))
            variables = LegacyVariables(empty, options, directory: directory)
        default: break
        }
        var diagnostics = parsed?.diagnostics ?? []
        var files = parsed?.files ?? []
        if let values {
            mode = .hcl(values)
            diagnostics += values.diagnostics
            files += values.files
        } else if let variables {
            let context = TemplateContext(
                templateDirectory: directory, workingDirectory: options.workingDirectory,
                startTime: options.startTime, user: variables.values)
            mode = .json(variables, context)
            diagnostics += variables.diagnostics.filter { !$0.isUnsetVariable }
            files += variables.files
        }
        var secrets = values?.secrets ?? variables?.secrets ?? SecretCollection()
        if let parsed { secrets.formUnion(parsed.secrets) }
        self.secrets = secrets
        self.diagnostics = secrets.redacted(diagnostics, files: files).bounded()
        self.files = secrets.masked(files)
    }

    /// What the console has to say to a line.
    package func answer(to line: String) -> Answer {
        let line = String(line.trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        switch (line, mode) {
        case ("", _): return .nothing
        case ("exit", _), (_, nil): return .end
        case ("help", let mode?): return .text(Self.help(mode))
        case ("variables", .hcl(let values)): return .text(values.variableLines + values.localLines)
        case ("locals", .hcl(let values)): return .text(values.localLines)
        case ("variables", .json(let variables, _)):
            let lines = variables.values.sorted { $0.key < $1.key }.map {
                "\($0.key): \(goQuoted(secrets.redacted($0.value)))\n"
            }
            return .text(lines.joined())
        case (_, .hcl(let values)): return evaluate(line, values)
        case (_, .json(_, let context)): return render(line, context)
        }
    }

    private func evaluate(_ line: String, _ values: TemplateValues) -> Answer {
        let file = Self.file(line)
        let parsed = parseExpression(file)
        guard !parsed.diagnostics.hasErrors else { return problems(parsed.diagnostics, file) }
        let result = values.environment.evaluate(parsed.value, values.scope, locals: values.localNames)
        guard !result.diagnostics.hasErrors else { return problems(result.diagnostics, file) }
        return .text(result.value.consoleText(without: secrets) + "\n")
    }

    private func render(_ line: String, _ context: TemplateContext) -> Answer {
        do {
            return .text(secrets.redacted(try renderTemplateOnce(line, data: [:], context: context)) + "\n")
        } catch {
            let file = Self.file(line)
            let end = line.utf8.count
            let place = error.offset.map { SourceRange(file: file.name, start: min($0, end), end: end) }
            let problem = Diagnostic(
                id: "template/template-syntax", summary: "This cannot be rendered", detail: error.message.endingInStop,
                subject: place)
            return problems([problem], file)
        }
    }

    private func problems(_ diagnostics: [Diagnostic], _ file: SourceFile) -> Answer {
        .problems(secrets.redacted(diagnostics, files: [file]), file)
    }

    private static func file(_ line: String) -> SourceFile { SourceFile(name: "<console-input>", text: line) }

    private static func help(_ mode: Mode) -> String {
        var text: String
        switch mode {
        case .hcl:
            text = """
                Write an expression, such as upper(var.name), and press Enter to see its value.
                Expressions are those of HCL templates: variables, locals, functions, for and if.

                variables   shows all variables and locals
                locals      shows the locals alone

                """
        case .json:
            text = """
                Write text with templates in it, such as {{user `name`}} or {{timestamp}}, and press Enter to see it rendered.

                variables   shows all user variables

                """
        }
        text += "exit        leaves, as Ctrl-D does\n\nWhat is sensitive is shown as <sensitive>.\n"
        return text
    }
}

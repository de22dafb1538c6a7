import ArgumentParser
import DataSources
import Diagnostics
import Foundation
import Templates

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Evaluates expressions with a template's variables and locals.",
        discussion: """
            Reads lines from the terminal or a pipe; `help` lists what they can be. Exit codes: 0 done, 1 the template \
            has errors, or a line that was piped in.
            """)

    @Option(
        help: ArgumentHelp(
            "Without a template, the language of the expressions: HCL, or that of JSON templates.",
            valueName: "language"))
    var configType = ConsoleSession.Language.hcl2

    @Flag(help: .hidden)
    var useSequentialEvaluation = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var values: VariableOptions

    @Argument(
        help: ArgumentHelp("A template to take variables and locals from: a file or a folder.", valueName: "template"),
        completion: .file(extensions: ["pkr.hcl", "pkr.json", "json"]))
    var path: String?

    func run() async throws {
        let options = LoadOptions(
            path: path ?? ".", variables: try values.assignments(), variableFiles: values.varFile,
            environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, startTime: Date(),
            secretStores: RemoteSecretStores(ProcessInfo.processInfo.environment))
        let (usesTemplate, language) = (path != nil, configType)
        let session = try await runningDataSources(of: options) { runner in
            try await ConsoleSession.start(options, usesTemplate: usesTemplate, language: language, running: runner)
        }
        writeDiagnostics(session.diagnostics, in: session.files, output)
        if session.diagnostics.hasErrors { throw ExitCode(1) }
        let isInteractive = Terminal.inputIsTerminal && Terminal.outputIsTerminal
        var editor = LineEditor(prompt: "> ")
        var hasFailed = false
        lines: while let line = isInteractive ? editor.readLine() : readLine() {
            switch session.answer(to: line) {
            case .nothing: break
            case .end: break lines
            case .text(let text):
                let shown = isInteractive ? Self.withoutControls(text) : text
                put(shown)
            case .problems(let diagnostics, let line):
                writeDiagnostics(diagnostics, in: [line], output)
                hasFailed = true
            }
        }
        if hasFailed && !isInteractive { throw ExitCode(1) }
    }

    /// The text with control characters replaced, so that a template cannot control the terminal.
    private static func withoutControls(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.properties.generalCategory == .control
                    return isControl && scalar != "\n" && scalar != "\t" ? "\u{FFFD}" : scalar
                }))
    }
}

extension ConsoleSession.Language: ExpressibleByArgument {}

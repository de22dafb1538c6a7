import ArgumentParser
import Diagnostics
import Foundation
import Templates

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Evaluates expressions with a template's variables and locals.",
        discussion: """
            Reads lines from the terminal or a pipe; `help` tells what they can be. Exit codes: 0 done, 1 the template \
            is wrong, or a line that did not come from a terminal.
            """)

    @Option(
        name: .customLong("var"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Sets a variable; beats every other way.", valueName: "name=value"))
    var variables: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Reads variables from a .hcl or .json file.", valueName: "file"))
    var varFile: [String] = []

    @Option(help: ArgumentHelp("Without a template, what lines are: hcl2 or json.", valueName: "language"))
    var configType = ConsoleSession.Language.hcl2

    @Flag(help: .hidden)
    var useSequentialEvaluation = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @Argument(help: ArgumentHelp("A template to take values from.", valueName: "template"))
    var path: String?

    func run() async throws {
        let options = LoadOptions(
            path: path ?? ".", variables: try variableAssignments(variables), variableFiles: varFile,
            environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, startTime: Date())
        let (usesTemplate, language) = (path != nil, configType)
        let session = try await runningDataSources(of: options) { runner in
            try await ConsoleSession.start(options, usesTemplate: usesTemplate, language: language, running: runner)
        }
        writeDiagnostics(session.diagnostics, in: session.files, color: color)
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
                FileHandle.standardOutput.write(Data(shown.utf8))
            case .problems(let diagnostics, let line):
                writeDiagnostics(diagnostics, in: [line], color: color)
                hasFailed = true
            }
        }
        if hasFailed && !isInteractive { throw ExitCode(1) }
    }

    /// A template's text must not steer the terminal.
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

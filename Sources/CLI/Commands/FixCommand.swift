import ArgumentParser
import Diagnostics
import Foundation
import Templates

struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Prints a JSON template with old options under their names of today.",
        discussion: "For templates of Packer's old JSON format; the file itself is left alone.")

    @Option(help: ArgumentHelp("false prints the result without checking it.", valueName: "bool"))
    var validate = true

    @OptionGroup var output: OutputOptions

    @Argument(
        help: ArgumentHelp("A .json template, or - for standard input.", valueName: "template"),
        completion: .file(extensions: ["json"]))
    var path: String

    func run() throws {
        let options = LoadOptions(
            path: path, workingDirectory: FileManager.default.currentDirectoryPath,
            standardInput: standardInput(for: path))
        let fixed = fixTemplate(options, isValidated: validate)
        // Standard output carries the template.
        if let text = fixed.text { put(text) }
        try reportRewriting(fixed, output)
    }
}

/// Writes what there is to say about a rewritten template to standard error.
///
/// - Throws: `ExitCode` if there is an error.
func reportRewriting(_ template: RewrittenTemplate, _ output: OutputOptions) throws {
    writeDiagnostics(template.diagnostics, in: template.files, output)
    if template.diagnostics.hasErrors { throw ExitCode(1) }
}

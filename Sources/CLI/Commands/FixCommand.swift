import ArgumentParser
import Diagnostics
import Foundation
import Templates

struct FixCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix", abstract: "Prints a JSON template with old options under their names of today.")

    @Option(help: ArgumentHelp("false does not check the form of the result.", valueName: "bool"))
    var validate = true

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @Argument(help: ArgumentHelp("A JSON template.", valueName: "template"))
    var path: String

    func run() throws {
        let options = LoadOptions(path: path, workingDirectory: FileManager.default.currentDirectoryPath)
        let fixed = fixTemplate(options, isValidated: validate)
        // Standard output carries the template.
        if let text = fixed.text { FileHandle.standardOutput.write(Data(text.utf8)) }
        try reportRewriting(fixed, usesColor: Terminal.usesColor(color))
    }
}

/// Writes what there is to say about a rewritten template to standard error.
///
/// - Throws: `ExitCode` if there is an error.
func reportRewriting(_ template: RewrittenTemplate, usesColor: Bool) throws {
    let renderer = DiagnosticRenderer(files: template.files, usesColor: usesColor)
    for diagnostic in template.diagnostics { writeError(renderer.render(diagnostic)) }
    if template.diagnostics.hasErrors { throw ExitCode(1) }
}

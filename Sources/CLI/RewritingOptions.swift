import ArgumentParser
import Diagnostics
import Foundation
import Templates

/// The arguments of the commands that rewrite a JSON template.
struct RewritingOptions: ParsableArguments {
    @OptionGroup var output: OutputOptions

    @Argument(
        help: ArgumentHelp("A .json template, or - for standard input.", valueName: "template"),
        completion: .file(extensions: ["json"]))
    var path: String

    var loadOptions: LoadOptions {
        LoadOptions(
            path: path, environment: ProcessInfo.processInfo.environment,
            workingDirectory: FileManager.default.currentDirectoryPath, standardInput: standardInput(for: path))
    }

    /// Writes the diagnostics of a rewritten template to standard error.
    ///
    /// - Throws: `ExitCode` if one of them is an error.
    func report(_ template: RewrittenTemplate) throws {
        writeDiagnostics(template.diagnostics, in: template.files, output)
        if template.diagnostics.hasErrors { throw ExitCode(1) }
    }
}

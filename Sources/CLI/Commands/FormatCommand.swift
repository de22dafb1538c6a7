import ArgumentParser
import Diagnostics
import Foundation
import HCL

struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Brings templates and variable files into canonical form.",
        discussion: """
            Prints the names of the files that change. Exit codes: 0 done, 1 a file cannot be formatted, \
            3 with -check when a file is not in canonical form.
            """)

    @Flag(help: "Changes nothing; exit code 3 tells that something would change.")
    var check = false

    @Flag(help: "Prints the differences.")
    var diff = false

    @Option(help: ArgumentHelp("false leaves the files alone.", valueName: "bool"))
    var write = true

    @Flag(help: "Looks into the folders in the folder, too.")
    var recursive = false

    @Option(help: ArgumentHelp("Colours: true or false; by default, on a terminal.", valueName: "bool"))
    var color: Bool?

    @Argument(
        help: ArgumentHelp("Templates, or folders of them; - reads standard input and prints.", valueName: "path"))
    var paths: [String] = []

    func run() throws {
        var failed = false
        var changed = false
        func fail(_ diagnostics: [Diagnostic], in files: [SourceFile] = []) {
            // Standard output carries names, differences or the formatted text.
            let renderer = DiagnosticRenderer(files: files, usesColor: Terminal.usesColor(color))
            for diagnostic in diagnostics { writeError(renderer.render(diagnostic)) }
            failed = failed || diagnostics.hasErrors
        }
        func format(_ file: FormattedFile, isStandardInput: Bool = false) {
            if file.diagnostics.hasErrors { return fail(file.diagnostics, in: [file.source]) }
            changed = changed || file.isChanged
            if isStandardInput {
                if !check && !diff { put(file.formatted) }
            } else if file.isChanged {
                put(file.source.name + "\n")
            }
            if diff { put(unifiedDifference(of: file)) }
            guard file.isChanged, write, !check, !isStandardInput else { return }
            do throws(TemplateError) {
                try file.write()
            } catch {
                fail(error.diagnostics)
            }
        }

        for path in paths.isEmpty ? ["."] : paths {
            if path == "-" {
                let input = Array(FileHandle.standardInput.readDataToEndOfFile())
                format(FormattedFile(name: "<standard input>", contents: input), isStandardInput: true)
                continue
            }
            let found = formattableFiles(at: path, isRecursive: recursive)
            fail(found.diagnostics)
            for name in found.value { format(FormattedFile(path: name)) }
        }
        if failed { throw ExitCode(1) }
        if check && changed { throw ExitCode(3) }
    }

    private func put(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

import ArgumentParser
import Diagnostics
import Foundation
import HCL

struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt", abstract: "Rewrites templates and variable files in canonical form.",
        discussion: """
            Prints the names of the files that change. Exit codes: 0 done, 1 a file cannot be formatted, \
            3 with -check when a file is not in canonical form.
            """)

    @Flag(help: "Changes nothing; the exit code is 3 if a file would change.")
    var check = false

    @Flag(help: "Prints the changes as a unified diff.")
    var diff = false

    @Option(help: ArgumentHelp("Whether files are changed; false only prints their names.", valueName: "bool"))
    var write = true

    @Flag(help: "Includes the folders inside a folder.")
    var recursive = false

    @OptionGroup var output: OutputOptions

    @Argument(
        help: ArgumentHelp(
            "A .pkr.hcl or .pkrvars.hcl file, or a folder of them (by default the working directory); - formats "
                + "standard input and prints it.", valueName: "path"),
        completion: .file(extensions: ["pkr.hcl", "pkrvars.hcl"]))
    var paths: [String] = []

    func run() throws {
        var failed = false
        var changed = false
        func fail(_ diagnostics: [Diagnostic], in files: [SourceFile] = []) {
            // Standard output is for names, differences or the formatted text.
            writeDiagnostics(diagnostics, in: files, output)
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
}

import ArgumentParser
import Diagnostics
import Foundation
import Templates

extension TemplateReport {
    /// Prints the text to standard output, and the diagnostics to standard error.
    ///
    /// - Throws: Exit code 1 if one of them is an error.
    func show(_ output: OutputOptions) throws {
        writeDiagnostics(diagnostics, in: files, output)
        if diagnostics.hasErrors { throw ExitCode(1) }
        guard output.machineReadable, !records.isEmpty else { return output.say(text) }
        for record in records {
            switch record {
            case .say(let text): MachineRecord("ui", ["say", text]).write()
            case .fact(let type, let data): MachineRecord(type, data).write()
            }
        }
    }
}

/// Prints diagnostics to standard error, apart from the command's result; as records, to standard output.
func writeDiagnostics(_ diagnostics: [Diagnostic], in files: [SourceFile], _ output: OutputOptions) {
    let renderer = DiagnosticRenderer(files: files, usesColor: output.usesColor)
    for diagnostic in diagnostics {
        if output.machineReadable {
            MachineRecord(diagnostic, renderer).write()
        } else {
            writeError(renderer.render(diagnostic))
        }
    }
}

extension OutputOptions {
    /// Prints whole lines to standard output.
    func say(_ text: String) {
        if machineReadable {
            MachineRecord(.say, text).write()
        } else {
            put(text)
        }
    }
}

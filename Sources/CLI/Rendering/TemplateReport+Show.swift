import ArgumentParser
import Diagnostics
import Foundation
import Templates

extension TemplateReport {
    /// Prints the text to standard output, and what there is to say about the template to standard error.
    ///
    /// - Throws: Exit code 1 if there is an error.
    func show(color: Bool?) throws {
        writeDiagnostics(diagnostics, in: files, color: color)
        if diagnostics.hasErrors { throw ExitCode(1) }
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}

/// Draws diagnostics where they are not mixed with a command's result.
func writeDiagnostics(_ diagnostics: [Diagnostic], in files: [SourceFile], color: Bool?) {
    let renderer = DiagnosticRenderer(files: files, usesColor: Terminal.usesColor(color))
    for diagnostic in diagnostics { writeError(renderer.render(diagnostic)) }
}

import Diagnostics
import Foundation
import Pipeline

/// Prints diagnostics: drawn for people, as JSON lines, or as Packer's records.
struct DiagnosticPrinter {
    private let renderer: DiagnosticRenderer
    private let json: Bool
    private let isMachineReadable: Bool

    init(files: [SourceFile], json: Bool, output: OutputOptions) {
        renderer = DiagnosticRenderer(files: files, usesColor: !json && output.usesColor)
        self.json = json
        isMachineReadable = output.machineReadable
    }

    func print(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics {
            if isMachineReadable {
                MachineRecord(diagnostic, renderer).write()
                continue
            }
            put((json ? line(diagnostic) : renderer.render(diagnostic)) + "\n")
        }
        let errors = diagnostics.count { $0.severity == .error }
        if !json && !isMachineReadable && errors > 1 { put("\(errors) errors.\n") }
    }

    private func line(_ diagnostic: Diagnostic) -> String {
        var fields: [String: JSONValue] = [
            "event": diagnostic.severity == .error ? "error" : "warning", "id": .string(diagnostic.id),
            "text": .string(diagnostic.summary), "detail": .string(diagnostic.detail),
        ]
        if let subject = diagnostic.subject {
            fields["file"] = .string(subject.file)
            if let place = renderer.position(of: subject) {
                fields["line"] = .integer(Int64(place.line))
                fields["column"] = .integer(Int64(place.column))
            }
        }
        return jsonObject(fields)
    }
}

extension MachineRecord {
    init(_ diagnostic: Diagnostic, _ renderer: DiagnosticRenderer) {
        self.init(diagnostic.severity == .error ? .error : .say, renderer.render(diagnostic))
    }
}

import Diagnostics
import Scopes

extension Diagnostic {
    /// A data source that could not be run.
    static func failure(of key: String, _ error: any Error, at place: SourceRange) -> Diagnostic {
        guard let error = error as? BuildError else {
            return Diagnostic(
                id: "template/data-source", summary: "data.\(key) has no value", detail: "\(error)".endingInStop,
                subject: place)
        }
        let reason = "\(error.underlying)"
        var detail = reason.prefix(1).uppercased() + reason.dropFirst()
        // Words of a program stay as they are.
        if !reason.contains("\n"), reason.last.map({ !".!?".contains($0) }) ?? false { detail += "." }
        if let hint = error.hint { detail += "\n\(hint)" }
        return Diagnostic(
            id: "template/data-source", summary: "data.\(key): could not \(error.operation)", detail: detail,
            subject: place)
    }
}

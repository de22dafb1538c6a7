import Diagnostics
import Scopes

extension Diagnostic {
    /// A data source that could not be run.
    static func failure(of key: String, _ error: any Error, at place: SourceRange) -> Diagnostic {
        guard let error = error as? BuildError else {
            return Diagnostic(
                id: "template/data-source", summary: "data.\(key) has no value", detail: "\(error)", subject: place)
        }
        let reason = "\(error.underlying)"
        let detail = reason.prefix(1).uppercased() + reason.dropFirst()
        return Diagnostic(
            id: "template/data-source", summary: "data.\(key): could not \(error.operation)",
            detail: detail + (".!?\n".contains(detail.last ?? ".") ? "" : ".") + (error.hint.map { "\n\($0)" } ?? ""),
            subject: place)
    }
}

extension Sequence<Diagnostic> {
    /// As much of the diagnostics as people read, in their order; errors stay rather than warnings.
    ///
    /// The last of its kind that is shown of a file says how many more there are, and one at the end says what else was left
    /// out. Bounding twice changes nothing.
    public func bounded(eachKind: Int = 10, total: Int = 100) -> [Diagnostic] {
        var shown: [Diagnostic] = []
        var counts: [DiagnosticKind: Int] = [:]
        var last: [DiagnosticKind: Int] = [:]
        for diagnostic in self {
            let kind = DiagnosticKind(id: diagnostic.id, severity: diagnostic.severity, file: diagnostic.subject?.file)
            let count = counts[kind, default: 0] + 1
            counts[kind] = count
            guard count <= eachKind else { continue }
            last[kind] = shown.count
            shown.append(diagnostic.shortened)
        }
        for (kind, count) in counts where count > eachKind {
            guard let index = last[kind] else { continue }
            shown[index].detail +=
                (shown[index].detail.isEmpty ? "" : "\n") + "… and \(count - eachKind) more like this."
        }
        guard shown.count > total else { return shown }
        let kept = total - 1
        let errors = shown.count { $0.severity == .error }
        var room: [Diagnostic.Severity: Int] = [.error: kept, .warning: Swift.max(0, kept - errors)]
        var left: [Diagnostic] = []
        shown = shown.filter { diagnostic in
            guard let free = room[diagnostic.severity], free > 0 else {
                left.append(diagnostic)
                return false
            }
            room[diagnostic.severity] = free - 1
            return true
        }
        shown.append(
            Diagnostic(
                id: "template/too-many", severity: left.hasErrors ? .error : .warning,
                summary: "\(left.count) more \(left.hasErrors ? "errors and warnings" : "warnings") are not shown",
                detail: "They may be gone when these are solved."))
        return shown
    }
}

extension Diagnostic {
    private static let longestSummary = 300
    private static let longestDetail = 3000
    private static let mostNotes = 8

    /// With texts that a terminal can hold: they may quote what is written in a file.
    fileprivate var shortened: Diagnostic {
        var short = self
        short.summary = Self.cut(summary, Self.longestSummary)
        short.detail = Self.cut(detail, Self.longestDetail)
        if notes.count > Self.mostNotes { short.notes.removeSubrange(Self.mostNotes...) }
        for index in short.notes.indices {
            short.notes[index].message = Self.cut(short.notes[index].message, Self.longestSummary)
        }
        return short
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit, text.count > limit else { return text }
        return text.prefix(limit / 2) + " … " + text.suffix(limit / 2 - 3)
    }
}

/// What is reported a few times only.
private struct DiagnosticKind: Hashable {
    var id: String
    var severity: Diagnostic.Severity
    var file: String?
}

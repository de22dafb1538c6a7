/// One thing the user should know about a template.
public struct Diagnostic: Hashable, Sendable {
    /// Whether it stops what was asked for.
    public enum Severity: Hashable, Sendable { case error, warning }

    /// A related place, such as "first set here".
    public struct Note: Hashable, Sendable {
        public var message: String
        public var range: SourceRange

        public init(_ message: String, at range: SourceRange) {
            self.message = message
            self.range = range
        }
    }

    /// A stable name, such as `hcl/duplicate-argument`, for tests, documentation and machine output.
    public var id: String
    public var severity: Severity
    /// What is wrong, in one line and without a full stop.
    public var summary: String
    /// Why it is wrong and what to write instead; may be empty.
    public var detail: String
    /// Exactly the construct at fault; nil where no text of the user's is to blame.
    public var subject: SourceRange?
    public var notes: [Note]

    public init(
        id: String, severity: Severity = .error, summary: String, detail: String = "", subject: SourceRange? = nil,
        notes: [Note] = []
    ) {
        self.id = id
        self.severity = severity
        self.summary = summary
        self.detail = detail
        self.subject = subject
        self.notes = notes
    }
}

extension Sequence<Diagnostic> {
    public var hasErrors: Bool { contains { $0.severity == .error } }
}

/// A value together with everything there is to say about it; present even when there are errors.
public struct Diagnosed<Value> {
    public var value: Value
    public var diagnostics: [Diagnostic]

    public init(_ value: Value, _ diagnostics: [Diagnostic] = []) {
        self.value = value
        self.diagnostics = diagnostics
    }

    /// The value, unless there is an error among the diagnostics.
    public func get() throws(TemplateError) -> Value {
        if diagnostics.hasErrors { throw TemplateError(diagnostics: diagnostics) }
        return value
    }
}

extension Diagnosed: Sendable where Value: Sendable {}

/// A template that cannot be used, with everything that is wrong with it.
public struct TemplateError: Error, Hashable, Sendable {
    public var diagnostics: [Diagnostic]

    public init(diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }
}

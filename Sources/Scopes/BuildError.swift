/// A failure at run time: what was attempted, what happened, and what to do.
package struct BuildError: Error, CustomStringConvertible {
    /// What was being attempted, as an infinitive: "convert the disk".
    package var operation: String
    /// What the user can do about it.
    package var hint: String?
    /// What happened.
    package var underlying: any Error

    package init(operation: String, hint: String? = nil, underlying: any Error) {
        self.operation = operation
        self.hint = hint
        self.underlying = underlying
    }

    /// A failure without an underlying error value.
    package init(_ operation: String, because reason: String, hint: String? = nil) {
        self.init(operation: operation, hint: hint, underlying: Reason(text: reason))
    }

    package var description: String {
        "could not \(operation): \(underlying)" + (hint.map { "\n  \($0)" } ?? "")
    }
}

/// The reason of a failure, where there is no error value behind it.
package struct Reason: Error, CustomStringConvertible {
    /// The reason, as a clause: "it is not a folder".
    package var text: String
    package init(text: String) { self.text = text }
    package var description: String { text }
}

/// Something took too long. Never used for cancellation.
package struct TimedOut: Error, CustomStringConvertible {
    /// What took too long, as a gerund: "waiting for SSH".
    package var operation: String
    /// How long it was waited for.
    package var limit: Duration

    package init(_ operation: String, limit: Duration) {
        self.operation = operation
        self.limit = limit
    }

    package var description: String { "timed out after \(limit.text) while \(operation)" }
}

/// Runs `body` and adds to its errors what was attempted.
///
/// - Parameter operation: An infinitive such as "convert the disk".
/// - Throws: `BuildError` and `CancellationError` of `body` as they are, and any other error in a `BuildError`.
package func attempting<Value>(
    _ operation: String, hint: String? = nil, _ body: () async throws -> Value
) async throws -> Value {
    do {
        return try await body()
    } catch let error where !(error is CancellationError) && !(error is BuildError) {
        throw BuildError(operation: operation, hint: hint, underlying: error)
    }
}

extension Duration {
    /// As people say it, at most two units: "350 ms", "2.4 s", "5 min 3 s", "1 h 2 min", "8 days".
    package var text: String {
        let (seconds, attoseconds) = components
        let total = Double(seconds) + Double(attoseconds) / 1e18
        if total < 1 { return "\(Int((total * 1000).rounded())) ms" }
        if total < 60 {
            let tenths = Int((total * 10).rounded())
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        if total < 3600 {
            let rest = Int(seconds) % 60
            return rest == 0 ? "\(seconds / 60) min" : "\(seconds / 60) min \(rest) s"
        }
        if total >= 48 * 3600 { return "\(seconds / 86400) days" }
        let rest = Int(seconds) % 3600 / 60
        return rest == 0 ? "\(seconds / 3600) h" : "\(seconds / 3600) h \(rest) min"
    }

    /// How long ago something was: "just now", "5 min 3 s ago".
    package var agoText: String { self < .seconds(1) ? "just now" : "\(text) ago" }
}

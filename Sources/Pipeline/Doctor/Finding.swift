/// What `ingot doctor` found out about one thing a build may need.
package struct Finding: Sendable {
    package enum Status: String, Sendable {
        case good, warning
        /// Builds cannot run without it.
        case missing
    }

    package var subject: String
    package var status: Status
    package var detail: String
    /// The command that mends it, or what to do.
    package var remedy: String?

    init(_ subject: String, _ status: Status, _ detail: String, remedy: String? = nil) {
        self.subject = subject
        self.status = status
        self.detail = detail
        self.remedy = remedy
    }
}

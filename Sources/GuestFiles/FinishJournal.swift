/// What was done to an image, and what could not be done.
package struct FinishJournal: Sendable {
    package internal(set) var removed: [String] = []
    package internal(set) var emptied: [String] = []
    package internal(set) var changed: [String] = []
    package internal(set) var added: [String] = []
    /// Information for the user.
    package internal(set) var notes: [String] = []
    /// What was not done, and why.
    package internal(set) var warnings: [String] = []

    mutating func note(_ text: String) { notes.append(text) }
    /// Adds a warning unless it is there: a system is mounted more than once.
    mutating func warn(_ text: String) {
        if !warnings.contains(text) { warnings.append(text) }
    }
}

/// What was done to an image, and what could not be done.
package struct FinishJournal: Sendable {
    /// Paths that were removed.
    package internal(set) var removed: [String] = []
    /// Paths of files that were emptied.
    package internal(set) var emptied: [String] = []
    /// Paths of files that were edited.
    package internal(set) var changed: [String] = []
    /// Paths that were created or replaced.
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

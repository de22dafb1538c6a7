/// What was done to an image, and what could not be.
package struct FinishJournal: Sendable {
    package internal(set) var removed: [String] = []
    package internal(set) var emptied: [String] = []
    package internal(set) var changed: [String] = []
    package internal(set) var added: [String] = []
    /// Worth knowing.
    package internal(set) var notes: [String] = []
    /// Not done, and why.
    package internal(set) var warnings: [String] = []

    mutating func note(_ text: String) { notes.append(text) }
    /// Each once, since a system is mounted more than once.
    mutating func warn(_ text: String) {
        if !warnings.contains(text) { warnings.append(text) }
    }
}

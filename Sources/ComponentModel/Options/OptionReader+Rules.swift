import Diagnostics

/// What many components ask of their options.
extension OptionReader {
    package mutating func missing(_ name: String, _ detail: String) {
        error("missing-option", "\(component) needs \(name)", detail)
    }

    /// Both may not be given; points at the second and names the first.
    package mutating func exclude(_ first: String, _ second: String) {
        guard isGiven(first), isGiven(second) else { return }
        let note = range(first).map { [Diagnostic.Note("\(first) is set here", at: $0)] } ?? []
        error(
            "exclusive-options", "\(first) and \(second) cannot be given together", "Remove one of them.", at: second,
            notes: note)
    }

    /// The text, if it is one of those that the table has; an error otherwise.
    package mutating func choice(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        let allowed = choices(of: name)
        if allowed.contains(text) { return text }
        let hint = suggestion(for: text, among: allowed).map { "Did you mean \"\($0)\"? " } ?? ""
        error(
            "invalid-value", "“\(text)” is not a value of \(name)",
            hint + "It takes one of: " + allowed.joined(separator: ", ") + ".", at: name)
        return nil
    }
    /// Reports the elements that are not among those that the table has.
    package mutating func checkChoices(_ name: String, _ elements: [String], _ summary: (String) -> String) {
        let allowed = choices(of: name)
        for (index, element) in elements.enumerated() where !allowed.contains(element) && !element.contains("<unknown>")
        {
            let hint = suggestion(for: element, among: allowed).map { "Did you mean \"\($0)\"? " } ?? ""
            error(
                "invalid-value", summary(element), hint + "It takes: " + allowed.joined(separator: ", ") + ".",
                at: name, element: index)
        }
    }
}

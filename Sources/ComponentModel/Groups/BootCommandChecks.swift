import BootCommand
import Diagnostics
import GoTemplates

extension OptionReader {
    /// Reports what cannot be typed, and what is probably a mistake. `parts` are typed one after the other;
    /// they are the elements of the option, or all of them belong to its element `row`.
    mutating func checkBootCommand(_ parts: [String], _ name: String, row: Int? = nil) {
        let command = parts.joined()
        func element(at offset: Int) -> Int {
            if let row { return row }
            var end = 0
            return parts.firstIndex {
                end += $0.utf8.count
                return offset < end
            } ?? 0
        }
        do throws(BootCommandError) {
            for warning in try parseBootCommand(command).warnings {
                let token = String(decoding: Array(command.utf8)[warning.range], as: UTF8.self)
                let words = warning.description
                self.warning(
                    "boot-command", "\(token) in \(name) is typed letter by letter",
                    words.hasSuffix("?") ? words : words + ".", at: name, element: element(at: warning.range.lowerBound)
                )
            }
        } catch {
            self.error(
                "boot-command", "\(name) cannot be typed",
                error.description + ". Put such text into a file that the guest fetches.", at: name,
                element: element(at: error.range.lowerBound))
        }
        for (index, part) in parts.enumerated() {
            for word in Self.unclosed(in: part) {
                self.warning(
                    "boot-command", "<\(word) in \(name) is never closed",
                    "It is typed letter by letter. Write <\(word)>.", at: name, element: row ?? index)
            }
            checkFields(of: part, known: BootSettings.fields, name, element: row ?? index)
        }
    }

    /// Warns about `{{ .Field }}` markers in an option that is rendered while a build runs, and that have no value then.
    mutating func checkFields(of text: String, known: [String], _ name: String, element: Int? = nil) {
        for field in templateFields(of: text).sorted() where !known.contains(field) {
            let hint = suggestion(for: field, among: known).map { "Did you mean {{ .\($0) }}? " } ?? ""
            warning(
                "no-value", "{{ .\(field) }} has no value in \(name)",
                hint + "Known are: " + known.joined(separator: ", ") + ".", at: name, element: element)
        }
    }

    /// Names of keys and waits that follow `<` and are followed by the next `<` or the end, but by no `>`.
    private static func unclosed(in part: String) -> [String] {
        let keys = Set(Keysym.names.map { $0.lowercased() })
        return part.split(separator: "<", omittingEmptySubsequences: false).dropFirst().compactMap { piece in
            guard !piece.contains(">") else { return nil }
            let word = String(piece.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) })
            let lowered = word.lowercased()
            let isWait =
                lowered.hasPrefix("wait") && lowered.dropFirst(4).allSatisfy { $0.isNumber || "hms".contains($0) }
            return isWait || word.count > 1 && keys.contains(lowered) ? word : nil
        }
    }
}

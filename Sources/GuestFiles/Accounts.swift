/// A line of /etc/passwd.
package struct Account: Hashable {
    /// The login name.
    package var name: String
    var owner: Int32
    var group: Int32
    var home: String
    var shell: String

    /// Parses /etc/passwd, skipping malformed lines.
    package static func read(_ text: String) -> [Account] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count >= 7, !fields[0].isEmpty, !fields[0].hasPrefix("#"), let owner = Int32(fields[2]),
                let group = Int32(fields[3]), owner >= 0, group >= 0
            else { return nil }
            return Account(name: fields[0], owner: owner, group: group, home: fields[5], shell: fields[6])
        }
    }
}

/// Whether an account accepts a password.
package enum PasswordState: String, Codable, Sendable {
    case set
    /// The account needs no password.
    case empty
    /// The account has no password, or a locked one.
    case none

    /// - Parameter field: The second field of /etc/shadow.
    init(field: Substring) {
        if field.isEmpty {
            self = .empty
        } else if let first = field.first, "!*x".contains(first) {
            self = .none
        } else {
            self = .set
        }
    }

    /// Parses /etc/shadow.
    package static func read(_ text: String) -> [String: PasswordState] {
        var states: [String: PasswordState] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 1 { states[String(fields[0])] = PasswordState(field: fields[1]) }
        }
        return states
    }
}

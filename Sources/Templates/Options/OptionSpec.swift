/// One option of a component: what it is called, what it takes, and what becomes of it here.
struct OptionSpec: Sendable {
    indirect enum Kind: Sendable {
        case string
        case int
        case bool
        case duration
        case strings
        case ints
        case stringMap
        /// A list of lists of text.
        case rows
        case block([OptionSpec])
    }

    enum Status: Sendable {
        case acted
        /// Accepted without a word, since leaving it out changes nothing.
        case inert
        /// Known, but nothing acts on it yet: a warning.
        case notYet
        /// Packer has dropped it: an error that says what to write instead.
        case gone(String)
        /// An old name that still works: a warning that gives the new one.
        case renamed(String)
    }

    var name: String
    var kind: Kind
    var status: Status
    /// Left unrendered when the component is prepared; rendered when it is used.
    var isLate: Bool
    /// What it takes, or what each of its elements can be; empty where that is open.
    var choices: [String]

    init(_ name: String, _ kind: Kind, _ status: Status = .acted, isLate: Bool = false, choices: [String] = []) {
        self.name = name
        self.kind = kind
        self.status = status
        self.isLate = isLate
        self.choices = choices
    }
}

/// An option that takes one of these words.
func choice(_ name: String, _ choices: String) -> [OptionSpec] {
    [OptionSpec(name, .string, choices: choices.split(separator: " ").map(String.init))]
}

/// An option that takes one of a type's words.
func choice<Value: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: Value.Type) -> [OptionSpec] {
    [OptionSpec(name, .string, choices: type.allCases.map(\.rawValue))]
}

/// An option that takes a list of a type's words.
func choices<Value: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: Value.Type) -> [OptionSpec] {
    [OptionSpec(name, .strings, choices: type.allCases.map(\.rawValue))]
}

/// Several options of one kind.
func options(_ names: String, _ kind: OptionSpec.Kind, _ status: OptionSpec.Status = .acted) -> [OptionSpec] {
    names.split(whereSeparator: \.isWhitespace).map { OptionSpec(String($0), kind, status) }
}

/// One option of a component: its name, what it takes, what it is for, and what Ingot does with it.
///
/// Everything that needs to know an option reads this record: decoding and its messages, the JSON schema, `hcl2_upgrade`, the
/// reference documentation and the checkpoint key.
package struct Option: Sendable {
    /// The shape of its value.
    package indirect enum Kind: Sendable {
        case text
        case int
        case bool
        /// Go's notation, such as `1m30s`.
        case duration
        /// A list of texts.
        case list
        case ints
        /// Texts by texts.
        case map
        /// A list of lists of texts.
        case rows
        case block([Option])
    }

    /// What a text means, or each element of a list or map.
    package enum Content: Sendable, Equatable {
        case any
        /// One of these words.
        case choice([String])
        /// A number of bytes, such as `20G`.
        case size
        case secret
        /// A file of this host.
        case file
        case folder
        /// A file or a folder.
        case path
        /// A pattern for files and folders.
        case glob
    }

    package enum Status: Sendable {
        case acted
        /// Accepted without a warning, since ignoring it changes nothing.
        case inert
        /// Known to Packer, but without effect here: a warning.
        case notYet
        /// Removed from Packer: an error that says what to write instead.
        case gone(String)
        /// An old name that still works: a warning that gives the new one.
        case renamed(String)
    }

    package var name: String
    package var kind: Kind
    package var content: Content
    /// One sentence.
    package var meaning: String
    /// For documentation: in the notation of templates or in words; empty where there is none.
    package var defaultValue: String
    /// Without it the component cannot work.
    package var isRequired: Bool
    package var status = Status.acted
    /// Rendered as a template when it is used, not when the component is prepared.
    package var isLate = false
    /// What a late template can ask for, beside the values of the run.
    package var fields: [String] = []
    /// Whether a checkpoint depends on its value.
    package var isInKey = true

    /// What its text or elements can be; empty where anything can be written.
    package var choices: [String] {
        if case .choice(let words) = content { words } else { [] }
    }

    private init(
        _ name: String, _ kind: Kind, _ meaning: String, _ content: Content = .any, default value: String = "",
        required isRequired: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.content = content
        self.meaning = meaning
        defaultValue = value
        self.isRequired = isRequired
    }
}

// MARK: Kinds

extension Option {
    package static func text(
        _ name: String, _ meaning: String, default value: String = "", required: Bool = false
    ) -> Option { Option(name, .text, meaning, default: value, required: required) }

    package static func int(
        _ name: String, _ meaning: String, default value: String = "", required: Bool = false
    ) -> Option { Option(name, .int, meaning, default: value, required: required) }

    package static func bool(_ name: String, _ meaning: String, default value: String = "false") -> Option {
        Option(name, .bool, meaning, default: value)
    }

    package static func duration(
        _ name: String, _ meaning: String, default value: String = "", required: Bool = false
    ) -> Option { Option(name, .duration, meaning, default: value, required: required) }

    package static func size(_ name: String, _ meaning: String, default value: String = "") -> Option {
        Option(name, .text, meaning, .size, default: value)
    }

    package static func sizes(_ name: String, _ meaning: String) -> Option { Option(name, .list, meaning, .size) }

    package static func secret(_ name: String, _ meaning: String) -> Option { Option(name, .text, meaning, .secret) }

    package static func choice(
        _ name: String, _ meaning: String, of words: [String], default value: String = ""
    ) -> Option { Option(name, .text, meaning, .choice(words), default: value) }

    /// One of a type's words.
    package static func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ meaning: String, of type: Value.Type, default value: String = ""
    ) -> Option { choice(name, meaning, of: type.allCases.map(\.rawValue), default: value) }

    /// A list of these words.
    package static func choices(
        _ name: String, _ meaning: String, of words: [String], default value: String = ""
    ) -> Option { Option(name, .list, meaning, .choice(words), default: value) }

    /// A list of a type's words.
    package static func choices<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ meaning: String, of type: Value.Type, default value: String = ""
    ) -> Option { choices(name, meaning, of: type.allCases.map(\.rawValue), default: value) }

    package static func list(
        _ name: String, _ meaning: String, default value: String = "", required: Bool = false
    ) -> Option { Option(name, .list, meaning, default: value, required: required) }

    package static func ints(_ name: String, _ meaning: String, default value: String = "") -> Option {
        Option(name, .ints, meaning, default: value)
    }

    package static func map(_ name: String, _ meaning: String) -> Option { Option(name, .map, meaning) }
    package static func rows(_ name: String, _ meaning: String) -> Option { Option(name, .rows, meaning) }

    package static func file(_ name: String, _ meaning: String, default value: String = "") -> Option {
        Option(name, .text, meaning, .file, default: value)
    }

    package static func files(_ name: String, _ meaning: String) -> Option { Option(name, .list, meaning, .file) }
    package static func folder(_ name: String, _ meaning: String) -> Option { Option(name, .text, meaning, .folder) }
    package static func folders(_ name: String, _ meaning: String) -> Option { Option(name, .list, meaning, .folder) }
    /// A file or a folder.
    package static func path(_ name: String, _ meaning: String) -> Option { Option(name, .text, meaning, .path) }
    package static func paths(_ name: String, _ meaning: String) -> Option { Option(name, .list, meaning, .path) }
    package static func globs(_ name: String, _ meaning: String) -> Option { Option(name, .list, meaning, .glob) }
    /// Files by texts.
    package static func fileMap(_ name: String, _ meaning: String) -> Option { Option(name, .map, meaning, .file) }

    package static func block(_ name: String, _ meaning: String, _ options: [Option]) -> Option {
        Option(name, .block(options), meaning)
    }
}

// MARK: What becomes of it

extension Option {
    /// A template that is rendered when the option is used. `fields` are what it can ask for.
    package func late(_ fields: String...) -> Option { late(fields) }

    package func late(_ fields: [String]) -> Option { changed { ($0.isLate, $0.fields) = (true, fields) } }

    /// Accepted without a warning, since ignoring it changes nothing.
    package var inert: Option { changed { $0.status = .inert } }
    /// Known to Packer, but without effect here.
    package var notYet: Option { changed { $0.status = .notYet } }
    /// No longer an option; `advice` says what to write instead.
    package func gone(_ advice: String) -> Option { changed { $0.status = .gone(advice) } }
    package func renamed(to new: String) -> Option { changed { $0.status = .renamed(new) } }
    /// No checkpoint depends on its value.
    package var outsideKey: Option { changed { $0.isInKey = false } }

    private func changed(_ change: (inout Option) -> Void) -> Option {
        var option = self
        change(&option)
        return option
    }
}

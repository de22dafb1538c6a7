import Diagnostics

/// The value of an option as a template gives it, before it is converted to the option's type. HCL and JSON both come down to this.
indirect enum OptionValue: Hashable, Sendable {
    case null
    /// Not known yet, or not to be had because of an error that was reported already: nothing is to be said about it.
    case unknown
    case string(String)
    /// In its shortest exact decimal form.
    case number(String)
    case bool(Bool)
    case list([OptionValue])
    /// Sorted by key.
    case map([Entry])

    struct Entry: Hashable, Sendable {
        var key: String
        var value: OptionValue
    }

    var isUnknown: Bool {
        switch self {
        case .unknown: true
        case .list(let values): values.contains(where: \.isUnknown)
        case .map(let entries): entries.contains { $0.value.isUnknown }
        default: false
        }
    }

    var kind: String {
        switch self {
        case .null: "null"
        case .unknown: "an unknown value"
        case .string: "text"
        case .number: "a number"
        case .bool: "true or false"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

/// The options of one component, evaluated.
struct OptionBody: Sendable {
    enum Syntax: Sendable {
        case hcl
        /// Strings were rendered already, names are spelt as in the tables, and values are converted as Packer's JSON decoder does.
        case json
    }

    struct Option: Sendable {
        var name: String
        var nameRange: SourceRange?
        var value: OptionValue
        var valueRange: SourceRange?
        /// Of the elements, where the value is a list that is written out; else empty.
        var elementRanges: [SourceRange] = []
    }

    struct Block: Sendable {
        var name: String
        var header: SourceRange?
        var body: OptionBody
    }

    /// What is pointed at when an option is missing.
    var header: SourceRange?
    var options: [Option] = []
    var blocks: [Block] = []
    /// What dynamic blocks depend on that is not known yet, so that it is open which blocks there are.
    var unknownBlocks: [SourceRange] = []
    var syntax = Syntax.hcl

    /// Where values are missing that are not known yet, in blocks too.
    var unknowns: [SourceRange] {
        options.filter(\.value.isUnknown).compactMap { $0.valueRange ?? $0.nameRange ?? header } + unknownBlocks
            + blocks.flatMap(\.body.unknowns)
    }
}

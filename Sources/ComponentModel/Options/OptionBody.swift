package import Diagnostics

/// The value of an option as a template gives it, before it is converted to the option's type. HCL and JSON both come down to this.
package indirect enum OptionValue: Hashable, Sendable {
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

    package struct Entry: Hashable, Sendable {
        package var key: String
        package var value: OptionValue

        package init(key: String, value: OptionValue) {
            self.key = key
            self.value = value
        }
    }

    package var isUnknown: Bool {
        switch self {
        case .unknown: true
        case .list(let values): values.contains(where: \.isUnknown)
        case .map(let entries): entries.contains { $0.value.isUnknown }
        default: false
        }
    }

    package var kind: String {
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
package struct OptionBody: Sendable {
    package enum Syntax: Sendable {
        case hcl
        /// Strings were rendered already, names are spelt as in the tables, and values are converted as Packer's JSON decoder does.
        case json
    }

    package struct Option: Sendable {
        package var name: String
        package var nameRange: SourceRange?
        package var value: OptionValue
        package var valueRange: SourceRange?
        /// Of the elements, where the value is a list that is written out; else empty.
        package var elementRanges: [SourceRange]

        package init(
            name: String, nameRange: SourceRange? = nil, value: OptionValue, valueRange: SourceRange? = nil,
            elementRanges: [SourceRange] = []
        ) {
            self.name = name
            self.nameRange = nameRange
            self.value = value
            self.valueRange = valueRange
            self.elementRanges = elementRanges
        }
    }

    package struct Block: Sendable {
        package var name: String
        package var header: SourceRange?
        package var body: OptionBody

        package init(name: String, header: SourceRange?, body: OptionBody) {
            self.name = name
            self.header = header
            self.body = body
        }
    }

    /// What is pointed at when an option is missing.
    package var header: SourceRange?
    package var options: [Option] = []
    package var blocks: [Block] = []
    /// What dynamic blocks depend on that is not known yet, so that it is open which blocks there are.
    package var unknownBlocks: [SourceRange] = []
    package var syntax: Syntax

    package init(header: SourceRange?, syntax: Syntax = .hcl) {
        self.header = header
        self.syntax = syntax
    }

    /// Where values are missing that are not known yet, in blocks too.
    package var unknowns: [SourceRange] {
        options.filter(\.value.isUnknown).compactMap { $0.valueRange ?? $0.nameRange ?? header } + unknownBlocks
            + blocks.flatMap(\.body.unknowns)
    }
}

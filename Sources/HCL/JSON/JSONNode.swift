package import Diagnostics

/// A value of a JSON file with its place.
package struct JSONNode: Hashable, Sendable {
    /// The value.
    package indirect enum Kind: Hashable, Sendable {
        case null
        case bool(Bool)
        /// As it is written.
        case number(String)
        case string(String)
        case array([JSONNode])
        /// In order of appearance, with names that are written twice.
        case object([Member])
    }

    /// A member of an object, with the place of its name.
    package struct Member: Hashable, Sendable {
        package var name: String
        package var nameRange: SourceRange
        /// As `JSONNode.offsets`, for the name.
        var nameOffsets: [Int]?
        package var value: JSONNode

        package init(name: String, nameRange: SourceRange, value: JSONNode) {
            self.name = name
            self.nameRange = nameRange
            self.value = value
        }
    }

    package var kind: Kind
    /// Quotes and brackets included.
    package var range: SourceRange
    /// Of a string, where each byte is in the file, and the closing quote; nil where there is no escape.
    var offsets: [Int]?

    package init(kind: Kind, range: SourceRange) {
        self.kind = kind
        self.range = range
    }

    /// What it is, in words for a message.
    var name: String {
        switch kind {
        case .null: "null"
        case .bool: "a bool"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

import Diagnostics

/// A value of a JSON file with its place. Objects keep the order of their properties, and repeated ones.
struct JSONNode {
    struct Property {
        var name: JSONText
        var value: JSONNode
    }

    enum Kind {
        case null
        case bool(Bool)
        case number(Number)
        case string(JSONText)
        case array([JSONNode])
        case object([Property])
    }

    var kind: Kind
    var range: SourceRange

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

/// A string of JSON with its escapes read.
struct JSONText {
    var bytes: [UInt8]
    /// With the quotes.
    var range: SourceRange
    /// Where each byte stands in the file, and the closing quote; nil where there is no escape.
    var offsets: [Int]?

    var text: String { normalized(String(decoding: bytes, as: UTF8.self)) }
}

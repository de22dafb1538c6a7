/// A value inside a Go template.
package enum GoValue: Hashable, Sendable {
    /// What a missing key gives; it prints as `<no value>`.
    case none
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(String)
    case list([GoValue])
    case map([String: GoValue])

    package var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let values): !values.isEmpty
        case .map(let values): !values.isEmpty
        }
    }

    /// As Go's `fmt.Print` writes it.
    package var text: String {
        switch self {
        case .none: "<no value>"
        case .bool(let value): String(value)
        case .int(let value): String(value)
        case .float(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .string(let value): value
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .map(let values):
            "map[" + values.sorted { $0.key < $1.key }.map { $0.key + ":" + $0.value.text }.joined(separator: " ") + "]"
        }
    }

    package var typeName: String {
        switch self {
        case .none: "nothing"
        case .bool: "a boolean"
        case .int: "an integer"
        case .float: "a number"
        case .string: "text"
        case .list: "a list"
        case .map: "a map"
        }
    }
}

/// A Go template that cannot be parsed or rendered.
package struct GoTemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// Where, in UTF-8 bytes of the text; nil if no place is to blame.
    package var offset: Int?

    package init(_ message: String, at offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }

    package var description: String { message }
}

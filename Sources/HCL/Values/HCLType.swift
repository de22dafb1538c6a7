/// A type of the language, as `variable.type` declares it.
public indirect enum HCLType: Hashable, Sendable {
    /// An attribute of an object type.
    public struct Attribute: Hashable, Sendable {
        public var type: HCLType
        public var isOptional: Bool
        public var defaultValue: Value?

        public init(_ type: HCLType, isOptional: Bool = false, defaultValue: Value? = nil) {
            self.type = type
            self.isOptional = isOptional
            self.defaultValue = defaultValue
        }
    }

    case any, string, number, bool
    case list(HCLType)
    case set(HCLType)
    case map(HCLType)
    case tuple([HCLType])
    case object([String: Attribute])

    /// As it is written: `list(string)`.
    public var name: String {
        switch self {
        case .any: "any"
        case .string: "string"
        case .number: "number"
        case .bool: "bool"
        case .list(let element): "list(\(element.name))"
        case .set(let element): "set(\(element.name))"
        case .map(let element): "map(\(element.name))"
        case .tuple(let elements): "tuple([\(elements.map(\.name).joined(separator: ", "))])"
        case .object(let attributes):
            "object({\(attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.type.name)" }.joined(separator: ", "))})"
        }
    }
}

extension Value {
    /// The value's own type; `any` for what has none, such as null.
    public var type: HCLType {
        switch self {
        case .null, .unknown: .any
        case .string: .string
        case .number: .number
        case .bool: .bool
        case .list(let values): .list(values.first?.type ?? .any)
        case .set(let values): .set(values.first?.type ?? .any)
        case .map(let values): .map(values.min { $0.key < $1.key }?.value.type ?? .any)
        case .tuple(let values): .tuple(values.map(\.type))
        case .object(let values): .object(values.mapValues { HCLType.Attribute($0.type) })
        case .sensitive(let value): value.type
        }
    }
}

/// A value of the language.
public indirect enum Value: Hashable, Sendable {
    case null
    /// Not known yet, or not to be had because of an error that was reported already.
    case unknown
    case string(String)
    case number(Number)
    case bool(Bool)
    case list([Value])
    /// Sorted, without duplicates.
    case set([Value])
    case tuple([Value])
    case map([String: Value])
    case object([String: Value])
    /// A value that must not be shown. Whatever is made of it is sensitive too, so that none appears where none goes in.
    case sensitive(Value)

    public var isNull: Bool {
        switch self {
        case .null: true
        case .sensitive(let value): value.isNull
        default: false
        }
    }

    public var isKnown: Bool {
        switch self {
        case .unknown: false
        case .sensitive(let value): value.isKnown
        default: true
        }
    }

    /// Whether lists and objects in it are nested more than `limit` levels.
    package func isDeeper(than limit: Int) -> Bool {
        switch self {
        case .list(let values), .set(let values), .tuple(let values):
            limit == 0 || values.contains { $0.isDeeper(than: limit - 1) }
        case .map(let values), .object(let values):
            limit == 0 || values.values.contains { $0.isDeeper(than: limit - 1) }
        case .sensitive(let value): value.isDeeper(than: limit)
        default: false
        }
    }

    /// Whether there are more than `limit` values in it, itself included. No more are counted.
    package func hasMore(than limit: Int) -> Bool {
        var rest = limit
        func count(_ value: Value) -> Bool {
            rest -= 1
            guard rest >= 0 else { return false }
            return switch value {
            case .list(let values), .set(let values), .tuple(let values): values.allSatisfy(count)
            case .map(let values), .object(let values): values.values.allSatisfy(count)
            case .sensitive(let value): count(value)
            case .null, .unknown, .string, .number, .bool: true
            }
        }
        return !count(self)
    }

    /// Nothing in it is unknown, however deep.
    public var isWhollyKnown: Bool {
        switch self {
        case .unknown: false
        case .list(let values), .set(let values), .tuple(let values): values.allSatisfy(\.isWhollyKnown)
        case .map(let values), .object(let values): values.values.allSatisfy(\.isWhollyKnown)
        case .sensitive(let value): value.isWhollyKnown
        default: true
        }
    }

    public var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    public var numberValue: Number? { if case .number(let number) = self { number } else { nil } }
    public var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// The members of a list, set or tuple.
    public var elements: [Value]? {
        switch self {
        case .list(let values), .set(let values), .tuple(let values): values
        default: nil
        }
    }

    /// The members of a map or object.
    public var attributes: [String: Value]? {
        switch self {
        case .map(let values), .object(let values): values
        default: nil
        }
    }

    /// What the value is, in words for a message.
    public var kind: String {
        switch self {
        case .null: "null"
        case .unknown: "an unknown value"
        case .string: "a string"
        case .number: "a number"
        case .bool: "a bool"
        case .list: "a list"
        case .set: "a set"
        case .tuple: "a tuple"
        case .map: "a map"
        case .object: "an object"
        case .sensitive(let value): value.kind
        }
    }

    /// Members with their keys, in the order in which `for` sees them; nil for what has no members.
    public var members: [(key: Value, value: Value)]? {
        switch self {
        case .list(let values), .tuple(let values):
            return values.enumerated().map { (.number(Number($0.offset)), $0.element) }
        case .set(let values): return values.map { ($0, $0) }
        case .map(let values), .object(let values):
            return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
                (.string($0.key), $0.value)
            }
        default: return nil
        }
    }

    /// A set: sorted by value, duplicates left out.
    public static func makeSet(_ values: [Value]) -> Value {
        // The members of a set have no places of their own, so a sensitive one makes the whole sensitive.
        if values.contains(where: \.containsSensitive) { return .sensitive(makeSet(values.map(\.revealed))) }
        var seen: Set<Value> = []
        let unique = values.filter { seen.insert($0).inserted }
        return .set(unique.sorted(by: precedes))
    }

    private static func precedes(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.number(let a), .number(let b)): a < b
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        case (.bool(let a), .bool(let b)): !a && b
        default: "\(a)" < "\(b)"
        }
    }
}

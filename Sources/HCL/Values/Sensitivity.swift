extension Value {
    /// The value itself is sensitive, not only something inside it.
    public var isSensitive: Bool { if case .sensitive = self { true } else { false } }

    /// The value or something in it, however deep, is sensitive.
    public var containsSensitive: Bool {
        switch self {
        case .sensitive: true
        case .list(let values), .set(let values), .tuple(let values): values.contains(where: \.containsSensitive)
        case .map(let values), .object(let values): values.values.contains(where: \.containsSensitive)
        default: false
        }
    }

    /// The value without any mark, for what may see secrets.
    public var revealed: Value {
        guard containsSensitive else { return self }
        switch self {
        case .sensitive(let value): return value.revealed
        case .list(let values): return .list(values.map(\.revealed))
        case .set(let values): return .set(values.map(\.revealed))
        case .tuple(let values): return .tuple(values.map(\.revealed))
        case .map(let values): return .map(values.mapValues(\.revealed))
        case .object(let values): return .object(values.mapValues(\.revealed))
        default: return self
        }
    }

    /// The value without its own mark.
    var unwrapped: Value { if case .sensitive(let value) = self { value.unwrapped } else { self } }

    /// The value, sensitive if asked for.
    public func marked(_ isSensitive: Bool) -> Value {
        isSensitive && !self.isSensitive ? .sensitive(self) : self
    }
}

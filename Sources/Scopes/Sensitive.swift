/// A secret. It prints as `<sensitive>` and has an empty mirror.
public struct Sensitive<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    public init(_ value: Value) { self.value = value }

    /// The secret itself. Call this only where it is used.
    public func reveal() -> Value { value }

    public var description: String { "<sensitive>" }
    public var debugDescription: String { "<sensitive>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Sensitive: Equatable where Value: Equatable {}
extension Sensitive: Hashable where Value: Hashable {}

/// Why a value cannot become one of another type, with the place inside it: `at [2].size: a number is required`.
public struct ConversionProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var message: String

    public var description: String { path.isEmpty ? message : "at \(path): \(message)" }

    func inside(_ step: String) -> ConversionProblem {
        ConversionProblem(path: step + path, message: message)
    }
}

extension Value {
    /// The value as one of the given type: numbers and bools to text and back where the text says one, tuples to lists and
    /// sets, objects to maps and back. Null and unknown are of every type.
    public func converted(to type: HCLType) -> Result<Value, ConversionProblem> {
        do throws(ConversionProblem) { return .success(try convert(to: type)) } catch { return .failure(error) }
    }

    func convert(to type: HCLType) throws(ConversionProblem) -> Value {
        switch (type, self) {
        case (_, .sensitive(let value)):
            do { return try value.convert(to: type).marked(true) } catch {
                throw ConversionProblem(
                    path: "", message: "\(type.requirement) is required, not this \(value.kind.dropFirst(2))")
            }
        case (.any, _), (_, .null), (_, .unknown), (.string, .string), (.number, .number), (.bool, .bool): return self
        case (.string, .number(let number)): return .string(number.text)
        case (.string, .bool(let flag)): return .string(flag ? "true" : "false")
        case (.number, .string(let text)):
            if let number = Number(text) { return .number(number) }
        case (.bool, .string(let text)):
            switch text {
            case "true", "1": return .bool(true)
            case "false", "0": return .bool(false)
            default: break
            }
        case (.list(let element), _):
            if let values = elements { return .list(try Self.convert(values, to: element)) }
        case (.set(let element), _):
            if let values = elements { return .makeSet(try Self.convert(values, to: element)) }
        case (.tuple(let types), _):
            if let values = elements, values.count == types.count {
                var converted: [Value] = []
                for (index, (value, type)) in zip(values, types).enumerated() {
                    do { converted.append(try value.convert(to: type)) } catch { throw error.inside("[\(index)]") }
                }
                return .tuple(converted)
            }
        case (.map(let element), _):
            if let values = attributes { return .map(try Self.convert(values, to: element)) }
        case (.object(let attributes), _):
            if let values = self.attributes { return try Self.convert(values, to: attributes) }
        default: break
        }
        throw ConversionProblem(path: "", message: "\(type.requirement) is required, not \(shown)")
    }

    private static func convert(_ values: [Value], to type: HCLType) throws(ConversionProblem) -> [Value] {
        guard let type = type == .any ? unifiedType(of: values) : type else {
            throw ConversionProblem(path: "", message: "all elements must have the same type")
        }
        var converted: [Value] = []
        for (index, value) in values.enumerated() {
            do { converted.append(try value.convert(to: type)) } catch { throw error.inside("[\(index)]") }
        }
        guard type.isOpen, let common = unifiedType(of: converted), !common.isOpen else { return converted }
        for (index, value) in converted.enumerated() { converted[index] = try value.convert(to: common) }
        return converted
    }

    private static func convert(
        _ values: [String: Value], to type: HCLType
    ) throws(ConversionProblem) -> [String: Value] {
        guard let type = type == .any ? unifiedType(of: Array(values.values)) : type else {
            throw ConversionProblem(path: "", message: "all elements must have the same type")
        }
        var converted: [String: Value] = [:]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            do { converted[key] = try value.convert(to: type) } catch { throw error.inside("[\"\(key)\"]") }
        }
        guard type.isOpen, let common = unifiedType(of: Array(converted.values)), !common.isOpen else {
            return converted
        }
        for (key, value) in converted { converted[key] = try value.convert(to: common) }
        return converted
    }

    private static func convert(
        _ values: [String: Value], to attributes: [String: HCLType.Attribute]
    ) throws(ConversionProblem) -> Value {
        var converted: [String: Value] = [:]
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            guard let value = values[name], !(value == .null && attribute.defaultValue != nil) else {
                guard attribute.isOptional else {
                    throw ConversionProblem(path: "", message: "attribute \"\(name)\" is required")
                }
                converted[name] = attribute.defaultValue ?? .null
                continue
            }
            do { converted[name] = try value.convert(to: attribute.type) } catch { throw error.inside(".\(name)") }
        }
        return .object(converted)
    }

    private var shown: String {
        switch self {
        case .string(let text) where text.utf8.count <= 40: "the string \"\(text)\""
        default: kind
        }
    }

    /// The one type that all of the values can become; nil where there is none.
    static func unifiedType(of values: [Value]) -> HCLType? {
        let kinds = values.filter { $0.isKnown && !$0.isNull }.map(\.revealed)
        guard let first = kinds.first else { return .any }
        let type = first.type
        if kinds.dropFirst().allSatisfy({ $0.type == type }) { return type }
        let isPrimitive = kinds.allSatisfy { $0.stringValue != nil || $0.numberValue != nil || $0.boolValue != nil }
        // A number is not a bool and a bool no number; text is the way only where there is text already.
        if isPrimitive { return kinds.contains { $0.stringValue != nil } ? .string : nil }
        let tuples = kinds.compactMap { if case .tuple(let members) = $0 { members } else { nil } }
        if tuples.count == kinds.count, tuples.allSatisfy({ $0.count == tuples[0].count }) {
            let types = tuples[0].indices.map { index in unifiedType(of: tuples.map { $0[index] }) }
            return types.contains(nil) ? nil : .tuple(types.compactMap { $0 })
        }
        if kinds.allSatisfy({ $0.elements != nil }) {
            let inner = kinds.flatMap { $0.elements ?? [] }
            return unifiedType(of: inner).map { .list($0) }
        }
        if kinds.allSatisfy({ $0.attributes != nil }) {
            let inner = kinds.flatMap { ($0.attributes ?? [:]).values }
            let names = Set(kinds.map { Set(($0.attributes ?? [:]).keys) })
            if names.count == 1, let keys = names.first,
                kinds.allSatisfy({ if case .object = $0 { true } else { false } })
            {
                var attributes: [String: HCLType.Attribute] = [:]
                for key in keys {
                    guard let type = unifiedType(of: kinds.compactMap { $0.attributes?[key] }) else { return nil }
                    attributes[key] = HCLType.Attribute(type)
                }
                return .object(attributes)
            }
            return unifiedType(of: inner).map { .map($0) }
        }
        return nil
    }
}

extension HCLType {
    /// Something in it may be of any type.
    fileprivate var isOpen: Bool {
        switch self {
        case .any: true
        case .string, .number, .bool: false
        case .list(let element), .set(let element), .map(let element): element.isOpen
        case .tuple(let elements): elements.contains(where: \.isOpen)
        case .object(let attributes): attributes.values.contains { $0.type.isOpen }
        }
    }

    fileprivate var requirement: String {
        switch self {
        case .any: "any value"
        case .string: "a string"
        case .number: "a number"
        case .bool: "a bool"
        case .list(let element): "a list of \(element.name)"
        case .set(let element): "a set of \(element.name)"
        case .map(let element): "a map of \(element.name)"
        case .tuple(let elements): "a tuple of \(elements.count)"
        case .object: "an object"
        }
    }
}

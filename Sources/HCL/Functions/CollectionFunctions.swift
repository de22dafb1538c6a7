let collectionFunctions: [String: Function] = [
    "alltrue": Function(.list(.bool), takesAnything: true) { arguments throws(FunctionError) in
        let values = try arguments.elements(0)
        if values.contains(where: { $0 == .bool(false) || $0.isNull }) { return .bool(false) }
        return values.allSatisfy(\.isKnown) ? .bool(true) : .unknown
    },
    "anytrue": Function(.list(.bool), takesAnything: true) { arguments throws(FunctionError) in
        let values = try arguments.elements(0)
        if values.contains(.bool(true)) { return .bool(true) }
        return values.allSatisfy(\.isKnown) ? .bool(false) : .unknown
    },
    "chunklist": Function(.list(.any), .number, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let values = try arguments.elements(0)
        let size = try arguments.int(1)
        guard size >= 0 else { throw FunctionError("the size must not be negative", argument: 1) }
        if size == 0 || values.isEmpty { return .list(values.isEmpty ? [] : [.list(values)]) }
        return .list(
            stride(from: 0, to: values.count, by: size).map { .list(Array(values[$0..<min($0 + size, values.count)])) })
    },
    "coalesce": Function(.any, isVariadic: true, takesAnything: true) { arguments throws(FunctionError) in
        guard let type = Value.unifiedType(of: arguments) else {
            throw FunctionError("all arguments must have the same type")
        }
        if !arguments.allSatisfy(\.isKnown) { return .unknown }
        for argument in arguments where !argument.isNull && argument != .string("") {
            if case .success(let value) = argument.converted(to: type) { return value }
            return argument
        }
        throw FunctionError("no argument is neither null nor empty")
    },
    "coalescelist": Function(.any, isVariadic: true, takesAnything: true) { arguments throws(FunctionError) in
        for argument in arguments {
            if !argument.isKnown { return .unknown }
            if let elements = argument.elements, !elements.isEmpty { return argument }
        }
        throw FunctionError("no non-null arguments")
    },
    "compact": Function(.any, takesAnything: true) { arguments throws(FunctionError) in
        if arguments.first?.isWhollyKnown == false { return .unknown }
        let kept = try arguments.elements(0).filter { !$0.isNull && $0 != .string("") }
        return .strings(try [.list(kept)].strings(0))
    },
    "concat": Function(.any, isVariadic: true, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        guard !arguments.isEmpty else { throw FunctionError("at least one list is required") }
        var all: [Value] = []
        for index in arguments.indices { all += try arguments.sequence(index) }
        let areLists = arguments.allSatisfy { if case .list = $0 { true } else { false } }
        if areLists, let type = Value.unifiedType(of: all),
            case .success(let list) = Value.list(all).converted(to: .list(type))
        {
            return list
        }
        return .tuple(all)
    },
    "contains": Function(.any, .any) { arguments throws(FunctionError) in
        .bool(try arguments.elements(0).contains(arguments[1]))
    },
    "distinct": Function(.list(.any)) { arguments throws(FunctionError) in
        var seen: Set<Value> = []
        return .list(try arguments.elements(0).filter { seen.insert($0).inserted })
    },
    "element": Function(.any, .number, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let values = try arguments.sequence(0)
        let index = try arguments.int(1)
        guard !values.isEmpty else { throw FunctionError("the list is empty", argument: 0) }
        guard index >= 0 else { throw FunctionError("the index must not be negative", argument: 1) }
        return values[index % values.count]
    },
    "flatten": Function(.any) { arguments throws(FunctionError) in
        func flat(_ values: [Value]) -> [Value] { values.flatMap { $0.elements.map(flat) ?? [$0] } }
        return .tuple(flat(try arguments.elements(0)))
    },
    "index": Function(.any, .any) { arguments throws(FunctionError) in
        guard let index = try arguments.elements(0).firstIndex(of: arguments[1]) else {
            throw FunctionError("the value is not in the list", argument: 1)
        }
        return .number(Number(index))
    },
    "keys": Function(.any, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let keys = sortedKeys(try arguments.attributes(0)).map { Value.string($0) }
        if case .map = arguments[0] { return .list(keys) }
        return .tuple(keys)
    },
    "values": Function(.any, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let attributes = try arguments.attributes(0)
        let values = sortedKeys(attributes).compactMap { attributes[$0] }
        if case .map = arguments[0] { return .list(values) }
        return .tuple(values)
    },
    "length": Function(.any, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        if let text = arguments[0].stringValue { return .number(Number(text.count)) }
        if let elements = arguments[0].elements { return .number(Number(elements.count)) }
        if let attributes = arguments[0].attributes { return .number(Number(attributes.count)) }
        throw FunctionError("a string, list or map is required, not \(arguments[0].kind)", argument: 0)
    },
    "lookup": Function(.any, .string, .any, takesAnything: true) { arguments throws(FunctionError) in
        guard arguments[0].isKnown, arguments[1].isKnown else { return .unknown }
        let members = try arguments.attributes(0)
        if let value = members[try arguments.string(1)] { return value }
        guard case .map = arguments[0], let type = Value.unifiedType(of: Array(members.values)) else {
            return arguments[2]
        }
        guard case .success(let value) = arguments[2].converted(to: type) else {
            throw FunctionError("the default must be \(type.name), as the elements are", argument: 2)
        }
        return value
    },
    "merge": Function(.any, isVariadic: true, takesAnything: true) { arguments throws(FunctionError) in
        var merged: [String: Value] = [:]
        var areMaps = !arguments.isEmpty
        for (index, argument) in arguments.enumerated() where !argument.isNull {
            if !argument.isKnown { return .unknown }
            merged.merge(try arguments.attributes(index)) { $1 }
            if case .map = argument { continue }
            areMaps = false
        }
        return areMaps ? .map(merged) : .object(merged)
    },
    "reverse": Function(.any, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let values = Array(try arguments.elements(0).reversed())
        if case .tuple = arguments[0] { return .tuple(values) }
        return .list(values)
    },
    "setintersection": Function(.set(.any), isVariadic: true) { arguments throws(FunctionError) in
        let sets = try unified(arguments)
        let common = sets.dropFirst().reduce(sets[0]) { common, other in
            let members = Set(other)
            return common.filter(members.contains)
        }
        return .makeSet(common)
    },
    "setproduct": Function(.any, isVariadic: true) { arguments throws(FunctionError) in
        guard arguments.count >= 2 else { throw FunctionError("at least two sets are required") }
        var rows: [[Value]] = [[]]
        for index in arguments.indices {
            let values = try arguments.elements(index)
            guard rows.count * values.count <= 100_000 else {
                throw FunctionError("the product has more than 100000 elements")
            }
            rows = rows.flatMap { row in values.map { row + [$0] } }
        }
        return .list(rows.map { .tuple($0) })
    },
    "setunion": Function(.set(.any), isVariadic: true) { arguments throws(FunctionError) in
        .makeSet(try unified(arguments).flatMap { $0 })
    },
    "slice": Function(.any, .number, .number, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        if case .set = arguments[0] { throw FunctionError("a set has no order to cut by", argument: 0) }
        let values = try arguments.elements(0)
        let (start, end) = (try arguments.int(1), try arguments.int(2))
        guard start >= 0, start <= end, end <= values.count else {
            throw FunctionError("from \(start) to \(end) is not inside a list of \(values.count)", argument: 1)
        }
        if case .tuple = arguments[0] { return .tuple(Array(values[start..<end])) }
        return .list(Array(values[start..<end]))
    },
    "sort": Function(.list(.string)) { arguments throws(FunctionError) in
        .strings(try arguments.strings(0).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    },
    "zipmap": Function(.list(.string), .any, takesPartlyUnknown: true) { arguments throws(FunctionError) in
        let (keys, values) = (try arguments.strings(0), try arguments.elements(1))
        guard keys.count == values.count else {
            throw FunctionError("there are \(keys.count) keys and \(values.count) values", argument: 1)
        }
        let pairs = Dictionary(zip(keys, values)) { $1 }
        if case .list = arguments[1] { return .map(pairs) }
        return .object(pairs)
    },
]

/// The members of all sets, converted to their common type.
private func unified(_ sets: [Value]) throws(FunctionError) -> [[Value]] {
    guard !sets.isEmpty else { throw FunctionError("at least one set is required") }
    var members: [[Value]] = []
    for index in sets.indices { members.append(try sets.elements(index)) }
    guard let type = Value.unifiedType(of: members.flatMap { $0 }) else {
        throw FunctionError("all sets must have the same element type")
    }
    return members.map { set in
        set.map { member in if case .success(let value) = member.converted(to: type) { value } else { member } }
    }
}

private func sortedKeys(_ attributes: [String: Value]) -> [String] {
    attributes.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

import BigInt

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

let numberFunctions: [String: Function] = [
    "abs": Function(.number) { arguments throws(FunctionError) in
        let number = try arguments.number(0)
        return .number(number < Number(0) ? -number : number)
    },
    "ceil": Function(.number) { arguments throws(FunctionError) in .number(-(-(try arguments.number(0))).floor) },
    "floor": Function(.number) { arguments throws(FunctionError) in .number(try arguments.number(0).floor) },
    "signum": Function(.number) { arguments throws(FunctionError) in
        let number = try arguments.number(0)
        guard number.isInteger else { throw FunctionError("a whole number is required", argument: 0) }
        return .number(Number(number == Number(0) ? 0 : number < Number(0) ? -1 : 1))
    },
    "log": Function(.number, .number) { arguments throws(FunctionError) in
        try result(log(try arguments.number(0).double) / log(try arguments.number(1).double))
    },
    "pow": Function(.number, .number) { arguments throws(FunctionError) in
        try result(pow(try arguments.number(0).double, try arguments.number(1).double))
    },
    "max": Function(.number, isVariadic: true) { arguments throws(FunctionError) in try extreme(arguments, >) },
    "min": Function(.number, isVariadic: true) { arguments throws(FunctionError) in try extreme(arguments, <) },
    "sum": Function(.any) { arguments throws(FunctionError) in
        let values = try arguments.elements(0)
        guard !values.isEmpty else { throw FunctionError("cannot sum an empty list", argument: 0) }
        var sum = Number(0)
        for value in values {
            guard case .success(.number(let number)) = value.converted(to: .number) else {
                throw FunctionError("every element must be a number, and one is \(value.kind)", argument: 0)
            }
            sum = sum + number
        }
        return .number(sum)
    },
    "parseint": Function(.any, .number) { arguments throws(FunctionError) in
        let (text, base) = (try arguments.string(0), try arguments.int(1))
        guard (2...62).contains(base) else { throw FunctionError("the base must be between 2 and 62", argument: 1) }
        guard text.utf8.count <= 1000, let value = integer(text, base: base) else {
            throw FunctionError("\"\(text)\" is not a whole number in base \(base)", argument: 0)
        }
        return .number(Number(value))
    },
    "range": Function(.number, .number, .number, optional: 2) { arguments throws(FunctionError) in
        let start = arguments.count == 1 ? Number(0) : try arguments.number(0)
        let end = try arguments.number(arguments.count == 1 ? 0 : 1)
        let step = arguments.count == 3 ? try arguments.number(2) : Number(end < start ? -1 : 1)
        let zero = Number(0)
        guard step != zero, !(start < end && step < zero), !(start > end && step > zero) else {
            throw FunctionError("the step leads away from the end", argument: 2)
        }
        var values: [Value] = []
        var current = start
        while step > zero ? current < end : current > end {
            guard values.count < 1024 else { throw FunctionError("more than 1024 values would be made") }
            values.append(.number(current))
            current = current + step
        }
        return .list(values)
    },
]

/// An integer in any base up to 62. Up to base 36 the case of letters does not matter, beyond it capitals count from 36.
private func integer(_ text: String, base: Int) -> BigInt? {
    var digits = Array(text.utf8)[...]
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    guard !digits.isEmpty else { return nil }
    var value = BigInt(0)
    for byte in digits {
        let digit: Int
        switch byte {
        case 0x30...0x39: digit = Int(byte) - 0x30
        case 0x61...0x7A: digit = Int(byte) - 0x61 + 10
        case 0x41...0x5A: digit = Int(byte) - 0x41 + (base <= 36 ? 10 : 36)
        default: return nil
        }
        guard digit < base else { return nil }
        value = value * BigInt(base) + BigInt(digit)
    }
    return isNegative ? -value : value
}

private func result(_ number: Double) throws(FunctionError) -> Value {
    guard let number = Number(number) else { throw FunctionError("the result is not a number") }
    return .number(number)
}

private func extreme(_ values: [Value], _ isBetter: (Number, Number) -> Bool) throws(FunctionError) -> Value {
    guard !values.isEmpty else { throw FunctionError("at least one number is required") }
    var best = try values.number(0)
    for index in values.indices {
        let number = try values.number(index)
        if isBetter(number, best) { best = number }
    }
    return .number(best)
}

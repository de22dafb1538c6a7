import FoundationEssentials

func timeFunctions(startTime: Date) -> [String: Function] {
    [
        "timestamp": Function { _ throws(FunctionError) in
            .string(Moment(unix: Int(Date().timeIntervalSince1970), offset: 0).rfc3339)
        },
        "formatdate": Function(.string, .string) { arguments throws(FunctionError) in
            .string(try Moment(try arguments.string(1), argument: 1).formatted(try arguments.string(0)))
        },
        "timeadd": Function(.string, .string) { arguments throws(FunctionError) in
            let moment = try Moment(try arguments.string(0), argument: 0)
            let seconds = try goSeconds(try arguments.string(1))
            return .string(Moment(unix: moment.unix + seconds, offset: moment.offset).rfc3339)
        },
        "legacy_isotime": Function(.string, optional: 1) { arguments throws(FunctionError) in
            let start = Moment(unix: Int(startTime.timeIntervalSince1970), offset: 0)
            return .string(arguments.isEmpty ? start.rfc3339 : start.goFormatted(try arguments.string(0)))
        },
        "legacy_strftime": Function(.string, optional: 1) { arguments throws(FunctionError) in
            let start = Moment(unix: Int(startTime.timeIntervalSince1970), offset: 0)
            return .string(arguments.isEmpty ? start.rfc3339 : start.strftime(try arguments.string(0)))
        },
    ]
}

/// A Go duration in whole seconds: `1h5m`, `-90s`.
private func goSeconds(_ text: String) throws(FunctionError) -> Int {
    let units: [(String, Double)] = [
        ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("h", 3600), ("m", 60), ("s", 1),
    ]
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    var total = 0.0
    let problem = FunctionError("\"\(text)\" is no duration such as 1h5m", argument: 1)
    if rest.isEmpty { throw problem }
    while !rest.isEmpty && rest != "0" {
        let digits = rest.prefix { $0 == "." || $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        guard let number = Double(digits), let unit = units.first(where: { rest.hasPrefix($0.0) }), number < 1e12 else {
            throw problem
        }
        rest = rest.dropFirst(unit.0.count)
        total += number * unit.1
    }
    return Int(isNegative ? -total : total)
}

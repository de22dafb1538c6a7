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
            let duration = try goNanoseconds(try arguments.string(1))
            let (second, billion) = (moment.nanosecond + duration % 1_000_000_000, 1_000_000_000)
            let carry = second < 0 ? -1 : second / billion
            return .string(Moment(unix: moment.unix + duration / billion + carry, offset: moment.offset).rfc3339)
        },
        "rfc3339_parse": Function(.string) { arguments throws(FunctionError) in
            .object(try Moment(try arguments.string(0), argument: 0, allowsSpace: true).fields)
        },
        "unix_timestamp_parse": Function(.number) { arguments throws(FunctionError) in
            let unix = try arguments.int(0)
            // The years 0 to 9999, which RFC 3339 can write.
            guard (-62_167_219_200...253_402_300_799).contains(unix) else {
                throw FunctionError("the year must be between 0 and 9999", argument: 0)
            }
            let moment = Moment(unix: unix, offset: 0)
            return .object(moment.fields.merging(["rfc3339": .string(moment.rfc3339)]) { $1 })
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

/// A Go duration in nanoseconds: `1h5m`, `-90s`, `1.5h`.
private func goNanoseconds(_ text: String) throws(FunctionError) -> Int {
    let units: [(String, Int)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("h", 3_600_000_000_000),
        ("m", 60_000_000_000), ("s", 1_000_000_000),
    ]
    let problem = FunctionError("\"\(text)\" is not a duration such as 1h5m, or one of centuries", argument: 1)
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" { return 0 }
    if rest.isEmpty { throw problem }
    var total = Number(0)
    while !rest.isEmpty {
        let digits = rest.prefix { $0 == "." || $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        guard digits.count < 40, let number = Number(String(digits)),
            let unit = units.first(where: { rest.hasPrefix($0.0) })
        else { throw problem }
        rest = rest.dropFirst(unit.0.count)
        total = total + number * Number(unit.1)
    }
    guard let nanoseconds = total.floor.int else { throw problem }
    return isNegative ? -nanoseconds : nanoseconds
}

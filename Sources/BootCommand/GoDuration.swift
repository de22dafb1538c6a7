/// A duration written as Go writes it: `1h5m`, `1.5h`, `300ms`, `-1s`, `0`.
///
/// An optional sign, then decimal numbers, each with a unit: ns, us (or µs), ms, s, m or h. As in Go, anything else is nil,
/// and so are a bare number other than 0 and a duration that does not fit in 64 bits of nanoseconds.
package func parseGoDuration(_ text: String) -> Duration? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" { return .zero }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
        let whole = rest.prefix(while: \.isDecimalDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix(while: \.isDecimalDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let unit = rest.prefix { !$0.isDecimalDigit && $0 != "." }
        rest = rest.dropFirst(unit.count)
        guard let scale = nanoseconds(in: String(unit)), let count = whole.isEmpty ? 0 : Int64(whole) else {
            return nil
        }
        let (product, overflows) = count.multipliedReportingOverflow(by: scale)
        guard !overflows else { return nil }
        // Digits beyond the nanosecond cannot change the result.
        let part = (Double("0." + fraction.prefix(18)) ?? 0) * Double(scale)
        for term in [product, Int64(part.rounded(.toNearestOrAwayFromZero))] {
            let (sum, overflows) = total.addingReportingOverflow(term)
            guard !overflows else { return nil }
            total = sum
        }
    }
    return .nanoseconds(isNegative ? -total : total)
}

private func nanoseconds(in unit: String) -> Int64? {
    switch unit {
    case "ns": 1
    case "us", "\u{B5}s", "\u{3BC}s": 1000
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    case "h": 3_600_000_000_000
    default: nil
    }
}

extension Character {
    fileprivate var isDecimalDigit: Bool { "0" <= self && self <= "9" && isASCII }
}

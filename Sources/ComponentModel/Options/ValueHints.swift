/// What was probably meant by values that are nearly right.
package enum ValueHints {
    /// `5s` for `5 seconds`, `24h` for `1d`; nil if nothing comes to mind.
    package static func duration(_ text: String) -> String? {
        guard let (count, unit) = split(text) else { return nil }
        switch unit {
        case "", "s", "sec", "secs", "second", "seconds": return "\(count)s"
        case "ms", "msec", "millisecond", "milliseconds": return "\(count)ms"
        case "m", "min", "mins", "minute", "minutes": return "\(count)m"
        case "h", "hr", "hrs", "hour", "hours": return "\(count)h"
        case "d", "day", "days":
            let (hours, overflows) = count.multipliedReportingOverflow(by: 24)
            return overflows ? nil : "\(hours)h"
        default: return nil
        }
    }

    /// `20G` for `20 GB` and `20GiB`.
    package static func size(_ text: String) -> String? {
        guard let (count, unit) = split(text), let letter = unit.first, "kmgt".contains(letter),
            ["", "b", "ib"].contains(unit.dropFirst())
        else { return nil }
        return "\(count)\(letter.uppercased())"
    }

    /// `true` for `yes` and `on`.
    package static func bool(_ text: String) -> String? {
        switch text.lowercased() {
        case "yes", "on", "enabled", "y", "true": "true"
        case "no", "off", "disabled", "n", "false": "false"
        default: nil
        }
    }

    /// A whole number and the word after it, in lower case.
    private static func split(_ text: String) -> (Int, String)? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int(digits) else { return nil }
        return (count, text.dropFirst(digits.count).filter { !$0.isWhitespace }.lowercased())
    }
}

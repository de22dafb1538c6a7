/// A point in time in a fixed zone, taken apart into calendar fields.
struct Moment {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// Seconds since 1970 in UTC.
    let unix: Int
    /// Seconds east of UTC.
    let offset: Int
    let year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    /// 0 is Sunday.
    let weekday: Int

    init(unix: Int, offset: Int) {
        self.unix = unix
        self.offset = offset
        let local = unix + offset
        let days = local >= 0 ? local / 86400 : (local - 86399) / 86400
        let rest = local - days * 86400
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        weekday = ((days + 4) % 7 + 7) % 7
        // The calendar repeats every 400 years of 146097 days; years are counted from March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Reads RFC 3339: `2006-01-02T15:04:05Z`, `…+02:00`, with or without a fraction.
    init(_ text: String, argument: Int) throws(FunctionError) {
        let pattern = /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:([Zz])|([+-])(\d\d):(\d\d))/
        guard let match = text.wholeMatch(of: pattern) else {
            throw FunctionError("\"\(text)\" is no RFC 3339 time such as 2006-01-02T15:04:05Z", argument: argument)
        }
        func number(_ text: Substring?) -> Int { text.flatMap { Int($0) } ?? 0 }
        let (year, month, day) = (number(match.1), number(match.2), number(match.3))
        guard (1...12).contains(month), (1...31).contains(day), number(match.4) < 24, number(match.5) < 60 else {
            throw FunctionError("\"\(text)\" is no time of the calendar", argument: argument)
        }
        let sign = match.8 == "-" ? -1 : 1
        let offset = sign * (number(match.9) * 3600 + number(match.10) * 60)
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = number(match.4) * 3600 + number(match.5) * 60 + number(match.6)
        self.init(unix: days * 86400 + seconds - offset, offset: offset)
    }

    private static func padded(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    var rfc3339: String {
        "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(day))T\(Self.padded(hour)):\(Self.padded(minute)):\(Self.padded(second))"
            + (offset == 0 ? "Z" : zone(colon: true))
    }

    private func zone(colon: Bool) -> String {
        let minutes = abs(offset) / 60
        return (offset < 0 ? "-" : "+") + Self.padded(minutes / 60) + (colon ? ":" : "") + Self.padded(minutes % 60)
    }

    private var twelveHour: Int { hour % 12 == 0 ? 12 : hour % 12 }
    private var monthName: String { Self.months[month - 1] }
    private var weekdayName: String { Self.weekdays[weekday] }

    // MARK: formatdate

    func formatted(_ layout: String) throws(FunctionError) -> String {
        var result = ""
        var rest = layout[...]
        while let first = rest.first {
            if first == "'" {
                rest.removeFirst()
                while let character = rest.popFirst() {
                    if character != "'" {
                        result.append(character)
                    } else if rest.first == "'" {
                        result.append("'")
                        rest.removeFirst()
                    } else {
                        break
                    }
                }
                continue
            }
            let word = String(rest.prefix { $0 == first })
            rest = rest.dropFirst(word.count)
            guard first.isASCII, first.isLetter else {
                result += word
                continue
            }
            guard let field = field(word) else {
                throw FunctionError("\"\(word)\" is no field of a date; text goes into single quotes", argument: 0)
            }
            result += field
        }
        return result
    }

    private func field(_ word: String) -> String? {
        switch word {
        case "YYYY": Self.padded(year, 4)
        case "YY": Self.padded(year % 100)
        case "MMMM": monthName
        case "MMM": String(monthName.prefix(3))
        case "MM": Self.padded(month)
        case "M": String(month)
        case "DD": Self.padded(day)
        case "D": String(day)
        case "EEEE": weekdayName
        case "EEE": String(weekdayName.prefix(3))
        case "hh": Self.padded(hour)
        case "h": String(hour)
        case "HH": Self.padded(twelveHour)
        case "H": String(twelveHour)
        case "AA": hour < 12 ? "AM" : "PM"
        case "aa": hour < 12 ? "am" : "pm"
        case "mm": Self.padded(minute)
        case "m": String(minute)
        case "ss": Self.padded(second)
        case "s": String(second)
        case "Z": offset == 0 ? "Z" : zone(colon: true)
        case "ZZZ": offset == 0 ? "UTC" : zone(colon: false)
        case "ZZZZ": zone(colon: false)
        case "ZZZZZ": zone(colon: true)
        default: nil
        }
    }

    // MARK: Layouts of Go and C

    func goFormatted(_ layout: String) -> String {
        let fields: [(String, String)] = [
            ("January", monthName), ("Jan", String(monthName.prefix(3))), ("Monday", weekdayName),
            ("Mon", String(weekdayName.prefix(3))), ("MST", "UTC"), ("2006", Self.padded(year, 4)),
            ("-07:00", zone(colon: true)), ("-0700", zone(colon: false)),
            ("Z07:00", offset == 0 ? "Z" : zone(colon: true)),
            ("01", Self.padded(month)), ("02", Self.padded(day)), ("03", Self.padded(twelveHour)),
            ("04", Self.padded(minute)),
            ("05", Self.padded(second)), ("06", Self.padded(year % 100)), ("15", Self.padded(hour)),
            ("PM", hour < 12 ? "AM" : "PM"), ("pm", hour < 12 ? "am" : "pm"), ("_2", day < 10 ? " \(day)" : "\(day)"),
            ("1", String(month)), ("2", String(day)), ("3", String(twelveHour)), ("4", String(minute)),
            ("5", String(second)),
        ]
        var result = ""
        var rest = layout[...]
        while !rest.isEmpty {
            if let (mark, value) = fields.first(where: { rest.hasPrefix($0.0) }) {
                result += value
                rest = rest.dropFirst(mark.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }

    func strftime(_ layout: String) -> String {
        let fields: [Character: String] = [
            "Y": Self.padded(year, 4), "y": Self.padded(year % 100), "m": Self.padded(month), "d": Self.padded(day),
            "H": Self.padded(hour), "I": Self.padded(twelveHour), "M": Self.padded(minute), "S": Self.padded(second),
            "B": monthName, "b": String(monthName.prefix(3)), "A": weekdayName, "a": String(weekdayName.prefix(3)),
            "p": hour < 12 ? "AM" : "PM", "Z": "UTC", "z": zone(colon: false), "s": String(unix), "%": "%",
            "F": "\(Self.padded(year, 4))-\(Self.padded(month))-\(Self.padded(day))",
            "T": "\(Self.padded(hour)):\(Self.padded(minute)):\(Self.padded(second))",
        ]
        var result = ""
        var rest = layout[...]
        while let character = rest.popFirst() {
            guard character == "%", let letter = rest.popFirst() else {
                result.append(character)
                continue
            }
            result += fields[letter] ?? "%\(letter)"
        }
        return result
    }
}

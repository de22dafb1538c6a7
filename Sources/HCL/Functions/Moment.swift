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
    /// Of the second; read and reckoned with, but never shown.
    let nanosecond: Int
    let year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
    /// 0 is Sunday.
    let weekday: Int

    init(unix: Int, offset: Int, nanosecond: Int = 0) {
        self.unix = unix
        self.offset = offset
        self.nanosecond = nanosecond
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
    ///
    /// - Parameter allowsSpace: A space may replace the `T`.
    init(_ text: String, argument: Int, allowsSpace: Bool = false) throws(FunctionError) {
        let malformed = FunctionError(
            "\"\(text)\" is not an RFC 3339 time such as 2006-01-02T15:04:05Z", argument: argument)
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) throws(FunctionError) -> Int {
            guard start + count <= bytes.count else { throw malformed }
            var value = 0
            for byte in bytes[start..<start + count] {
                guard (0x30...0x39).contains(byte) else { throw malformed }
                value = value * 10 + Int(byte) - 0x30
            }
            return value
        }
        func expect(_ character: Unicode.Scalar, _ index: Int) throws(FunctionError) {
            guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { throw malformed }
        }
        let (year, month, day) = (try number(0, 4), try number(5, 2), try number(8, 2))
        let (hour, minute, second) = (try number(11, 2), try number(14, 2), try number(17, 2))
        for (character, index) in [("-" as Unicode.Scalar, 4), ("-", 7), (":", 13), (":", 16)] {
            try expect(character, index)
        }
        if !(allowsSpace && bytes[10] == 0x20) { try expect("T", 10) }
        var index = 19
        var nanosecond = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            var unit = 100_000_000
            index += 1
            let start = index
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
                nanosecond += Int(bytes[index] - 0x30) * unit
                unit /= 10
                index += 1
            }
            guard index > start else { throw malformed }
        }
        var offset = 0
        guard index < bytes.count else { throw malformed }
        if bytes[index] == UInt8(ascii: "Z") {
            index += 1
        } else {
            let sign = bytes[index] == UInt8(ascii: "-") ? -1 : 1
            if sign == 1 { try expect("+", index) }
            try expect(":", index + 3)
            let (hours, minutes) = (try number(index + 1, 2), try number(index + 4, 2))
            guard hours <= 24, minutes < 60 else { throw malformed }
            offset = sign * (hours * 3600 + minutes * 60)
            index += 6
        }
        guard index == bytes.count else { throw malformed }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...lengths[month - 1]).contains(day), hour < 24, minute < 60, second < 60
        else {
            throw FunctionError("\"\(text)\" is not a time of the calendar", argument: argument)
        }
        let days = Self.days(year: year, month: month, day: day)
        self.init(
            unix: days * 86400 + hour * 3600 + minute * 60 + second - offset, offset: offset, nanosecond: nanosecond)
    }

    /// Days since 1970.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// From 1.
    private var yearDay: Int {
        Self.days(year: year, month: month, day: day) - Self.days(year: year, month: 1, day: 1) + 1
    }

    /// What `rfc3339_parse` gives.
    var fields: [String: Value] {
        // The week of the year that its Thursday is in.
        let thursday = Self.days(year: year, month: month, day: day) - (weekday + 6) % 7 + 3
        let isoYear = Moment(unix: thursday * 86400, offset: 0).year
        let isoWeek = (thursday - Self.days(year: isoYear, month: 1, day: 1)) / 7 + 1
        let numbers = [
            "year": year, "year_day": yearDay, "day": day, "month": month, "weekday": weekday, "hour": hour,
            "minute": minute, "second": second, "unix": unix, "iso_year": isoYear, "iso_week": isoWeek,
        ]
        return numbers.mapValues { .number(Number($0)) }.merging(
            ["month_name": .string(monthName), "weekday_name": .string(weekdayName)]) { $1 }
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
                var isClosed = false
                while let character = rest.popFirst() {
                    if character != "'" {
                        result.append(character)
                    } else if rest.first == "'" {
                        result.append("'")
                        rest.removeFirst()
                    } else {
                        isClosed = true
                        break
                    }
                }
                guard isClosed else { throw FunctionError("a quote in the layout is not closed", argument: 0) }
                continue
            }
            let word = String(rest.prefix { $0 == first })
            rest = rest.dropFirst(word.count)
            guard first.isASCII, first.isLetter else {
                result += word
                continue
            }
            guard let field = field(word) else {
                throw FunctionError("\"\(word)\" is not a field of a date; text goes into single quotes", argument: 0)
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
            "j": Self.padded(yearDay, 3), "e": day < 10 ? " \(day)" : String(day), "h": String(monthName.prefix(3)),
            "R": "\(Self.padded(hour)):\(Self.padded(minute))", "n": "\n", "t": "\t", "w": String(weekday),
            "D": "\(Self.padded(month))/\(Self.padded(day))/\(Self.padded(year % 100))",
            "u": String(weekday == 0 ? 7 : weekday), "k": hour < 10 ? " \(hour)" : String(hour),
            "l": twelveHour < 10 ? " \(twelveHour)" : String(twelveHour), "C": Self.padded(year / 100),
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

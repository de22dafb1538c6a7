import FoundationEssentials

/// A moment in UTC by the calendar, for the two ways templates format time.
struct CivilTime {
    /// Unix time.
    var seconds: Int64
    private var nanosecond: Int64
    private var year: Int64
    private var month: Int
    private var day: Int
    private var hour: Int
    private var minute: Int
    private var second: Int
    /// 0 is Sunday.
    private var weekday: Int
    /// From 1.
    private var yearDay: Int

    init(_ date: Date) {
        let interval = min(max(date.timeIntervalSince1970, -6e10), 2.5e11)
        seconds = Int64(interval.rounded(.down))
        nanosecond = Int64(((interval - interval.rounded(.down)) * 1e9).rounded(.down))
        let days = seconds.floorDivided(by: 86400)
        let rest = Int(seconds - days * 86400)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = Int((days % 7 + 11) % 7)
        (year, month, day) = Self.civil(days)
        yearDay = Int(days - Self.days(year, 1, 1)) + 1
    }

    /// Howard Hinnant's days-to-civil algorithm: eras of 400 years that begin in March.
    private static func civil(_ days: Int64) -> (Int64, Int, Int) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, Int(month), Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1))
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.floorDivided(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    private var monthName: String { Self.months[(month - 1 + 12) % 12] }
    private var weekdayName: String { Self.weekdays[(weekday + 7) % 7] }
    private var hour12: Int { hour % 12 == 0 ? 12 : hour % 12 }

    private func padded(_ value: some BinaryInteger, _ width: Int, with fill: String = "0") -> String {
        let text = String(value)
        return String(repeating: fill, count: max(0, width - text.count)) + text
    }

    /// A layout written as Go writes it: the reference time Mon Jan 2 15:04:05 MST 2006.
    func goFormatted(_ layout: String) -> String {
        // The longest words first, so that 2006 is not read as 2 and 006.
        let words: [(String, () -> String)] = [
            ("January", { monthName }), ("Monday", { weekdayName }), ("-07:00:00", { "+00:00:00" }),
            ("Z07:00:00", { "Z" }), ("-070000", { "+000000" }), ("Z070000", { "Z" }), ("-07:00", { "+00:00" }),
            ("Z07:00", { "Z" }), ("-0700", { "+0000" }), ("Z0700", { "Z" }), ("2006", { padded(year, 4) }),
            ("Jan", { String(monthName.prefix(3)) }), ("Mon", { String(weekdayName.prefix(3)) }), ("MST", { "UTC" }),
            ("-07", { "+00" }), ("Z07", { "Z" }), ("002", { padded(yearDay, 3) }),
            ("__2", { padded(yearDay, 3, with: " ") }), ("_2", { padded(day, 2, with: " ") }),
            ("01", { padded(month, 2) }), ("02", { padded(day, 2) }), ("03", { padded(hour12, 2) }),
            ("04", { padded(minute, 2) }), ("05", { padded(second, 2) }), ("06", { padded(year % 100, 2) }),
            ("15", { padded(hour, 2) }), ("PM", { hour < 12 ? "AM" : "PM" }), ("pm", { hour < 12 ? "am" : "pm" }),
            ("1", { String(month) }), ("2", { String(day) }), ("3", { String(hour12) }), ("4", { String(minute) }),
            ("5", { String(second) }),
        ]
        var out = ""
        var rest = Substring(layout)
        scan: while let first = rest.first {
            // `_2006` is an underscore and the year.
            if rest.hasPrefix("_2006") {
                out += "_" + padded(year, 4)
                rest = rest.dropFirst(5)
                continue
            }
            for (word, value) in words where rest.hasPrefix(word) {
                // Go takes "Jan" and "Mon" only where no lower-case letter follows.
                if word == "Jan" || word == "Mon", let next = rest.dropFirst(3).first, next.isLowercase { continue }
                out += value()
                rest = rest.dropFirst(word.count)
                continue scan
            }
            if first == "." || first == ",", let digit = rest.dropFirst().first, digit == "0" || digit == "9" {
                let digits = rest.dropFirst().prefix { $0 == digit }
                if !(rest.dropFirst(digits.count + 1).first?.isNumber ?? false) {
                    out += fraction(first, digits.count, trims: digit == "9")
                    rest = rest.dropFirst(digits.count + 1)
                    continue
                }
            }
            out.append(first)
            rest.removeFirst()
        }
        return out
    }

    private func fraction(_ point: Character, _ count: Int, trims: Bool) -> String {
        var digits = padded(nanosecond, 9).prefix(min(count, 9)) + String(repeating: "0", count: max(0, count - 9))
        if trims { while digits.last == "0" { digits.removeLast() } }
        return digits.isEmpty ? "" : String(point) + digits
    }

    /// C's strftime, as far as Packer's library has it.
    func strftime(_ format: String) throws(GoTemplateError) -> String {
        var out = ""
        var rest = Substring(format)
        while let first = rest.popFirst() {
            guard first == "%" else {
                out.append(first)
                continue
            }
            guard let letter = rest.popFirst() else { throw GoTemplateError("the format ends in %") }
            out += try directive(letter)
        }
        return out
    }

    private func directive(_ letter: Character) throws(GoTemplateError) -> String {
        switch letter {
        case "A": weekdayName
        case "a": String(weekdayName.prefix(3))
        case "B": monthName
        case "b", "h": String(monthName.prefix(3))
        case "C": padded(year / 100, 2)
        case "c":
            "\(weekdayName.prefix(3)) \(monthName.prefix(3)) \(padded(day, 2, with: " ")) "
                + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)) \(year)"
        case "D", "x": "\(padded(month, 2))/\(padded(day, 2))/\(padded(year % 100, 2))"
        case "d": padded(day, 2)
        case "e": padded(day, 2, with: " ")
        case "F": "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        case "H": padded(hour, 2)
        case "I": padded(hour12, 2)
        case "j": padded(yearDay, 3)
        case "k": padded(hour, 2, with: " ")
        case "l": padded(hour12, 2, with: " ")
        case "M": padded(minute, 2)
        case "m": padded(month, 2)
        case "n": "\n"
        case "p": hour < 12 ? "AM" : "PM"
        case "R": "\(padded(hour, 2)):\(padded(minute, 2))"
        case "r": "\(padded(hour12, 2)):\(padded(minute, 2)):\(padded(second, 2)) \(hour < 12 ? "AM" : "PM")"
        case "S": padded(second, 2)
        case "T", "X": "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
        case "t": "\t"
        case "U": padded((yearDay + 6 - weekday) / 7, 2)
        case "u": String(weekday == 0 ? 7 : weekday)
        case "V": padded(isoWeek, 2)
        case "v": "\(padded(day, 2, with: " "))-\(monthName.prefix(3))-\(year)"
        case "W": padded((yearDay + 6 - (weekday + 6) % 7) / 7, 2)
        case "w": String(weekday)
        case "Y": padded(year, 4)
        case "y": padded(year % 100, 2)
        case "Z": "UTC"
        case "z": "+0000"
        case "%": "%"
        default: throw GoTemplateError("%\(letter) is not a time format")
        }
    }

    private var isoWeek: Int {
        let isoWeekday = weekday == 0 ? 7 : weekday
        let week = (yearDay - isoWeekday + 10) / 7
        if week < 1 { return Self.isoWeeks(in: year - 1) }
        return week > Self.isoWeeks(in: year) ? 1 : week
    }

    private static func isoWeeks(in year: Int64) -> Int {
        func weekdayOfLastDay(_ year: Int64) -> Int64 { ((days(year, 12, 31) % 7) + 11) % 7 }
        return weekdayOfLastDay(year) == 4 || weekdayOfLastDay(year - 1) == 3 ? 53 : 52
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

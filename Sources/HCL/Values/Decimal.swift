/// The decimal digits of a number's magnitude: 0.d₁d₂d₃… × 10^`point`.
struct Decimal {
    private(set) var digits: [UInt8]
    private(set) var point: Int

    /// Zeros at both ends are left out; zero itself has no digits.
    init(digits: [UInt8], point: Int) {
        let leading = digits.prefix { $0 == 0 }.count
        var kept = digits[leading...]
        while kept.last == 0 { kept.removeLast() }
        self.digits = Array(kept)
        self.point = kept.isEmpty ? 0 : point - leading
    }

    /// The digits as they are behind another point.
    func digits(from otherPoint: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: max(0, otherPoint - point)) + digits
    }

    func cut(to count: Int) -> Decimal { Decimal(digits: Array(digits.prefix(max(0, count))), point: point) }

    /// The first `count` digits, the last of them one higher.
    func raised(at count: Int) -> Decimal {
        var kept = Array(digits.prefix(max(0, count)))
        kept += [UInt8](repeating: 0, count: max(0, count - kept.count))
        while let last = kept.popLast() {
            if last < 9 { return Decimal(digits: kept + [last + 1], point: point) }
        }
        return Decimal(digits: [1], point: point + 1)
    }

    /// Rounded to `count` digits, half to even.
    func rounded(to count: Int) -> Decimal {
        guard count < digits.count else { return self }
        guard count >= 0 else { return Decimal(digits: [], point: 0) }
        let isHalf = digits[count] == 5 && count + 1 == digits.count
        let raises = isHalf ? count > 0 && digits[count - 1] % 2 == 1 : digits[count] >= 5
        return raises ? raised(at: count) : cut(to: count)
    }

    /// All digits, without an exponent.
    func plain(isNegative: Bool) -> String {
        fixed(places: max(0, digits.count - point), isNegative: isNegative)
    }

    /// With `places` digits behind the point; the digits must have been rounded to them.
    func fixed(places: Int, isNegative: Bool) -> String {
        var text: [UInt8] = isNegative && !digits.isEmpty ? [UInt8(ascii: "-")] : []
        if point <= 0 { text.append(UInt8(ascii: "0")) }
        for index in 0..<max(0, point) { text.append(0x30 + (index < digits.count ? digits[index] : 0)) }
        if places > 0 {
            text.append(UInt8(ascii: "."))
            for index in point..<(point + places) {
                text.append(0x30 + (digits.indices.contains(index) ? digits[index] : 0))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `d.ddde±xx` with `places` digits behind the point.
    func scientific(places: Int, isNegative: Bool, letter: Character) -> String {
        var text = isNegative ? "-" : ""
        text += "\(digits.first ?? 0)"
        if places > 0 {
            text += "."
            for index in 1..<(places + 1) { text += "\(index < digits.count ? digits[index] : 0)" }
        }
        let exponent = digits.isEmpty ? 0 : point - 1
        let size = String(abs(exponent))
        return text + "\(letter)\(exponent < 0 ? "-" : "+")\(size.count < 2 ? "0" : "")\(size)"
    }
}

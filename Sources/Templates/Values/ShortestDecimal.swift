/// A 64-bit float in the fewest decimal digits that give it back.
struct ShortestDecimal {
    private let value: Double
    private let digits: String
    /// Digits in front of the point; negative for zeros behind it.
    private let point: Int

    /// - Parameter value: Finite and not zero.
    init(_ value: Double) {
        self.value = value
        // Swift's form has the fewest digits, too; only the point is elsewhere.
        let parts = String(value.magnitude).split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count > 1 ? mantissa[1] : ""
        var digits = String(mantissa[0] + fraction)
        var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        while digits.hasPrefix("0") {
            digits.removeFirst()
            point -= 1
        }
        while digits.hasSuffix("0") { digits.removeLast() }
        self.digits = digits
        self.point = point
    }

    /// - Parameters:
    ///   - plain: The magnitudes that are written without an exponent.
    ///   - exponentDigits: How many the exponent has at least.
    func text(plain: Range<Double>, exponentDigits: Int) -> String {
        let sign = value < 0 ? "-" : ""
        if !plain.contains(value.magnitude) {
            let rest = digits.dropFirst()
            let exponent = String(abs(point - 1))
            return sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e" + (point > 0 ? "+" : "-")
                + String(repeating: "0", count: max(0, exponentDigits - exponent.count)) + exponent
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point { return sign + digits + String(repeating: "0", count: point - digits.count) }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
}

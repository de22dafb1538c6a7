public import BigInt

/// A decimal number of any size: `mantissa` × 10^`exponent`, kept in its shortest form.
///
/// Sums and products are exact. Quotients that do not end are cut after 100 significant digits, a few more than the 512-bit
/// floats of HCL's reference carry exactly.
public struct Number: Hashable, Sendable, Comparable {
    public private(set) var mantissa: BigInt
    public private(set) var exponent: Int

    private static let quotientDigits = 100
    /// What no honest template comes near; bounds the work that a hostile one can ask for.
    static let largestExponent = 10_000

    public init(_ integer: Int) {
        self.init(mantissa: BigInt(integer), exponent: 0)
    }

    public init(mantissa: BigInt, exponent: Int) {
        guard mantissa != 0 else {
            self.mantissa = 0
            self.exponent = 0
            return
        }
        self.mantissa = mantissa
        self.exponent = exponent
        if mantissa.magnitude.bitWidth < 64, var small = Int64(exactly: mantissa) {
            while small % 10 == 0 {
                small /= 10
                self.exponent += 1
            }
            self.mantissa = BigInt(small)
            return
        }
        while true {
            let (quotient, remainder) = self.mantissa.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            self.mantissa = quotient
            self.exponent += 1
        }
    }

    /// Reads `12`, `-1.5`, `2e10`; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        var digits: [UInt8] = []
        var exponent = 0
        var index = 0
        var isNegative = false
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            isNegative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        var seenPoint = false
        while index < bytes.count, (0x30...0x39).contains(bytes[index]) || bytes[index] == UInt8(ascii: ".") {
            if bytes[index] == UInt8(ascii: ".") {
                if seenPoint { return nil }
                seenPoint = true
            } else {
                digits.append(bytes[index])
                if seenPoint { exponent -= 1 }
            }
            index += 1
        }
        guard !digits.isEmpty else { return nil }
        if index < bytes.count {
            guard bytes[index] | 0x20 == UInt8(ascii: "e"),
                let written = Int(String(decoding: bytes[(index + 1)...], as: UTF8.self)),
                abs(written) <= Self.largestExponent
            else { return nil }
            exponent += written
        }
        guard digits.count <= Self.largestExponent, let mantissa = BigInt(String(decoding: digits, as: UTF8.self))
        else {
            return nil
        }
        self.init(mantissa: isNegative ? -mantissa : mantissa, exponent: exponent)
    }

    public init?(_ double: Double) {
        guard double.isFinite else { return nil }
        if double == double.rounded(), abs(double) < 1e15 {
            self.init(Int(double))
        } else {
            self.init("\(double)")
        }
    }

    public var isInteger: Bool { exponent >= 0 }

    /// The number as an `Int`; nil when it has a fraction or is too large.
    public var int: Int? {
        guard exponent >= 0, exponent < 20 else { return mantissa == 0 ? 0 : nil }
        return Int(exactly: integer)
    }

    public var double: Double { Double("\(mantissa)e\(exponent)") ?? .nan }

    /// The integer part, cut towards zero.
    public var integer: BigInt {
        exponent >= 0 ? mantissa * Self.power(exponent) : mantissa / Self.power(-exponent)
    }

    /// The shortest decimal form: `1.5`, `40960`.
    public var text: String {
        if exponent >= 0 { return String(mantissa) + String(repeating: "0", count: exponent) }
        let digits = String(mantissa.magnitude)
        let places = -exponent
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let point = padded.index(padded.endIndex, offsetBy: -places)
        return (mantissa < 0 ? "-" : "") + padded[..<point] + "." + padded[point...]
    }

    static func power(_ exponent: Int) -> BigInt { BigInt(10).power(exponent) }

    /// Both mantissas at the smaller exponent.
    private static func aligned(_ a: Number, _ b: Number) -> (BigInt, BigInt, Int) {
        let exponent = min(a.exponent, b.exponent)
        return (a.mantissa * power(a.exponent - exponent), b.mantissa * power(b.exponent - exponent), exponent)
    }

    public static func + (a: Number, b: Number) -> Number {
        let (x, y, exponent) = aligned(a, b)
        return Number(mantissa: x + y, exponent: exponent)
    }

    public static func - (a: Number, b: Number) -> Number { a + -b }
    public static prefix func - (a: Number) -> Number { Number(mantissa: -a.mantissa, exponent: a.exponent) }

    public static func * (a: Number, b: Number) -> Number {
        Number(mantissa: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent)
    }

    /// The quotient; nil for a division by zero.
    public func divided(by other: Number) -> Number? {
        guard other.mantissa != 0 else { return nil }
        let shift = max(0, Self.quotientDigits + other.digits - digits)
        return Number(
            mantissa: mantissa * Self.power(shift) / other.mantissa, exponent: exponent - other.exponent - shift)
    }

    /// What a division leaves, with the dividend's sign; nil for a division by zero.
    public func remainder(dividingBy other: Number) -> Number? {
        guard other.mantissa != 0 else { return nil }
        let (x, y, exponent) = Self.aligned(self, other)
        return Number(mantissa: x % y, exponent: exponent)
    }

    public static func < (a: Number, b: Number) -> Bool {
        let (x, y, _) = aligned(a, b)
        return x < y
    }

    private var digits: Int { String(mantissa.magnitude).utf8.count }

    /// Rounded towards minus infinity.
    public var floor: Number {
        if exponent >= 0 { return self }
        let whole = Number(mantissa: integer, exponent: 0)
        return self < whole ? whole - Number(1) : whole
    }
}

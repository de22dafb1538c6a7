public import BigInt

/// A number as HCL's reference has it: a binary float of 512 bits, `mantissa` × 2^`exponent`.
///
/// Integers of any size are exact as long as they are only read and written. A sum, product or quotient is rounded, half to
/// even, to 512 bits or to the longer operand. The text of a number is the shortest that reads back as the same number.
public struct Number: Hashable, Sendable, Comparable {
    /// Odd, or 0.
    let mantissa: BigInt
    let exponent: Int

    static let precision = 512
    /// Every decimal of so many digits reads as a number of its own.
    private static let safeDigits = 153
    /// Of a decimal exponent, and of the digits of a literal. No honest template comes near; bounds the work that a hostile one asks for.
    static let largestExponent = 10_000
    /// The same bound in bits.
    private static let largestMagnitude = 40_000

    public init(_ integer: Int) {
        self.init(mantissa: BigInt(integer), exponent: 0)
    }

    /// The exact number, without rounding.
    init(mantissa: BigInt, exponent: Int) {
        guard mantissa != 0 else {
            self.mantissa = 0
            self.exponent = 0
            return
        }
        let zeros = mantissa.trailingZeroBitCount
        self.mantissa = zeros == 0 ? mantissa : mantissa >> zeros
        self.exponent = exponent + zeros
    }

    /// - Parameter isInexact: The mantissa was cut, with more than one bit beyond the precision left in it.
    private init(rounding mantissa: BigInt, exponent: Int, to bits: Int = precision, isInexact: Bool = false) {
        let excess = mantissa.magnitude.bitWidth - bits
        guard excess > 0 else {
            self.init(mantissa: mantissa, exponent: exponent)
            return
        }
        let magnitude = mantissa.magnitude
        var kept = magnitude >> excess
        let rest = magnitude - kept << excess
        let half = BigUInt(1) << (excess - 1)
        if rest > half || rest == half && (isInexact || kept & 1 == 1) { kept += 1 }
        self.init(mantissa: BigInt(sign: mantissa.sign, magnitude: kept), exponent: exponent + excess)
    }

    /// An integer of any size, exact.
    public init(_ integer: BigInt) {
        self.init(mantissa: integer, exponent: 0)
    }

    /// Reads `12`, `-1.5`, `2e10`; nil for anything else, and for more than 10000 digits or a larger exponent.
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
        guard !digits.isEmpty, digits.count <= Self.largestExponent else { return nil }
        if index < bytes.count {
            guard bytes[index] | 0x20 == UInt8(ascii: "e"),
                let written = Int(String(decoding: bytes[(index + 1)...], as: UTF8.self)),
                abs(written) <= Self.largestExponent
            else { return nil }
            exponent += written
        }
        if digits.count <= 18, exponent == 0 {
            let small = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            self.init(isNegative ? -small : small)
            return
        }
        guard let magnitude = BigUInt(String(decoding: digits, as: UTF8.self)) else { return nil }
        self.init(BigInt(sign: isNegative ? .minus : .plus, magnitude: magnitude), timesTenTo: exponent)
    }

    /// The nearest number to an integer with a decimal exponent.
    private init(_ digits: BigInt, timesTenTo exponent: Int) {
        guard exponent < 0 else {
            self.init(rounding: digits * BigInt(10).power(exponent), exponent: 0)
            return
        }
        self.init(quotient: digits, BigInt(5).power(-exponent), exponent: exponent, bits: Self.precision)
    }

    private init(quotient a: BigInt, _ b: BigInt, exponent: Int, bits: Int) {
        let shift = max(0, bits + 2 + b.magnitude.bitWidth - a.magnitude.bitWidth)
        let (quotient, rest) = (a.magnitude << shift).quotientAndRemainder(dividingBy: b.magnitude)
        self.init(
            rounding: BigInt(sign: a.sign == b.sign ? .plus : .minus, magnitude: quotient), exponent: exponent - shift,
            to: bits, isInexact: rest != 0)
    }

    /// The decimal that `double` prints as, not its exact binary fraction.
    public init?(_ double: Double) {
        guard double.isFinite else { return nil }
        if double == double.rounded(), abs(double) < 1e15 {
            self.init(Int(double))
        } else {
            self.init("\(double)")
        }
    }

    public var isInteger: Bool { exponent >= 0 }
    var isNegative: Bool { mantissa.sign == .minus && mantissa != 0 }

    /// Small enough in both directions to reckon with.
    var isReasonable: Bool { abs(exponent) + mantissa.magnitude.bitWidth <= Self.largestMagnitude }

    /// The number as an `Int`; nil when it has a fraction or is too large.
    public var int: Int? {
        guard exponent >= 0, exponent + mantissa.magnitude.bitWidth <= 64 else { return nil }
        return Int(exactly: integer)
    }

    public var double: Double { Double(text) ?? .nan }

    /// The integer part, cut towards zero.
    public var integer: BigInt {
        if exponent >= 0 { return mantissa << exponent }
        return BigInt(sign: mantissa.sign, magnitude: mantissa.magnitude >> -exponent)
    }

    /// The shortest decimal form without an exponent: `1.5`, `40960`.
    public var text: String {
        if isExactInteger { return String(integer) }
        return shortestDecimal.plain(isNegative: isNegative)
    }

    // MARK: Decimals

    /// No digit of the integer is a matter of rounding.
    private var isExactInteger: Bool {
        let bits = mantissa.magnitude.bitWidth
        return exponent >= 0 && (bits + exponent <= Self.precision || bits > Self.precision)
    }

    /// The exact decimal expansion of the magnitude.
    var exactDecimal: Decimal { Self.decimal(mantissa.magnitude, exponent) }

    /// The shortest decimal that no other number of the same precision is nearer to.
    var shortestDecimal: Decimal {
        let exact = exactDecimal
        if isExactInteger || exact.digits.count <= Self.safeDigits { return exact }
        let bits = max(Self.precision, mantissa.magnitude.bitWidth)
        // One bit more than the precision: its neighbours are half a unit away.
        let shift = bits + 1 - mantissa.magnitude.bitWidth
        let middle = mantissa.magnitude << shift
        let lower = Self.decimal(middle - 1, exponent - shift).digits(from: exact.point)
        let upper = Self.decimal(middle + 1, exponent - shift).digits(from: exact.point)
        let isInclusive = shift > 1 || mantissa.magnitude & 1 == 0
        for (index, digit) in exact.digits.enumerated() {
            let below = index < lower.count ? lower[index] : 0
            let above = index < upper.count ? upper[index] : 0
            let canCut = below != digit || isInclusive && index + 1 == lower.count
            let canRaise = digit != above && (isInclusive || digit + 1 < above || index + 1 < upper.count)
            if canCut && canRaise { return exact.rounded(to: index + 1) }
            if canCut { return exact.cut(to: index + 1) }
            if canRaise { return exact.raised(at: index + 1) }
        }
        return exact
    }

    private static func decimal(_ mantissa: BigUInt, _ exponent: Int) -> Decimal {
        let whole = exponent >= 0 ? mantissa << exponent : mantissa * BigUInt(5).power(-exponent)
        let digits = String(whole).utf8.map { $0 - 0x30 }
        return Decimal(digits: digits, point: digits.count + min(0, exponent))
    }

    // MARK: Reckoning

    /// Both mantissas at the smaller exponent.
    private static func aligned(_ a: Number, _ b: Number) -> (BigInt, BigInt, Int) {
        let exponent = min(a.exponent, b.exponent)
        return (a.mantissa << (a.exponent - exponent), b.mantissa << (b.exponent - exponent), exponent)
    }

    private static func bits(_ a: Number, _ b: Number) -> Int {
        max(precision, a.mantissa.magnitude.bitWidth, b.mantissa.magnitude.bitWidth)
    }

    public static func + (a: Number, b: Number) -> Number {
        let (x, y, exponent) = aligned(a, b)
        return Number(rounding: x + y, exponent: exponent, to: bits(a, b))
    }

    public static func - (a: Number, b: Number) -> Number { a + -b }
    public static prefix func - (a: Number) -> Number { Number(mantissa: -a.mantissa, exponent: a.exponent) }

    public static func * (a: Number, b: Number) -> Number {
        Number(rounding: a.mantissa * b.mantissa, exponent: a.exponent + b.exponent, to: bits(a, b))
    }

    /// The quotient; nil for a division by zero.
    public func divided(by other: Number) -> Number? {
        guard other.mantissa != 0 else { return nil }
        return Number(
            quotient: mantissa, other.mantissa, exponent: exponent - other.exponent, bits: Self.bits(self, other))
    }

    /// What a division leaves, with the dividend's sign; nil for a division by zero.
    public func remainder(dividingBy other: Number) -> Number? {
        guard let quotient = divided(by: other) else { return nil }
        return self - other * Number(quotient.integer)
    }

    public static func < (a: Number, b: Number) -> Bool {
        let (x, y, _) = aligned(a, b)
        return x < y
    }

    /// Rounded towards minus infinity.
    public var floor: Number {
        if exponent >= 0 { return self }
        let whole = Number(integer)
        return self < whole ? whole - Number(1) : whole
    }
}

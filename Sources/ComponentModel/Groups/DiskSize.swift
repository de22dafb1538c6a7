/// `disk_size` in bytes: digits and at most one letter of b k m g t in any case, MiB without a letter.
///
/// Gives nil for anything else (`10GB`, `1.5G`) and for what does not fit.
package func parseDiskSize(_ text: String) -> Int64? {
    guard let last = text.last else { return nil }
    let scale: Int64
    switch last {
    case "b", "B": scale = 1
    case "k", "K": scale = 1 << 10
    case "m", "M": scale = 1 << 20
    case "g", "G": scale = 1 << 30
    case "t", "T": scale = 1 << 40
    default: return parseCount(Substring(text), scale: 1 << 20)
    }
    return parseCount(text.dropLast(), scale: scale)
}

/// An entry of `disk_additional_size` in bytes, as `qemu-img` reads it: a bare number is bytes, fractions are allowed with a suffix.
package func parseImageSize(_ text: String) -> Int64? {
    guard let last = text.last else { return nil }
    let exponent: Int
    switch last {
    case "b", "B": exponent = 0
    case "k", "K": exponent = 10
    case "m", "M": exponent = 20
    case "g", "G": exponent = 30
    case "t", "T": exponent = 40
    case "p", "P": exponent = 50
    default: return parseCount(Substring(text), scale: 1)
    }
    let number = text.dropLast()
    if let whole = parseCount(number, scale: 1 << exponent) { return whole }
    guard number.allSatisfy({ $0 == "." || $0.isASCII && $0.isNumber }), let fraction = Double(number) else {
        return nil
    }
    let bytes = fraction * Double(Int64(1) << exponent)
    return bytes < 9e18 ? Int64(bytes) : nil
}

private func parseCount(_ digits: Substring, scale: Int64) -> Int64? {
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let count = Int64(digits) else {
        return nil
    }
    let (bytes, overflows) = count.multipliedReportingOverflow(by: scale)
    return overflows ? nil : bytes
}

@_spi(_Unicode) import Swift

/// The text in Unicode's normal form C, in which HCL keeps all strings.
func normalized(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var scalars = String.UnicodeScalarView()
    for scalar in text._nfc { scalars.append(scalar) }
    return String(scalars)
}

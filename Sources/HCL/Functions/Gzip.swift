/// Bytes in the gzip format (RFC 1952): one deflate block with the fixed codes (RFC 1951), repeats found by their first three bytes.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var bits = BitWriter(bytes: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    // The last block, with fixed codes.
    bits.write(0b011, count: 3)
    var latest: [Int: Int] = [:]
    var position = 0
    while position < bytes.count {
        var length = 0
        var distance = 0
        if position + 3 <= bytes.count {
            let key = Int(bytes[position]) << 16 | Int(bytes[position + 1]) << 8 | Int(bytes[position + 2])
            if let start = latest[key], position - start <= 32_768 {
                distance = position - start
                while length < 258, position + length < bytes.count, bytes[start + length] == bytes[position + length] {
                    length += 1
                }
            }
            latest[key] = position
        }
        if length < 3 {
            bits.writeSymbol(Int(bytes[position]))
            position += 1
        } else {
            bits.writeRepeat(length: length, distance: distance)
            position += length
        }
    }
    bits.writeSymbol(256)
    bits.finish()
    return bits.bytes + littleEndian(crc32(bytes)) + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
}

private func littleEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var table: [UInt32] = []
    for index in 0..<UInt32(256) {
        var sum = index
        for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
        table.append(sum)
    }
    var sum = ~UInt32(0)
    for byte in bytes { sum = (sum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
    return ~sum
}

private struct BitWriter {
    var bytes: [UInt8]
    private var pending = 0
    private var count = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func write(_ value: Int, count: Int) {
        pending |= value << self.count
        self.count += count
        while self.count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            self.count -= 8
        }
    }

    mutating func finish() {
        if count > 0 { write(0, count: 8 - count) }
    }

    /// Codes are written from their highest bit.
    private mutating func writeCode(_ code: Int, count: Int) {
        for bit in (0..<count).reversed() { write((code >> bit) & 1, count: 1) }
    }

    mutating func writeSymbol(_ symbol: Int) {
        switch symbol {
        case 0..<144: writeCode(0x30 + symbol, count: 8)
        case 144..<256: writeCode(0x190 + symbol - 144, count: 9)
        case 256..<280: writeCode(symbol - 256, count: 7)
        default: writeCode(0xC0 + symbol - 280, count: 8)
        }
    }

    mutating func writeRepeat(length: Int, distance: Int) {
        if length == 258 {
            writeSymbol(285)
        } else {
            // Four codes for each number of extra bits, after eight without any.
            let extra = length < 11 ? 0 : (length - 3).bitWidth - (length - 3).leadingZeroBitCount - 3
            writeSymbol(257 + 4 * extra + ((length - 3) >> extra))
            write((length - 3) & ((1 << extra) - 1), count: extra)
        }
        let extra = distance < 5 ? 0 : (distance - 1).bitWidth - (distance - 1).leadingZeroBitCount - 2
        writeCode(2 * extra + ((distance - 1) >> extra), count: 5)
        write((distance - 1) & ((1 << extra) - 1), count: extra)
    }
}

import CZlib
package import FoundationEssentials

extension Framebuffer {
    /// The screen as a PNG file: 8 bits per channel, no alpha (PNG specification, section 5).
    package func pngData() -> Data {
        var rows: [UInt8] = []
        rows.reserveCapacity(height * (width * 3 + 1))
        for y in 0..<height {
            rows.append(0)  // Filter: none.
            for pixel in pixels[y * width..<(y + 1) * width] {
                rows.append(UInt8(truncatingIfNeeded: pixel >> 16))
                rows.append(UInt8(truncatingIfNeeded: pixel >> 8))
                rows.append(UInt8(truncatingIfNeeded: pixel))
            }
        }
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        png += chunk("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 2, 0, 0, 0])
        png += chunk("IDAT", deflated(rows))
        png += chunk("IEND", [])
        return Data(png)
    }

    private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        let sum = crc32(0, body, UInt32(body.count))
        return bigEndian(UInt32(content.count)) + body + bigEndian(UInt32(truncatingIfNeeded: sum))
    }

    private func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    private func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var count = compressBound(UInt(bytes.count))
        var result = [UInt8](repeating: 0, count: Int(count))
        // The buffer has the size of the worst case, so this does not fail.
        compress2(&result, &count, bytes, UInt(bytes.count), 3)
        return Array(result.prefix(Int(count)))
    }
}

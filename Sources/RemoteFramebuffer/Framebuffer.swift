/// The screen of a guest: rows of pixels from the top, each 0x00RRGGBB.
package struct Framebuffer: Sendable, Equatable {
    /// In pixels.
    package let width: Int
    /// In pixels.
    package let height: Int
    /// Row by row, `width` times `height`.
    package private(set) var pixels: [UInt32]

    /// A black screen.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = Array(repeating: 0, count: width * height)
    }

    /// The pixel at a position inside the screen.
    package subscript(x: Int, y: Int) -> UInt32 {
        get { pixels[y * width + x] }
        set { pixels[y * width + x] = newValue }
    }

    /// Writes a row of pixels at a position, four bytes each: blue, green, red and an unused one. The caller must check that
    /// it fits.
    mutating func putRow(_ bytes: ArraySlice<UInt8>, x: Int, y: Int) {
        bytes.withUnsafeBytes { bytes in
            for index in 0..<bytes.count / 4 {
                let pixel = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
                pixels[y * width + x + index] = pixel & 0xFF_FFFF
            }
        }
    }
}

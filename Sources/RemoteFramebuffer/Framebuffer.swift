/// What a guest shows: rows of pixels from the top, each 0x00RRGGBB.
package struct Framebuffer: Sendable, Equatable {
    package let width: Int
    package let height: Int
    package private(set) var pixels: [UInt32]

    /// A black one.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = Array(repeating: 0, count: width * height)
    }

    /// The pixel at a place inside the picture.
    package subscript(x: Int, y: Int) -> UInt32 {
        get { pixels[y * width + x] }
        set { pixels[y * width + x] = newValue }
    }

    /// Puts rows of pixels at a place; the caller has checked that they fit.
    mutating func put(_ rows: [UInt32], x: Int, y: Int, width: Int, height: Int) {
        for row in 0..<height {
            let target = (y + row) * self.width + x
            pixels.replaceSubrange(target..<target + width, with: rows[row * width..<(row + 1) * width])
        }
    }

    /// Copies a rectangle that lies inside the picture to another place inside it.
    mutating func copy(fromX: Int, fromY: Int, toX: Int, toY: Int, width: Int, height: Int) {
        var rows: [UInt32] = []
        rows.reserveCapacity(width * height)
        for row in 0..<height {
            let start = (fromY + row) * self.width + fromX
            rows += pixels[start..<start + width]
        }
        put(rows, x: toX, y: toY, width: width, height: height)
    }
}

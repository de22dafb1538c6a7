/// The layout of the character cells on a screen. A cell is 16 rows high, and its character is 8 pixels wide.
struct CellGrid {
    /// The distance from one cell to the next in pixels.
    let pitch: Int
    let columns: Int
    let rows: Int
    /// The width of the screen in pixels.
    let stride: Int
    /// Whether the size of the screen is one that only text modes have.
    let isTextMode: Bool

    /// The grid of a screen; nil if the screen is too small for text, or larger than any console.
    init?(width: Int, height: Int) {
        guard (320...4096).contains(width), (200...4096).contains(height) else { return nil }
        isTextMode = height == 400 && (width == 720 || width == 640)
        // VGA text mode puts a ninth column between the characters, blank or, for lines, a copy of the eighth.
        pitch = isTextMode && width == 720 ? 9 : 8
        columns = width / pitch
        rows = height / 16
        stride = width
    }

    /// The index of the first pixel of a cell inside the grid.
    func origin(row: Int, column: Int) -> Int {
        row * 16 * stride + column * pitch
    }
}

/// The contents of a cell.
enum Cell {
    /// One colour only.
    case blank
    /// Two colours: a bit is set for each pixel that is not background.
    case bitmap(CellBitmap)
    /// More than two colours.
    case picture

    /// Reads the cell whose first pixel has the index `origin`. The background is the given colour, or the more frequent
    /// one if the cell does not have it.
    init(_ pixels: UnsafeBufferPointer<UInt32>, origin: Int, stride: Int, background: UInt32) {
        let first = pixels[origin]
        var second = first
        var halves: (upper: UInt64, lower: UInt64) = (0, 0)
        var row = 0
        while row < 16 {
            let start = origin + row * stride
            var bits: UInt64 = 0
            var column = 0
            while column < 8 {
                let pixel = pixels[start + column]
                bits <<= 1
                if pixel != first {
                    if second == first { second = pixel }
                    guard pixel == second else {
                        self = .picture
                        return
                    }
                    bits |= 1
                }
                column += 1
            }
            if row < 8 { halves.upper = halves.upper << 8 | bits } else { halves.lower = halves.lower << 8 | bits }
            row += 1
        }
        guard second != first else {
            self = .blank
            return
        }
        let bitmap = CellBitmap(upper: halves.upper, lower: halves.lower)
        let firstIsBackground = first == background || (second != background && bitmap.inkedPixels <= 64)
        self = .bitmap(firstIsBackground ? bitmap : bitmap.inverted)
    }
}

package import RemoteFramebuffer

/// The text on a screen.
package struct ScreenText: Sendable, Equatable {
    /// A line for each row of character cells, from the top, without trailing spaces. U+FFFD stands for a cell that shows
    /// no known character.
    package var lines: [String]

    package init(lines: [String]) {
        self.lines = lines
    }
}

/// Reads the text of a screen in a VGA text mode (720x400 or 640x400), or of a console drawn with the VGA font on a
/// framebuffer of any other size.
///
/// - Returns: nil if the screen is not a text screen: fewer than nine tenths of the cells in use show known characters,
///   or, outside of the VGA text modes, no letter or digit is shown.
package func textOnScreen(_ framebuffer: Framebuffer) -> ScreenText? {
    guard let grid = CellGrid(width: framebuffer.width, height: framebuffer.height) else { return nil }
    return framebuffer.pixels.withUnsafeBufferPointer { pixels in
        guard pixels.count == framebuffer.width * framebuffer.height else { return nil }
        var reader = ScreenReader(grid: grid, background: mostFrequentColour(pixels, grid))
        return reader.read(pixels)
    }
}

/// The colour of the first pixel of most cells, by Boyer and Moore's majority vote; any colour if there is no majority.
private func mostFrequentColour(_ pixels: UnsafeBufferPointer<UInt32>, _ grid: CellGrid) -> UInt32 {
    var colour: UInt32 = 0
    var votes = 0
    for row in 0..<grid.rows {
        for column in 0..<grid.columns {
            let pixel = pixels[grid.origin(row: row, column: column)]
            if votes == 0 { colour = pixel }
            votes += pixel == colour ? 1 : -1
        }
    }
    return colour
}

package import RemoteFramebuffer

/// The text that a screen shows.
package struct ScreenText: Sendable, Equatable {
    /// A line for each row of character cells, from the top, without the spaces at its end. U+FFFD stands for a cell
    /// that holds no known character.
    package var lines: [String]

    package init(lines: [String]) {
        self.lines = lines
    }
}

/// Reads the text of a text screen: the VGA text modes (720x400 and 640x400) and consoles drawn with the VGA font on
/// a framebuffer of any other size.
///
/// nil where the screen is no text screen: fewer than nine tenths of the cells that hold something are characters, or,
/// outside of the VGA text modes, nothing is shown that is a letter or a digit.
package func textOnScreen(_ framebuffer: Framebuffer) -> ScreenText? {
    guard let grid = CellGrid(width: framebuffer.width, height: framebuffer.height) else { return nil }
    return framebuffer.pixels.withUnsafeBufferPointer { pixels in
        guard pixels.count == framebuffer.width * framebuffer.height else { return nil }
        var reader = ScreenReader(grid: grid, background: mostFrequentColour(pixels, grid))
        return reader.read(pixels)
    }
}

/// The colour that most cells have in their first pixel, by Boyer and Moore's vote: any colour where none has the
/// majority.
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

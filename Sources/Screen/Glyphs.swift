/// The pixels of a character cell of 8 x 16, a bit for each one that is not background: eight rows in each half, the
/// topmost row in the highest byte, the leftmost pixel in the highest bit.
struct CellBitmap: Hashable {
    var upper: UInt64
    var lower: UInt64

    /// The same cell with background and foreground swapped.
    var inverted: CellBitmap { CellBitmap(upper: ~upper, lower: ~lower) }

    var inkedPixels: Int { upper.nonzeroBitCount + lower.nonzeroBitCount }

    /// The number of pixels in which two cells differ.
    func distance(to other: CellBitmap) -> Int {
        (upper ^ other.upper).nonzeroBitCount + (lower ^ other.lower).nonzeroBitCount
    }
}

/// A font to compare cells with.
struct GlyphTable: Sendable {
    /// The most pixels in which a cell may differ from a glyph and still match it.
    private static let tolerance = 3
    /// Glyphs with fewer pixels than this (dots and commas) must match exactly: a few stray pixels are not text.
    private static let leastInkForTolerance = 10

    private var bitmaps: [CellBitmap] = []
    private var characters: [Unicode.Scalar] = []
    private var exact: [CellBitmap: Unicode.Scalar] = [:]

    /// The fonts of the VGA BIOS and of the Linux console, and the one that Debian and Ubuntu load into the console.
    static let consoles = GlyphTable(
        glyphs: zip(vgaFont, codePage437).map { (CellBitmap(upper: $0.upper, lower: $0.lower), $1) }
            + linuxFont.map { (CellBitmap(upper: $0.upper, lower: $0.lower), codePage437[$0.number]) }
            + fixedFont.map { (CellBitmap(upper: $0.upper, lower: $0.lower), $0.character) })

    /// If several characters have the same shape, the first ASCII one is used (the space for blank ones).
    init(glyphs: [(bitmap: CellBitmap, character: Unicode.Scalar)]) {
        let asciiFirst = glyphs.filter(\.character.isASCII) + glyphs.filter { !$0.character.isASCII }
        for (bitmap, character) in asciiFirst where exact[bitmap] == nil {
            exact[bitmap] = character
            bitmaps.append(bitmap)
            characters.append(character)
        }
    }

    /// The character that a cell shows, whichever of its two colours is the background. The given background decides if
    /// both readings are characters, as with half blocks. nil if the cell shows no known character.
    func character(of cell: CellBitmap) -> Unicode.Scalar? {
        let inverted = cell.inverted
        return exact[cell] ?? exact[inverted] ?? underCursor(cell) ?? underCursor(inverted)
            ?? nearest(to: cell, inverted)
    }

    /// The character of a cell whose lower half has rows covered by a cursor. The covered rows may have been anything, so
    /// this is the first character that matches in the other rows.
    private func underCursor(_ cell: CellBitmap) -> Unicode.Scalar? {
        var covered: UInt64 = 0
        for row in 0..<8 {
            let mask = UInt64(0xff) << UInt64(row * 8)
            if cell.lower & mask == mask { covered |= mask }
        }
        // A cursor of several rows is one block without gaps.
        let block = covered >> UInt64(covered.trailingZeroBitCount & 63)
        guard covered != 0, block & (block &+ 1) == 0 else { return nil }
        for (bitmap, character) in zip(bitmaps, characters)
        where bitmap.upper == cell.upper && bitmap.lower | covered == cell.lower {
            return character
        }
        return nil
    }

    private func nearest(to cell: CellBitmap, _ inverted: CellBitmap) -> Unicode.Scalar? {
        var best: Unicode.Scalar?
        var bestDistance = Self.tolerance + 1
        for index in bitmaps.indices {
            let glyph = bitmaps[index]
            let distance = min(glyph.distance(to: cell), glyph.distance(to: inverted))
            guard distance < bestDistance, (Self.leastInkForTolerance...118).contains(glyph.inkedPixels) else {
                continue
            }
            best = characters[index]
            bestDistance = distance
        }
        return best
    }
}

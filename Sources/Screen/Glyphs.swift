/// The pixels of a character cell of 8 x 16, a bit for each one that is not background: eight rows in each half, the
/// topmost row in the highest byte, the leftmost pixel in the highest bit.
struct CellBitmap: Hashable {
    var upper: UInt64
    var lower: UInt64

    /// The same cell with background and foreground exchanged.
    var inverted: CellBitmap { CellBitmap(upper: ~upper, lower: ~lower) }

    var inkedPixels: Int { upper.nonzeroBitCount + lower.nonzeroBitCount }

    /// In how many pixels the two differ.
    func distance(to other: CellBitmap) -> Int {
        (upper ^ other.upper).nonzeroBitCount + (lower ^ other.lower).nonzeroBitCount
    }
}

/// A font to compare cells with.
struct GlyphTable: Sendable {
    /// A cell that differs from a glyph in more pixels than this is not that glyph.
    private static let tolerance = 3
    /// Glyphs with less ink than this (dots and commas) are only recognised exactly: a few stray pixels are no text.
    private static let leastInkForTolerance = 10

    private var bitmaps: [CellBitmap] = []
    private var characters: [Unicode.Scalar] = []
    private var exact: [CellBitmap: Unicode.Scalar] = [:]

    /// The fonts of the VGA BIOS, of the Linux console, and the one that Debian and Ubuntu load into it.
    static let consoles = GlyphTable(
        glyphs: zip(vgaFont, codePage437).map { (CellBitmap(upper: $0.upper, lower: $0.lower), $1) }
            + linuxFont.map { (CellBitmap(upper: $0.upper, lower: $0.lower), codePage437[$0.number]) }
            + fixedFont.map { (CellBitmap(upper: $0.upper, lower: $0.lower), $0.character) })

    /// Where two characters have the same shape, the first ASCII one counts (space for the blank ones).
    init(glyphs: [(bitmap: CellBitmap, character: Unicode.Scalar)]) {
        let asciiFirst = glyphs.filter(\.character.isASCII) + glyphs.filter { !$0.character.isASCII }
        for (bitmap, character) in asciiFirst where exact[bitmap] == nil {
            exact[bitmap] = character
            bitmaps.append(bitmap)
            characters.append(character)
        }
    }

    /// The character that a cell shows, whichever of its two colours is the background; the given one counts where
    /// both readings are characters, as with half blocks. nil where it is none.
    func character(of cell: CellBitmap) -> Unicode.Scalar? {
        let inverted = cell.inverted
        return exact[cell] ?? exact[inverted] ?? underCursor(cell) ?? underCursor(inverted)
            ?? nearest(to: cell, inverted)
    }

    /// The character of a cell in whose lower half a cursor covers whole rows; the rows that it covers may have been
    /// anything, so the first character that agrees in the others is taken.
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

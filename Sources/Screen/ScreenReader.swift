/// Reads a screen cell by cell and decides whether it is text.
struct ScreenReader {
    /// The rows of pixels in which the Linux console shows its logo.
    private static let logoRows = 5

    private let grid: CellGrid
    private let background: UInt32
    private var recognised = 0
    private var unrecognised = 0
    /// Unrecognised cells in the rows that may contain a logo.
    private var unrecognisedInLogo = 0
    private var hasLogo = false
    private var hasWord = false

    init(grid: CellGrid, background: UInt32) {
        self.grid = grid
        self.background = background
    }

    /// The text; nil if the screen is not a text screen.
    mutating func read(_ pixels: UnsafeBufferPointer<UInt32>) -> ScreenText? {
        let mostUnrecognised = grid.rows * grid.columns / 10
        var lines: [String] = []
        lines.reserveCapacity(grid.rows)
        for row in 0..<grid.rows {
            lines.append(readLine(pixels, row: row))
            if row == Self.logoRows - 1 { leaveLogo(&lines) }
            // The remaining cells cannot make up for so many unknown ones.
            if unrecognised > mostUnrecognised { return nil }
        }
        guard recognised * 10 >= (recognised + unrecognised) * 9, grid.isTextMode || hasWord else { return nil }
        return ScreenText(lines: lines)
    }

    private mutating func readLine(_ pixels: UnsafeBufferPointer<UInt32>, row: Int) -> String {
        var line = String.UnicodeScalarView()
        var spaces = 0
        for column in 0..<grid.columns {
            let origin = grid.origin(row: row, column: column)
            let character = read(Cell(pixels, origin: origin, stride: grid.stride, background: background), row: row)
            guard character != " " else {
                spaces += 1
                continue
            }
            line.append(contentsOf: repeatElement(" ", count: spaces))
            line.append(character)
            spaces = 0
        }
        return String(line)
    }

    private mutating func read(_ cell: Cell, row: Int) -> Unicode.Scalar {
        switch cell {
        case .blank:
            return " "
        case .bitmap(let bitmap):
            guard let character = GlyphTable.consoles.character(of: bitmap) else { break }
            recognised += 1
            if character.isASCII, character.properties.isAlphabetic || character.properties.numericType != nil {
                hasWord = true
            }
            return character
        case .picture:
            if row < Self.logoRows { hasLogo = true }
        }
        if row < Self.logoRows { unrecognisedInLogo += 1 } else { unrecognised += 1 }
        return "\u{fffd}"
    }

    /// Removes a logo from the first lines; without one, their unrecognised cells count like all others.
    private mutating func leaveLogo(_ lines: inout [String]) {
        guard hasLogo, !grid.isTextMode else {
            unrecognised += unrecognisedInLogo
            return
        }
        for index in lines.indices {
            let cleared = lines[index].unicodeScalars.map { $0 == "\u{fffd}" ? " " : Character($0) }
            lines[index] = String(String(cleared).reversed().drop { $0 == " " }.reversed())
        }
    }
}

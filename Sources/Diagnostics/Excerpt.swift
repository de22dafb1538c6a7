/// The line on which a range starts, as far as it is drawn: a window around the words if the line is long.
struct Excerpt {
    /// From 1.
    let line: Int
    /// From 1, in characters.
    let column: Int
    private(set) var text = ""
    /// Columns before the underlined words.
    private(set) var padding = 0
    /// Columns of the underlined words, at least one.
    private(set) var width = 0

    /// What is drawn at one place: a character, or the words in place of hidden text.
    private struct Cell {
        var text: String
        var columns: Int
        var isMarked: Bool
    }

    /// A line that is not wider is drawn whole.
    static let widestLine = 120
    /// Of what is drawn of a longer line, in columns, the marks of omission left out.
    static let window = 110
    /// Of words that are too long for the window: how much is shown before them.
    private static let shortestContext = 10
    private static let omission = "…"
    private static let hidden = "<sensitive>"
    /// How far from the start of the words the line is looked at, in bytes.
    private static let reach = 2000
    /// Combining marks can pile up without end.
    private static let mostScalars = 16

    init(_ range: SourceRange, in file: SourceFile) {
        var bytes = Array(file.text.utf8)[...]
        // A byte order mark has no column.
        let first = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        bytes = bytes[first...]
        let start = max(first, min(range.start, bytes.endIndex))
        line = 1 + bytes[..<start].count { $0 == UInt8(ascii: "\n") }
        let lineStart = bytes[..<start].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? first
        var lineEnd = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
        if lineEnd > start, bytes[lineEnd - 1] == UInt8(ascii: "\r") { lineEnd -= 1 }
        column = 1 + Self.characters(bytes[lineStart..<start])
        let markEnd = min(max(range.end, start), lineEnd)

        let from = Self.boundary(max(lineStart, start - Self.reach), in: bytes, upTo: start)
        let to = Self.boundary(min(lineEnd, start + Self.reach), in: bytes, upTo: lineEnd)
        let hidden = file.hidden.filter { $0.lowerBound < to && $0.upperBound > from }
        let cuts = Set([from, start, min(markEnd, to), to] + hidden.flatMap { [$0.lowerBound, $0.upperBound] })
        var cells: [Cell] = []
        var lastHidden: Range<Int>?
        var mark: Int?
        let edges = cuts.filter { from <= $0 && $0 <= to }.sorted()
        for (lower, upper) in zip(edges, edges.dropFirst()) {
            let isMarked = start <= lower && lower < markEnd
            if start <= lower, mark == nil { mark = cells.count }
            guard let range = hidden.first(where: { $0.contains(lower) }) else {
                cells += Self.cells(bytes[lower..<upper], isMarked)
                continue
            }
            if lastHidden == range {
                cells[cells.count - 1].isMarked = cells[cells.count - 1].isMarked || isMarked
                if isMarked || lower == start { mark = cells.count - 1 }
            } else {
                cells.append(Cell(text: Self.hidden, columns: Self.hidden.count, isMarked: isMarked))
                lastHidden = range
            }
        }
        draw(cells, mark: mark ?? cells.count, isCutBefore: from > lineStart, isCutAfter: to < lineEnd)
    }

    /// - Parameter mark: The first cell of the words, or the one before which they would be.
    private mutating func draw(_ cells: [Cell], mark: Int, isCutBefore: Bool, isCutAfter: Bool) {
        let total = cells.reduce(0) { $0 + $1.columns }
        var lower = 0
        var upper = cells.count
        if isCutBefore || isCutAfter || total > Self.widestLine {
            let lead = cells[..<mark].reduce(0) { $0 + $1.columns }
            let marked = cells[mark...].prefix(while: \.isMarked).reduce(0) { $0 + $1.columns }
            let spare = max(Self.shortestContext, Self.window - marked)
            var before = min(lead, spare / 2)
            // What the end of the line leaves free goes to what is before.
            if !isCutAfter { before = min(lead, max(before, Self.window - (total - lead))) }
            lower = mark
            var shown = 0
            while lower > 0, shown + cells[lower - 1].columns <= before {
                lower -= 1
                shown += cells[lower].columns
            }
            upper = mark
            while upper < cells.count, shown + cells[upper].columns <= Self.window {
                shown += cells[upper].columns
                upper += 1
            }
        }
        if lower > 0 || isCutBefore {
            text = Self.omission
            padding = 1
        }
        padding += cells[lower..<min(mark, upper)].reduce(0) { $0 + $1.columns }
        width = cells[min(mark, upper)..<upper].prefix(while: \.isMarked).reduce(0) { $0 + $1.columns }
        text += cells[lower..<upper].map(\.text).joined()
        if upper < cells.count || isCutAfter {
            text += Self.omission
            // The words go on where they are cut.
            if upper < cells.count, upper > mark, cells[upper].isMarked { width += 1 }
        }
        width = max(1, width)
    }

    private static func cells(_ bytes: ArraySlice<UInt8>, _ isMarked: Bool) -> [Cell] {
        String(decoding: bytes, as: UTF8.self).map { character in
            // Wherever the terminal has its tab stops, the marks are below their words.
            if character == "\t" { return Cell(text: "    ", columns: 4, isMarked: isMarked) }
            let shown = character.printable
            let scalars = shown.unicodeScalars
            let text = scalars.count > mostScalars ? String(scalars.prefix(mostScalars)) : String(shown)
            return Cell(text: text, columns: shown.columns, isMarked: isMarked)
        }
    }

    private static func characters(_ bytes: ArraySlice<UInt8>) -> Int {
        // Counting characters of a line of many megabytes takes its time.
        bytes.allSatisfy { $0 < 0x80 } ? bytes.count : String(decoding: bytes, as: UTF8.self).count
    }

    /// The index, or the next one at which a scalar begins.
    private static func boundary(_ index: Int, in bytes: ArraySlice<UInt8>, upTo end: Int) -> Int {
        var index = index
        while index < end, bytes[index] & 0xC0 == 0x80 { index += 1 }
        return index
    }
}

/// Puts the equals signs and then the closing comments of neighbouring lines into columns.
func align(_ lines: inout [FormatLine]) {
    align(&lines, at: \.assignment)
    align(&lines, at: \.comment)
}

/// Aligns the tokens that `cell` names; a line without one ends a column.
private func align(_ lines: inout [FormatLine], at cell: (FormatLine) -> Int?) {
    var index = lines.startIndex
    while index < lines.endIndex {
        let start = index
        var widths: [Int] = []
        while index < lines.endIndex, let place = cell(lines[index]) {
            widths.append(lines[index].width(before: place))
            index += 1
        }
        let column = widths.max() ?? 0
        for (offset, width) in widths.enumerated() {
            guard let place = cell(lines[start + offset]) else { continue }
            lines[start + offset].tokens[place].spaces = column - width + 1
        }
        if widths.isEmpty { index += 1 }
    }
}

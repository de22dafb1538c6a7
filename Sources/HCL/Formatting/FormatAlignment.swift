/// Puts the equals signs and then the closing comments of neighbouring lines into columns.
func align(_ lines: inout [FormatLine]) {
    align(&lines, at: \.assignment)
    align(&lines, at: \.comment)
}

/// Aligns the tokens that `cell` names; a line without one ends a column.
private func align(_ lines: inout [FormatLine], at cell: (FormatLine) -> Int?) {
    var start = lines.startIndex
    while start < lines.endIndex {
        let column = lines[start...].prefix { cell($0) != nil }
        let width = column.map { $0.width(before: cell($0) ?? 0) }.max() ?? 0
        for index in column.indices {
            guard let place = cell(lines[index]) else { continue }
            lines[index].tokens[place].spaces = width - lines[index].width(before: place) + 1
        }
        start = max(column.endIndex, start + 1)
    }
}

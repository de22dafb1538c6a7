/// Indents every line by two blanks for each earlier line that opened more brackets than it closed.
///
/// However many a line opens, they count as one step; the step is undone by the line that closes the last of them.
func indent(_ lines: inout [FormatLine]) {
    /// For every step the brackets that are still open.
    var steps: [Int] = []
    for index in lines.indices {
        let line = lines[index]
        guard let first = line.tokens.first, first.kind != .newline else { continue }
        // What opens inside a heredoc does not count, though what closes there on a later line does.
        let nesting = line.tokens[..<(line.assignment ?? line.tokens.count)].prefix { $0.kind != .openHeredoc }.nesting
        close(-nesting, in: &steps)
        lines[index].tokens[0].spaces = 2 * steps.count
        if nesting > 0 { steps.append(nesting) }
    }
}

private func close(_ count: Int, in steps: inout [Int]) {
    var count = count
    while count > 0, let last = steps.popLast() {
        if last > count { steps.append(last - count) }
        count -= last
    }
}

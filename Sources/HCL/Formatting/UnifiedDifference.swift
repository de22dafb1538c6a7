import Diagnostics

/// What formatting changes, as a unified difference with three lines of context; empty where nothing changes.
///
/// Formatting neither joins nor breaks lines, so line n of one text is compared with line n of the other.
package func unifiedDifference(of file: FormattedFile) -> String {
    let old = lines(of: file.source.text)
    let new = lines(of: file.formatted)
    let count = min(old.count, new.count)
    let changed = (0..<count).filter { old[$0] != new[$0] }
    guard !changed.isEmpty else { return "" }
    var result = "--- old/\(file.source.name)\n+++ new/\(file.source.name)\n"
    for hunk in hunks(around: changed, count: count) {
        result += "@@ -\(span(hunk)) +\(span(hunk)) @@\n"
        var removed = ""
        var added = ""
        for index in hunk {
            if old[index] == new[index] {
                result += removed + added + line(" ", old[index])
                (removed, added) = ("", "")
            } else {
                removed += line("-", old[index])
                added += line("+", new[index])
            }
        }
        result += removed + added
    }
    return result
}

/// Lines with their ends, by bytes: a carriage return and a newline are one character.
private func lines(of text: String) -> [Substring.UTF8View] {
    var result: [Substring.UTF8View] = []
    var rest = text.utf8[...]
    while let first = rest.firstIndex(of: 0x0A) {
        result.append(Substring(rest[...first]).utf8)
        rest = rest[rest.index(after: first)...]
    }
    if !rest.isEmpty { result.append(Substring(rest).utf8) }
    return result
}

private func != (left: Substring.UTF8View, right: Substring.UTF8View) -> Bool { !left.elementsEqual(right) }
private func == (left: Substring.UTF8View, right: Substring.UTF8View) -> Bool { left.elementsEqual(right) }

/// The changed lines with their context, those that touch joined.
private func hunks(around changed: [Int], count: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for index in changed {
        let range = max(index - 3, 0)..<min(index + 4, count)
        if let last = result.last, last.upperBound >= range.lowerBound {
            result[result.count - 1] = last.lowerBound..<range.upperBound
        } else {
            result.append(range)
        }
    }
    return result
}

private func span(_ hunk: Range<Int>) -> String {
    hunk.count == 1 ? "\(hunk.lowerBound + 1)" : "\(hunk.lowerBound + 1),\(hunk.count)"
}

private func line(_ sign: String, _ text: Substring.UTF8View) -> String {
    let isEnded = text.last == 0x0A
    return sign + String(Substring(text)) + (isEnded ? "" : "\n\\ No newline at end of file\n")
}

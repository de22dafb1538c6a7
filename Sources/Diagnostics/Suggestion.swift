extension String {
    /// With a full stop, unless it ends a sentence already.
    package var endingInStop: String {
        let text = last == "\n" ? String(dropLast()) : self
        return text.last.map { ".?!…".contains($0) } ?? true ? text : text + "."
    }
}

/// The candidate nearest to a misspelt word, if one is near enough to be what was meant.
///
/// Nearness is the edit distance with swaps of neighbours counted once; a third of the word may differ.
public func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
    let limit = max(1, word.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates where candidate != word && abs(candidate.count - word.count) <= limit {
        let distance = editDistance(Array(word.lowercased()), Array(candidate.lowercased()))
        guard distance <= limit else { continue }
        if let current = best, (current.distance, current.name) <= (distance, candidate) { continue }
        best = (candidate, distance)
    }
    return best?.name
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in 1...a.count {
        var row = [i]
        for j in 1...b.count {
            var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, beforePrevious[j - 2] + 1) }
            row.append(cost)
        }
        beforePrevious = previous
        previous = row
    }
    return previous[b.count]
}

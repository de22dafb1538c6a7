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
    let letters = Array(word.lowercased().unicodeScalars)
    let limit = max(1, letters.count / 3)
    // No name is as long as what a hostile file may hold.
    guard letters.count <= 200 else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates where abs(candidate.utf8.count - word.utf8.count) <= 4 * limit && candidate != word {
        let others = Array(candidate.lowercased().unicodeScalars)
        guard abs(others.count - letters.count) <= limit else { continue }
        let distance = editDistance(letters, others)
        guard distance <= limit else { continue }
        if let current = best, (current.distance, current.name) <= (distance, candidate) { continue }
        best = (candidate, distance)
    }
    return best?.name
}

private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in 1...a.count {
        var row = [Int](repeating: i, count: b.count + 1)
        for j in 1...b.count {
            var cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, beforePrevious[j - 2] + 1) }
            row[j] = cost
        }
        beforePrevious = previous
        previous = row
    }
    return previous[b.count]
}

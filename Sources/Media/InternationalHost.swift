/// A URL whose host name is in ASCII: `bücher.example` becomes `xn--bcher-kva.example`.
///
/// Foundation does this with ICU's data, which would be half of the program.
package func withASCIIHost(_ url: String) -> String {
    guard !url.utf8.allSatisfy({ $0 < 0x80 }), let scheme = url.firstMatch(of: /^[A-Za-z][A-Za-z0-9+.-]*:\/\//) else {
        return url
    }
    let rest = url[scheme.range.upperBound...]
    let authority = rest.prefix { !"/?#".contains($0) }
    let start = authority.lastIndex(of: "@").map { authority.index(after: $0) } ?? authority.startIndex
    let host = authority[start...].prefix { $0 != ":" }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false).map { label in
        label.utf8.allSatisfy { $0 < 0x80 } ? String(label) : "xn--" + punycode(label.lowercased())
    }
    return url[..<host.startIndex] + labels.joined(separator: ".") + url[host.endIndex...]
}

/// RFC 3492, with the names of its section 6.3.
private func punycode(_ label: String) -> String {
    let points = label.unicodeScalars.map(\.value)
    var output = label.unicodeScalars.filter { $0.isASCII }.map { Character($0) }
    let basic = output.count
    var (n, delta, bias, handled) = (UInt32(128), 0, 72, basic)
    if basic > 0 { output.append("-") }
    while handled < points.count, let next = points.filter({ $0 >= n }).min() {
        delta += Int(next - n) * (handled + 1)
        n = next
        for point in points {
            if point < n { delta += 1 }
            guard point == n else { continue }
            var (q, k) = (delta, 36)
            while true {
                let threshold = min(26, max(1, k - bias))
                guard q >= threshold else { break }
                output.append(digit(threshold + (q - threshold) % (36 - threshold)))
                q = (q - threshold) / (36 - threshold)
                k += 36
            }
            output.append(digit(q))
            bias = adapted(delta, handled + 1, isFirst: handled == basic)
            delta = 0
            handled += 1
        }
        delta += 1
        n += 1
    }
    return String(output)
}

private func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
    var (delta, k) = (isFirst ? delta / 700 : delta / 2, 0)
    delta += delta / count
    while delta > 455 {
        delta /= 35
        k += 36
    }
    return k + 36 * delta / (delta + 38)
}

private func digit(_ value: Int) -> Character {
    Character(UnicodeScalar(UInt8(value < 26 ? 97 + value : 22 + value)))
}

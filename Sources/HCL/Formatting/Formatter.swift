/// Brings HCL into its canonical form, the one of `packer fmt`: indentation by brackets, one space between tokens,
/// equals signs and comments of neighbouring lines in columns. Lines stay as they are broken.
///
/// Only blanks change, and a byte order mark goes. Any text may come; text that does not parse is indented after
/// its brackets as well as may be, which a caller will rather not do to somebody's file.
public func format(_ text: String) -> String {
    var bytes = Array(text.utf8)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    var lexer = FormatLexer(bytes)
    let tokens = lexer.read()
    var lines = FormatLine.lines(of: tokens)
    for index in lines.indices { lines[index].space() }
    indent(&lines)
    align(&lines)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 8)
    for token in lines.lazy.flatMap(\.tokens) {
        result.append(contentsOf: repeatElement(0x20, count: token.spaces))
        result += bytes[token.range]
    }
    // Blanks that end a file without newline are not tokens; as many stay.
    result.append(contentsOf: repeatElement(0x20, count: bytes.count - (tokens.last?.range.upperBound ?? 0)))
    return String(decoding: result, as: UTF8.self)
}

/// A line with the places where its columns begin.
///
/// A string or heredoc is one line with what is before and behind it, unless an interpolation in it is broken.
struct FormatLine {
    var tokens: [FormatToken]
    /// Index of the first equals sign, if anything is before it and the brackets behind it are balanced: an argument
    /// whose value goes on below is in no column.
    var assignment: Int?
    /// Index of the comment that ends the line, if anything is before it.
    var comment: Int?

    init(_ tokens: [FormatToken]) {
        self.tokens = tokens
        if let equal = tokens.dropFirst().firstIndex(where: { $0.kind == .equal }), tokens[equal...].nesting == 0 {
            assignment = equal
        }
        comment = tokens.dropFirst().lastIndex { $0.kind == .lineComment || $0.kind == .inlineComment }
        // An inline comment ends a line only where the file ends with it; before a newline it is part of the value.
        if comment != tokens.count - 1 { comment = nil }
    }

    static func lines(of tokens: [FormatToken]) -> [FormatLine] {
        tokens.split(keepingNewlines: { $0.kind == .newline || $0.kind == .lineComment }).map { FormatLine(Array($0)) }
    }

    /// Columns that the tokens before `end` take.
    func width(before end: Int) -> Int {
        tokens[..<end].reduce(0) { $0 + $1.spaces + $1.width }
    }
}

extension Array {
    /// Pieces that each end with an element that `isEnd` accepts; the last one may lack it.
    fileprivate func split(keepingNewlines isEnd: (Element) -> Bool) -> [ArraySlice<Element>] {
        var result: [ArraySlice<Element>] = []
        var start = startIndex
        for index in indices where isEnd(self[index]) {
            result.append(self[start...index])
            start = index + 1
        }
        if start < endIndex { result.append(self[start...]) }
        return result
    }
}

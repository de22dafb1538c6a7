/// A line that a child process wrote, without its line break.
package struct OutputLine: Sendable, Hashable {
    /// The text of the line.
    package var text: String
    /// Whether it came from standard error.
    package var isError: Bool

    package init(text: String, isError: Bool) {
        self.text = text
        self.isError = isError
    }
}

/// The characters that end a line of a child's output.
package enum LineBreaks: Sendable {
    /// Line feeds. Text that a carriage return would have overwritten on a terminal is left out.
    case newlines
    /// Line feeds and carriage returns, for programs that redraw a progress line.
    case newlinesAndCarriageReturns
}

/// Splits a stream of bytes into lines of bounded length.
struct LineSplitter {
    /// The length in bytes at which a line is split, so that a child that never ends its line cannot fill the memory.
    static let limit = 64 << 10

    let lineBreaks: LineBreaks
    private var pending: [UInt8] = []

    init(lineBreaks: LineBreaks) { self.lineBreaks = lineBreaks }

    /// The lines that `bytes` complete.
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex { $0 == 10 || ($0 == 13 && lineBreaks == .newlinesAndCarriageReturns) }
            let room = Self.limit - pending.count
            let piece = rest[..<(end ?? rest.endIndex)]
            if piece.count > room {
                pending.append(contentsOf: piece.prefix(room))
                lines.append(take())
                rest = rest.dropFirst(room)
                continue
            }
            pending.append(contentsOf: piece)
            guard let end else { break }
            // The line feed of a CR LF pair ends no line of its own.
            if !(pending.isEmpty && lineBreaks == .newlinesAndCarriageReturns) { lines.append(take()) }
            rest = rest[(end + 1)...]
        }
        return lines
    }

    /// The last line, if the stream ended without a line break.
    mutating func finish() -> String? { pending.isEmpty ? nil : take() }

    private mutating func take() -> String {
        defer { pending.removeAll(keepingCapacity: true) }
        var line = pending[...]
        if line.last == 13 { line = line.dropLast() }
        if let overwritten = line.lastIndex(of: 13) { line = line[(overwritten + 1)...] }
        return String(decoding: line, as: UTF8.self)
    }
}

/// A piece of text that diagnostics point into: a file, a command-line value, standard input.
public struct SourceFile: Hashable, Sendable {
    /// The name shown to the user, usually the path as they wrote it.
    public let name: String
    /// The text itself. Ranges count its UTF-8 bytes.
    public let text: String
    /// Parts of it, in UTF-8 bytes, that are never drawn. They are sorted and do not overlap.
    public var hidden: [Range<Int>] = []

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// A half-open range of UTF-8 bytes in a source file. Lines and columns are found only when drawing.
public struct SourceRange: Hashable, Sendable, CustomStringConvertible {
    /// The name of the `SourceFile`.
    public var file: String
    public var start: Int
    public var end: Int

    public init(file: String, start: Int, end: Int) {
        self.file = file
        self.start = start
        self.end = max(start, end)
    }

    /// The smallest range that covers both; `other` must be of the same file.
    public func union(_ other: SourceRange) -> SourceRange {
        SourceRange(file: file, start: min(start, other.start), end: max(end, other.end))
    }

    public var description: String { "\(file)[\(start)..<\(end)]" }
}

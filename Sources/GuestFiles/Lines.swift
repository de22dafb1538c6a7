extension String {
    /// The text split at line feeds, including empty lines; joining the lines with line feeds gives the text again.
    ///
    /// Splitting by characters would not split lines that end with CR LF, which is one character.
    var lines: [Substring] {
        utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
    }
}

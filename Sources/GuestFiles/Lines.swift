extension String {
    /// What stands between line feeds, empty lines too; joined by them it is the text again.
    ///
    /// Splitting by characters would take lines that end with a carriage return as well for one, since both are one character.
    var lines: [Substring] {
        utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
    }
}

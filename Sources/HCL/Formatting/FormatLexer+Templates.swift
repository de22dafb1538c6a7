/// Strings, heredocs and what is in them.
extension FormatLexer {
    /// Reads one piece of a string: text, the start of an interpolation or directive, or the closing quote.
    mutating func readQuoted() {
        if bytes[position] == UInt8(ascii: "\"") {
            add(.closeQuote, 1)
            surroundings.removeLast()
            return
        }
        if bytes[position] == 0x0A {
            // Never closed: the line ends the string.
            surroundings.removeLast()
            return
        }
        if readTemplateStart() { return }
        var length = 0
        while let byte = self.byte(at: length), byte != UInt8(ascii: "\""), byte != 0x0A, !startsTemplate(at: length) {
            if byte == UInt8(ascii: "\\"), let escaped = self.byte(at: length + 1), escaped != 0x0A {
                length += 2
            } else {
                length += lengthOfEscape(at: length) ?? 1
            }
        }
        add(.literal, length)
    }

    /// Reads `<<NAME` or `<<-NAME`, or a less-than sign.
    mutating func readHeredocStart() {
        var length = 2
        if byte(at: length) == UInt8(ascii: "-") { length += 1 }
        let nameStart = length
        guard let first = byte(at: length), Self.startsIdentifier(first) else {
            add(.invalid, 1)
            return
        }
        while let byte = byte(at: length), Self.continuesIdentifier(byte) { length += 1 }
        let marker = Array(bytes[(position + nameStart)..<(position + length)])
        if byte(at: length) == 0x0D { length += 1 }
        guard byte(at: length) == 0x0A else {
            add(.invalid, 1)
            return
        }
        add(.openHeredoc, length + 1)
        surroundings.append(.heredoc(marker: marker))
    }

    /// Reads one piece of a heredoc: text up to the end of its line, the start of an interpolation or directive, or
    /// the line that closes it.
    mutating func readHeredoc(_ marker: [UInt8]) {
        if bytes[position - 1] == 0x0A, let length = lengthOfHeredocEnd(marker) {
            add(.closeHeredoc, length)
            surroundings.removeLast()
            return
        }
        if readTemplateStart() { return }
        var length = 0
        while let byte = self.byte(at: length), !startsTemplate(at: length) {
            length += lengthOfEscape(at: length) ?? 1
            if byte == 0x0A { break }
        }
        add(.literal, length)
    }

    private func lengthOfHeredocEnd(_ marker: [UInt8]) -> Int? {
        let line = bytes[position...].prefix { $0 != 0x0A }
        let blanks = line.prefix { $0 == 0x20 || $0 == 0x09 }.count
        let words = line.dropFirst(blanks)
        guard words.starts(with: marker) else { return nil }
        let rest = words.dropFirst(marker.count)
        let end = rest.prefix { $0 == 0x20 || $0 == 0x09 }.count
        let newline = rest.dropFirst(end)
        return newline.isEmpty || newline.elementsEqual([0x0D]) ? blanks + marker.count + end : nil
    }

    private mutating func readTemplateStart() -> Bool {
        guard startsTemplate(at: 0) else { return false }
        add(.openTemplate, byte(at: 2) == UInt8(ascii: "~") ? 3 : 2)
        surroundings.append(.template(braces: 0))
        return true
    }

    private func startsTemplate(at offset: Int) -> Bool {
        (byte(at: offset) == UInt8(ascii: "$") || byte(at: offset) == UInt8(ascii: "%"))
            && byte(at: offset + 1) == UInt8(ascii: "{")
    }

    /// `$${` and `%%{` mean `${` and `%{`.
    private func lengthOfEscape(at offset: Int) -> Int? {
        guard let sign = byte(at: offset), sign == UInt8(ascii: "$") || sign == UInt8(ascii: "%") else { return nil }
        return byte(at: offset + 1) == sign && byte(at: offset + 2) == UInt8(ascii: "{") ? 3 : nil
    }
}

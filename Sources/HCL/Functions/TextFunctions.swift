let textFunctions: [String: Function] = [
    "chomp": Function(.string) { arguments throws(FunctionError) in
        var text = try arguments.string(0)
        while let last = text.last, last.isNewline, last == "\n" || last == "\r" || last == "\r\n" { text.removeLast() }
        return .string(text)
    },
    "trimspace": Function(.string) { arguments throws(FunctionError) in
        .string(trimmed(try arguments.string(0), \.properties.isWhitespace))
    },
    "trim": Function(.string, .string) { arguments throws(FunctionError) in
        let cutset = Set(try arguments.string(1).unicodeScalars)
        return .string(trimmed(try arguments.string(0), cutset.contains))
    },
    "trimprefix": Function(.string, .string) { arguments throws(FunctionError) in
        let (text, prefix) = (try arguments.string(0), try arguments.string(1))
        guard starts(text, with: prefix) else { return .string(text) }
        return .string(String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    },
    "trimsuffix": Function(.string, .string) { arguments throws(FunctionError) in
        let (text, suffix) = (try arguments.string(0), try arguments.string(1))
        guard ends(text, with: suffix) else { return .string(text) }
        return .string(String(decoding: text.utf8.dropLast(suffix.utf8.count), as: UTF8.self))
    },
    "indent": Function(.number, .string) { arguments throws(FunctionError) in
        let count = try arguments.int(0)
        guard (0...1000).contains(count) else {
            throw FunctionError("between 0 and 1000 spaces are possible", argument: 0)
        }
        let lines = pieces(of: try arguments.string(1), at: "\n")
        return .string(lines.joined(separator: "\n" + String(repeating: " ", count: count)))
    },
    "join": Function(.string, .any, isVariadic: true) { arguments throws(FunctionError) in
        guard arguments.count >= 2 else { throw FunctionError("a separator and a list are required") }
        var texts: [String] = []
        for index in 1..<arguments.count { texts += try arguments.strings(index) }
        return .string(texts.joined(separator: try arguments.string(0)))
    },
    "split": Function(.string, .string) { arguments throws(FunctionError) in
        let (separator, text) = (try arguments.string(0), try arguments.string(1))
        if separator.isEmpty { return .strings(text.unicodeScalars.map { String($0) }) }
        return .strings(pieces(of: text, at: separator))
    },
    "lower": Function(.string) { arguments throws(FunctionError) in
        .string(mapped(try arguments.string(0)) { $0 == "\u{130}" ? "i" : $0.properties.lowercaseMapping })
    },
    "upper": Function(.string) { arguments throws(FunctionError) in
        .string(mapped(try arguments.string(0), \.properties.uppercaseMapping))
    },
    "title": Function(.string) { arguments throws(FunctionError) in
        var startsWord = true
        return .string(
            mapped(try arguments.string(0)) { scalar in
                defer { startsWord = separatesWords(scalar) }
                return startsWord ? scalar.properties.titlecaseMapping : String(scalar)
            })
    },
    "strrev": Function(.string) { arguments throws(FunctionError) in .string(String(try arguments.string(0).reversed()))
    },
    "replace": Function(.string, .string, .string) { arguments throws(FunctionError) in
        let (text, old, new) = (try arguments.string(0), try arguments.string(1), try arguments.string(2))
        let parts = old.isEmpty ? [""] + text.unicodeScalars.map { String($0) } + [""] : pieces(of: text, at: old)
        guard (parts.count - 1) * new.utf8.count <= 64 << 20 else {
            throw FunctionError("the result is longer than 64 MiB")
        }
        return .string(parts.joined(separator: new))
    },
    "startswith": Function(.string, .string) { arguments throws(FunctionError) in
        .bool(starts(try arguments.string(0), with: try arguments.string(1)))
    },
    "endswith": Function(.string, .string) { arguments throws(FunctionError) in
        .bool(ends(try arguments.string(0), with: try arguments.string(1)))
    },
    "strcontains": Function(.string, .string) { arguments throws(FunctionError) in
        let (text, part) = (try arguments.string(0), try arguments.string(1))
        return .bool(part.isEmpty || pieces(of: text, at: part).count > 1)
    },
    "substr": Function(.string, .number, .number) { arguments throws(FunctionError) in
        let text = Array(try arguments.string(0))
        let (offset, length) = (try arguments.int(1), try arguments.int(2))
        let start = max(0, offset < 0 ? text.count + offset : min(offset, text.count))
        // With a negative offset a length of 0 means the rest, as in the reference.
        if length < 0 || length == 0 && offset < 0 { return .string(String(text[start...])) }
        return .string(String(text[start..<min(text.count, start + min(length, text.count))]))
    },
    "regex": Function(.string, .string) { arguments throws(FunctionError) in
        let pattern = try RegularExpression(try arguments.string(0))
        guard let match = try pattern.first(in: try arguments.string(1)) else {
            throw FunctionError("pattern did not match any part of the given string")
        }
        return match
    },
    "regexall": Function(.string, .string) { arguments throws(FunctionError) in
        let pattern = try RegularExpression(try arguments.string(0))
        return .list(try pattern.all(in: try arguments.string(1)))
    },
    "regex_replace": Function(.string, .string, .string) { arguments throws(FunctionError) in
        let pattern = try RegularExpression(try arguments.string(1), argument: 1)
        return .string(try pattern.replace(in: try arguments.string(0), with: try arguments.string(2)))
    },
    "format": Function(.string, .any, isVariadic: true, takesAnything: true) { arguments throws(FunctionError) in
        if arguments.contains(where: { !$0.isWhollyKnown }) { return .unknown }
        return .string(try formatted(try arguments.string(0), Array(arguments.dropFirst())))
    },
    "formatlist": Function(.string, .any, isVariadic: true) { arguments throws(FunctionError) in
        let values = arguments.dropFirst()
        let counts = Set(values.compactMap { $0.elements?.count })
        guard counts.count <= 1 else { throw FunctionError("the lists must be of one length") }
        var lines: [String] = []
        for index in 0..<(counts.first ?? 1) {
            lines.append(try formatted(try arguments.string(0), values.map { $0.elements.map { $0[index] } ?? $0 }))
        }
        return .strings(lines)
    },
]

private func trimmed(_ text: String, _ isCut: (Unicode.Scalar) -> Bool) -> String {
    var rest = text.unicodeScalars[...]
    while let first = rest.first, isCut(first) { rest.removeFirst() }
    while let last = rest.last, isCut(last) { rest.removeLast() }
    return String(rest)
}

/// Each scalar by its mapping, where that is one scalar: the reference knows no longer ones.
private func mapped(_ text: String, _ mapping: (Unicode.Scalar) -> String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        let mapped = mapping(scalar).unicodeScalars
        result.append(mapped.count == 1 ? mapped.first ?? scalar : scalar)
    }
    return String(result)
}

/// Whether a word may begin behind the scalar.
private func separatesWords(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "_" || ("0"..."9").contains(scalar) || scalar.properties.isAlphabetic { return false }
    return scalar.isASCII || scalar.properties.isWhitespace
}

private func starts(_ text: String, with prefix: String) -> Bool { text.utf8.starts(with: prefix.utf8) }
private func ends(_ text: String, with suffix: String) -> Bool {
    text.utf8.reversed().starts(with: suffix.utf8.reversed())
}

/// Text cut at a separator, byte for byte; a text without it is one piece.
private func pieces(of text: String, at separator: String) -> [String] {
    let (bytes, mark) = (Array(text.utf8), Array(separator.utf8))
    guard !mark.isEmpty else { return [text] }
    var pieces: [String] = []
    var start = 0
    var index = 0
    while index + mark.count <= bytes.count {
        if bytes[index] == mark[0], bytes[index..<index + mark.count].elementsEqual(mark) {
            pieces.append(String(decoding: bytes[start..<index], as: UTF8.self))
            index += mark.count
            start = index
        } else {
            index += 1
        }
    }
    pieces.append(String(decoding: bytes[start...], as: UTF8.self))
    return pieces
}

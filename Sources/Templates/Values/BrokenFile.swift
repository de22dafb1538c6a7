import Diagnostics

/// A file that cannot be parsed, in which secrets have to be found all the same. Rather too much is hidden than too little.
struct BrokenFile {
    private let name: String
    private let bytes: [UInt8]
    private let isJSON: Bool

    init(_ file: SourceFile) {
        name = file.name
        bytes = Array(file.text.utf8)
        isJSON = file.name.hasSuffix(".json") || file.startsWithBrace
    }

    // MARK: Templates

    /// The values in declarations of variables and locals that say `sensitive`.
    var sensitiveDeclarations: [SourceRange] {
        if isJSON {
            guard bytes.firstRange(of: "\"sensitive\"".utf8) != nil else { return [] }
            return members { $0 == "default" || $0 == "expression" }
        }
        var ranges: [SourceRange] = []
        var region: [Range<Int>] = []
        var isDeclaration = false
        func close() {
            if isDeclaration { ranges += hidden(in: region) }
            ranges += textAroundFlags(in: region)
            region = []
        }
        for line in lines {
            let word = word(at: start(of: line)).text
            if Self.topLevel.contains(word) {
                close()
                isDeclaration = word == "variable" || word == "local"
            }
            region.append(line)
        }
        close()
        return ranges
    }

    /// Texts on the lines around `sensitive`: where a line is damaged, it is unknown what it was to declare.
    private func textAroundFlags(in lines: [Range<Int>]) -> [SourceRange] {
        let reach = 6
        var near: Set<Int> = []
        for (index, line) in lines.enumerated() where find("sensitive", in: line) != nil {
            near.formUnion(max(0, index - reach)...min(lines.count - 1, index + reach))
        }
        return near.sorted().compactMap { index in
            let line = lines[index]
            let word = word(at: start(of: line))
            if ["type", "description", "condition", "error_message"].contains(word.text) { return nil }
            var from = start(of: line)
            if Self.topLevel.contains(word.text) {
                // The block's own label may be seen.
                from = word.range.upperBound
                let quotes = bytes[from..<line.upperBound].indices.filter { bytes[$0] == UInt8(ascii: "\"") }
                if quotes.count >= 2, blanks(from: from) == quotes[0] { from = quotes[1] + 1 }
            }
            guard let quote = bytes[from..<line.upperBound].firstIndex(of: UInt8(ascii: "\"")) else {
                // What is behind a damaged label is text whose beginning is lost.
                let rest = bytes[from..<line.upperBound]
                let isHeader = rest.allSatisfy { " \t\r{".utf8.contains($0) }
                return from == start(of: line) || isHeader ? nil : range(from..<line.upperBound)
            }
            return range(quote..<line.upperBound)
        }
    }

    private static let topLevel: Set<String> = [
        "variable", "variables", "local", "locals", "source", "build", "packer", "data", "hcp_packer_registry",
    ]
    private static let otherArguments: Set<String> = [
        "type", "sensitive", "description", "validation", "condition", "error_message", "default", "expression",
    ]

    /// Of the lines of one declaration.
    private func hidden(in region: [Range<Int>]) -> [SourceRange] {
        guard let first = region.first, let last = region.last else { return [] }
        let block = first.lowerBound..<last.upperBound
        guard let flag = find("sensitive", in: block) else { return [] }
        var after = blanks(from: flag.upperBound)
        if after < bytes.count, bytes[after] == UInt8(ascii: "=") { after = blanks(from: after + 1) }
        if word(at: after).text == "false" { return [] }
        var ranges: [SourceRange] = []
        var isHiding = false
        for line in region {
            let word = word(at: start(of: line))
            if Self.otherArguments.contains(word.text) || bytes[line].allSatisfy({ " \t\r}".utf8.contains($0) }) {
                isHiding = false
            }
            if isHiding {
                ranges.append(range(line))
            } else if let value = find("default", in: line) ?? find("expression", in: line) {
                ranges.append(range(value.upperBound..<line.upperBound))
                isHiding = true
            }
        }
        return ranges
    }

    /// Where the word is by itself.
    private func find(_ text: String, in place: Range<Int>) -> Range<Int>? {
        var position = place.lowerBound
        while position < place.upperBound {
            let word = word(at: position)
            if word.text == text { return word.range }
            position = max(word.range.upperBound, position + 1)
        }
        return nil
    }

    // MARK: Variable files

    /// All that is not a name and no value of a name that may be seen.
    ///
    /// - Parameter secrets: Names that end what may be seen of a line, wherever they are in it.
    func values(visible: (String) -> Bool, secrets: some Sequence<String>) -> [SourceRange] {
        if isJSON { return members { !visible($0) } }
        let secrets = Set(secrets)
        var ranges: [SourceRange] = []
        var isVisible = false
        var heredoc: String?
        // Of the brackets that a hidden value has opened.
        var depth = 0
        for line in lines {
            if depth > 0 {
                ranges.append(range(line))
                depth = max(0, depth + nesting(line))
                continue
            }
            if let end = heredoc {
                if !isVisible { ranges.append(range(line)) }
                if String(decoding: bytes[line], as: UTF8.self).trimmed == end { heredoc = nil }
                continue
            }
            var from = start(of: line)
            var item = word(at: from)
            if item.text.isEmpty, from < line.upperBound, bytes[from] == UInt8(ascii: "\"") {
                item = word(at: from + 1)
                if item.range.upperBound < line.upperBound, bytes[item.range.upperBound] == UInt8(ascii: "\"") {
                    item.range = item.range.lowerBound..<item.range.upperBound + 1
                }
            }
            let sign = blanks(from: item.range.upperBound)
            if !item.text.isEmpty, sign < line.upperBound, [UInt8(ascii: "="), UInt8(ascii: ":")].contains(bytes[sign])
            {
                isVisible = visible(item.text)
                from = sign + 1
                heredoc = heredocWord(in: from..<line.upperBound)
            } else if !item.text.isEmpty, visible(item.text) || secrets.contains(item.text) {
                // Without an equals sign.
                isVisible = visible(item.text)
                from = item.range.upperBound
            }
            if isVisible {
                let secret = secrets.compactMap { find($0, in: from..<line.upperBound) }.min {
                    $0.lowerBound < $1.lowerBound
                }
                if let secret { ranges.append(range(secret.upperBound..<line.upperBound)) }
                if secret != nil { isVisible = false }
            } else {
                ranges.append(range(blanks(from: from)..<max(line.upperBound, blanks(from: from))))
                depth = max(0, nesting(from..<line.upperBound))
            }
        }
        return ranges
    }

    /// How many brackets more are opened than closed, those in strings left out.
    private func nesting(_ place: Range<Int>) -> Int {
        var depth = 0
        var isString = false
        for index in place {
            switch bytes[index] {
            case UInt8(ascii: "\""): isString.toggle()
            case _ where isString: break
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"): depth -= 1
            default: break
            }
        }
        return depth
    }

    private func heredocWord(in place: Range<Int>) -> String? {
        var position = blanks(from: place.lowerBound)
        guard position + 2 < place.upperBound, bytes[position] == UInt8(ascii: "<"),
            bytes[position + 1] == bytes[position]
        else { return nil }
        position += bytes[position + 2] == UInt8(ascii: "-") ? 3 : 2
        let word = word(at: position).text
        return word.isEmpty ? nil : word
    }

    // MARK: JSON

    /// The values of the names that are asked for, and whatever is where no value should.
    func members(_ isSecret: (String) -> Bool) -> [SourceRange] {
        var ranges: [SourceRange] = []
        var hides = isSecret("")
        var follows: UInt8 = 0
        var position = 0
        var lineEnd = 0
        while position < bytes.count {
            let start = position
            let byte = bytes[start]
            position += 1
            if " \t\r\n{}[],:".utf8.contains(byte) {
                if "{}[],:".utf8.contains(byte) { follows = byte }
                continue
            }
            if start >= lineEnd { lineEnd = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count }
            guard byte == UInt8(ascii: "\"") else {
                while position < lineEnd, !" \t\r{}[],:\"".utf8.contains(bytes[position]) { position += 1 }
                let next = blanks(from: position)
                if follows != UInt8(ascii: ":"), next < bytes.count, bytes[next] == UInt8(ascii: ":") {
                    // A name without quotes.
                    hides = isSecret(String(decoding: bytes[start..<position], as: UTF8.self))
                } else if hides {
                    ranges.append(range(start..<position))
                }
                continue
            }
            while position < lineEnd, bytes[position] != byte {
                position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            let isClosed = position < lineEnd
            position = min(position + 1, lineEnd)
            let next = blanks(from: position)
            let after: UInt8 = next < bytes.count ? bytes[next] : 0x0A
            let isName = isClosed && after == UInt8(ascii: ":") && follows != UInt8(ascii: ":")
            if isName {
                hides = isSecret(String(decoding: bytes[start + 1..<position - 1], as: UTF8.self))
            } else if !isClosed || !",}]\r\n".utf8.contains(after) {
                // A quote is missing somewhere, so what is inside and what is outside cannot be known.
                ranges.append(range(start..<lineEnd))
                position = lineEnd
            } else if hides {
                ranges.append(range(start..<position))
            }
        }
        return ranges
    }

    /// The values of the variables that a JSON template calls sensitive.
    var sensitiveMembers: [SourceRange] {
        let key = Array("\"sensitive-variables\"".utf8)
        var names: Set<Substring> = []
        var rest = bytes[...]
        while let found = rest.firstRange(of: key) {
            rest = rest[found.upperBound...]
            let list = rest.prefix { $0 != UInt8(ascii: "]") }
            let parts = String(decoding: list, as: UTF8.self).split(separator: "\"", omittingEmptySubsequences: false)
            for (index, part) in parts.enumerated() where index % 2 == 1 { names.insert(part) }
        }
        guard !names.isEmpty else { return [] }
        return members { names.contains($0[...]) }
    }

    // MARK: Text

    private var lines: [Range<Int>] {
        var start = 0
        return bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
            defer { start += line.count + 1 }
            return start..<start + line.count
        }
    }

    private func start(of line: Range<Int>) -> Int { min(blanks(from: line.lowerBound), line.upperBound) }

    private func blanks(from position: Int) -> Int {
        var position = position
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
        return position
    }

    /// Letters, digits, `_` and `-`; other scripts count as letters.
    private func word(at position: Int) -> (text: String, range: Range<Int>) {
        var end = position
        while end < bytes.count {
            let byte = bytes[end]
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte >= 0x80
            guard isLetter || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            else { break }
            end += 1
        }
        return (String(decoding: bytes[position..<end], as: UTF8.self), position..<end)
    }

    private func range(_ range: Range<Int>) -> SourceRange {
        SourceRange(file: name, start: range.lowerBound, end: range.upperBound)
    }
}

extension String {
    fileprivate var trimmed: Substring {
        var text = self[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        return text.drop(while: \.isWhitespace)
    }
}

package import Diagnostics

/// Reads JSON as RFC 8259 has it, and keeps every value's place.
///
/// A missing or superfluous comma and a comment are reported and skipped, so that one run shows them all; so is a
/// name that is written twice in one object, if `refusesDuplicates`.
///
/// - Parameter locatesEscapes: Whether strings with escapes in them know where each of their bytes is.
/// - Returns: nil where the text cannot be read to its end; the diagnostics say why.
package func readJSON(
    _ file: SourceFile, refusesDuplicates: Bool = false, locatesEscapes: Bool = false
) -> Diagnosed<JSONNode?> {
    var reader = JSONReader(file, refusesDuplicates: refusesDuplicates, locatesEscapes: locatesEscapes)
    let node = reader.document()
    return Diagnosed(node, reader.diagnostics)
}

struct JSONReader {
    let file: String
    let bytes: [UInt8]
    private let refusesDuplicates: Bool
    let locatesEscapes: Bool
    var position = 0
    private var depth = 0
    fileprivate var diagnostics: [Diagnostic] = []
    private static let deepestNesting = 120
    private static let largestFile = 64 << 20
    private static let mostDiagnostics = 1000

    /// What stops reading; it was reported.
    struct Stop: Error {}

    fileprivate init(_ file: SourceFile, refusesDuplicates: Bool, locatesEscapes: Bool) {
        self.file = file.name
        self.locatesEscapes = locatesEscapes
        self.refusesDuplicates = refusesDuplicates
        bytes = Array(file.text.utf8)
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    fileprivate mutating func document() -> JSONNode? {
        do throws(Stop) {
            guard bytes.count <= Self.largestFile else {
                throw stop("The file is too large", "At most 64 MiB are read.", here)
            }
            let node = try value()
            skipSpace()
            if position < bytes.count { throw stop("There is text after the end of the JSON value", "", nextWord) }
            return node
        } catch {
            return nil
        }
    }

    // MARK: Values

    private mutating func value() throws(Stop) -> JSONNode {
        skipSpace()
        guard let byte = current else {
            if depth == 0 {
                throw stop(
                    "The file is empty",
                    "A JSON template is one object: { \"builders\": [{ \"type\": \"qemu\", … }] }.", here)
            }
            throw stop("The JSON text ends where a value is expected", "A bracket or brace may not be closed.", here)
        }
        let start = position
        let kind: JSONNode.Kind
        switch byte {
        case UInt8(ascii: "\""):
            let string = try string()
            var node = node(.string(string.text), from: start)
            node.offsets = string.offsets
            return node
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.deepestNesting else {
                throw stop(
                    "The JSON text is nested too deeply", "There are more than \(Self.deepestNesting) levels.", here)
            }
            kind = byte == UInt8(ascii: "{") ? .object(try members()) : .array(try elements())
        case UInt8(ascii: "-"), 0x30...0x39: kind = .number(try number())
        default: kind = try word()
        }
        return node(kind, from: start)
    }

    private func node(_ kind: JSONNode.Kind, from start: Int) -> JSONNode {
        JSONNode(kind: kind, range: range(from: start))
    }

    private mutating func members() throws(Stop) -> [JSONNode.Member] {
        let start = position
        position += 1
        var members: [JSONNode.Member] = []
        var first: [String: SourceRange] = [:]
        while try goesOn(UInt8(ascii: "}"), "object", isFirst: members.isEmpty, start) {
            guard current == UInt8(ascii: "\"") else {
                throw stop(
                    "A name in double quotes is expected here",
                    "Write \"NAME\": VALUE, also where the name is one word.", nextWord)
            }
            let nameStart = position
            let name = try string()
            let nameRange = range(from: nameStart)
            skipSpace()
            guard current == UInt8(ascii: ":") else {
                throw stop("A colon is expected after “\(name.text)”", "Write \"\(name.text)\": VALUE.", nextWord)
            }
            position += 1
            var member = JSONNode.Member(name: name.text, nameRange: nameRange, value: try value())
            member.nameOffsets = name.offsets
            members.append(member)
            guard refusesDuplicates else { continue }
            if let place = first.updateValue(nameRange, forKey: name.text) {
                first[name.text] = place
                report(
                    "duplicate", "“\(name.text)” is written twice in one object",
                    "Only one of them could count. Remove or rename one.", nameRange,
                    [Diagnostic.Note("first written here", at: place)])
            }
        }
        return members
    }

    private mutating func elements() throws(Stop) -> [JSONNode] {
        let start = position
        position += 1
        var elements: [JSONNode] = []
        while try goesOn(UInt8(ascii: "]"), "list", isFirst: elements.isEmpty, start) { elements.append(try value()) }
        return elements
    }

    /// Steps over the comma before the next element, or over the end of the list or object; false there.
    private mutating func goesOn(_ end: UInt8, _ what: String, isFirst: Bool, _ start: Int) throws(Stop) -> Bool {
        let before = position
        skipSpace()
        if current == UInt8(ascii: ","), !isFirst {
            let comma = position
            position += 1
            skipSpace()
            if current == end {
                report(
                    "json-syntax", "A comma before the end of a JSON \(what)", "Remove it.", range(comma, comma + 1))
            }
        } else if !isFirst, let byte = current, byte != end {
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else {
                throw stop("A comma or the end of the \(what) is expected here", "", nextWord)
            }
            report(
                "json-syntax", "A comma is missing", "Elements of a JSON \(what) are separated by commas.",
                range(before - 1, before))
        }
        guard let byte = current else {
            throw stop(
                "A JSON \(what) is not closed", "The file ends before its \(Character(UnicodeScalar(end))).",
                range(start, start + 1))
        }
        if byte == end {
            position += 1
            return false
        }
        return true
    }

    private mutating func number() throws(Stop) -> String {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        var hasExponent = false
        var isGood = whole == 1 || whole > 1 && bytes[position - whole] != UInt8(ascii: "0")
        if current == UInt8(ascii: ".") {
            position += 1
            isGood = digits() > 0 && isGood
        }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            hasExponent = true
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            isGood = digits() > 0 && isGood
        }
        guard isGood else {
            throw stop(
                "This is not a JSON number", "A number is written 0, -12, 1.5 or 2e10, without zeros before it.",
                range(from: start))
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard position - start < 1000 && !hasExponent || Number(text) != nil else {
            throw stop("The number is too large", "A number has at most 10000 digits.", range(from: start))
        }
        return text
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func word() throws(Stop) -> JSONNode.Kind {
        let word = nextWord
        let text = String(decoding: bytes[word.start..<word.end], as: UTF8.self)
        position = word.end
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default:
            throw stop(
                "A JSON value is expected here",
                depth == 0
                    ? "JSON begins with a brace. A template in HCL is a file whose name ends in .pkr.hcl."
                    : "Text is written in double quotes; true, false and null do not.", word)
        }
    }

    // MARK: Characters

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func range(_ start: Int, _ end: Int) -> SourceRange { SourceRange(file: file, start: start, end: end) }

    func range(from start: Int) -> SourceRange { range(start, position) }

    private var here: SourceRange { range(min(position, bytes.count), min(position + 1, bytes.count)) }

    /// From here to the next space, bracket, comma or colon; at least one byte.
    private var nextWord: SourceRange {
        var end = min(position + 1, bytes.count)
        while end < bytes.count, !" \t\r\n,:{}[]\"".utf8.contains(bytes[end]) { end += 1 }
        return range(min(position, bytes.count), end)
    }

    private mutating func skipSpace() {
        while let byte = current {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            case UInt8(ascii: "/"), UInt8(ascii: "#"):
                guard skipComment() else { return }
            default: return
            }
        }
    }

    /// False if there is no comment here.
    private mutating func skipComment() -> Bool {
        let start = position
        if bytes[position...].starts(with: "/*".utf8) {
            position += 2
            while position < bytes.count, !bytes[position...].starts(with: "*/".utf8) { position += 1 }
            position = min(position + 2, bytes.count)
        } else if bytes[position] == UInt8(ascii: "#") || bytes[position...].starts(with: "//".utf8) {
            while let byte = current, byte != 0x0A { position += 1 }
        } else {
            return false
        }
        report(
            "json-syntax", "JSON has no comments",
            "A key can be one: \"//\" in a .pkr.json file, \"_comment\" at the top of a template of the older kind.",
            range(from: start))
        return true
    }

    /// After a thousand the rest of the file is given up.
    private mutating func report(
        _ id: String, _ summary: String, _ detail: String, _ range: SourceRange, _ notes: [Diagnostic.Note] = []
    ) {
        guard diagnostics.count < Self.mostDiagnostics else { return position = bytes.count }
        diagnostics.append(
            Diagnostic(id: "hcl/" + id, summary: summary, detail: detail, subject: range, notes: notes))
    }

    mutating func stop(_ summary: String, _ detail: String, _ range: SourceRange) -> Stop {
        report("json-syntax", summary, detail, range)
        return Stop()
    }
}

import Diagnostics

/// Parses JSON as RFC 8259 has it, and keeps every value's place.
///
/// A missing or superfluous comma, a comment and a name that is written twice are reported and passed over, so that
/// one run shows them all.
struct JSONParser {
    let bytes: [UInt8]
    let file: String
    var index = 0
    private var depth = 0
    private var diagnostics: [Diagnostic] = []

    private static let maximumDepth = 200

    /// nil where the text cannot be read to its end; the diagnostics say why.
    static func parse(_ file: SourceFile) -> Diagnosed<JSONNode?> {
        var parser = JSONParser(file)
        let node = parser.document()
        return Diagnosed(node, parser.diagnostics)
    }

    private init(_ file: SourceFile) {
        bytes = Array(file.text.utf8)
        self.file = file.name
        // A byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    }

    /// What stops parsing; it was reported.
    struct Stop: Error {}

    private mutating func document() -> JSONNode? {
        do throws(Stop) {
            let node = try value()
            skipSpace()
            if index < bytes.count { throw stop("There is text after the end of the JSON value", "", wordRange()) }
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
                    "A JSON template is one object: { \"builders\": [{ \"type\": \"qemu\", … }] }.",
                    here)
            }
            throw stop("The JSON text ends where a value is expected", "A bracket or brace may not be closed.", here)
        }
        switch byte {
        case UInt8(ascii: "{"): return try nested { parser throws(Stop) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(Stop) in try parser.array() }
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: return try word()
        }
    }

    private mutating func nested(_ body: (inout JSONParser) throws(Stop) -> JSONNode) throws(Stop) -> JSONNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw stop("The JSON text is nested too deeply", "", here) }
        return try body(&self)
    }

    private mutating func object() throws(Stop) -> JSONNode {
        let start = index
        index += 1
        var members: [JSONNode.Member] = []
        var first: [String: SourceRange] = [:]
        while try goesOn(UInt8(ascii: "}"), "object", isFirst: members.isEmpty, start) {
            guard current == UInt8(ascii: "\"") else {
                throw stop(
                    "A name in double quotes is expected here",
                    "Write \"NAME\": VALUE, also where the name is one word.",
                    wordRange())
            }
            let name = try string()
            guard let text = name.text else { throw Stop() }
            skipSpace()
            if current == UInt8(ascii: ":") {
                index += 1
            } else {
                throw stop("A colon is expected after “\(text)”", "Write \"\(text)\": VALUE.", wordRange())
            }
            let value = try value()
            if let place = first[text] {
                report(
                    "duplicate", "“\(text)” is written twice in one object",
                    "Only one of them could count. Remove or rename one.", name.range,
                    [Diagnostic.Note("first written here", at: place)])
            } else {
                first[text] = name.range
            }
            members.append(JSONNode.Member(name: text, nameRange: name.range, value: value))
        }
        return JSONNode(kind: .object(members), range: range(from: start))
    }

    private mutating func array() throws(Stop) -> JSONNode {
        let start = index
        index += 1
        var elements: [JSONNode] = []
        while try goesOn(UInt8(ascii: "]"), "list", isFirst: elements.isEmpty, start) { elements.append(try value()) }
        return JSONNode(kind: .array(elements), range: range(from: start))
    }

    /// Steps over the comma before the next element, or over the end of the list or object; false there.
    private mutating func goesOn(
        _ end: UInt8, _ what: String, isFirst: Bool, _ start: Int
    ) throws(Stop) -> Bool {
        let before = index
        skipSpace()
        if current == UInt8(ascii: ","), !isFirst {
            let comma = index
            index += 1
            skipSpace()
            if current == end {
                report(
                    "json-syntax", "A comma before the end of a JSON \(what)", "Remove it.",
                    SourceRange(file: file, start: comma, end: comma + 1))
            }
        } else if !isFirst, let byte = current, byte != end {
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") else {
                throw stop("A comma or the end of the \(what) is expected here", "", wordRange())
            }
            report(
                "json-syntax", "A comma is missing", "Elements of a JSON \(what) are separated by commas.",
                SourceRange(file: file, start: before - 1, end: before))
        }
        guard let byte = current else {
            throw stop(
                "A JSON \(what) is not closed", "The file ends before its \(Character(UnicodeScalar(end))).",
                SourceRange(file: file, start: start, end: start + 1))
        }
        if byte == end {
            index += 1
            return false
        }
        return true
    }

    private mutating func number() throws(Stop) -> JSONNode {
        let start = index
        if current == UInt8(ascii: "-") { index += 1 }
        let whole = digits()
        var isGood = whole == 1 || whole > 1 && bytes[index - whole] != UInt8(ascii: "0")
        if current == UInt8(ascii: ".") {
            index += 1
            isGood = digits() > 0 && isGood
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            isGood = digits() > 0 && isGood
        }
        let range = range(from: start)
        guard isGood else { throw stop("This is no JSON number", "", range) }
        return JSONNode(kind: .number(String(decoding: bytes[start..<index], as: UTF8.self)), range: range)
    }

    private mutating func digits() -> Int {
        let start = index
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { index += 1 }
        return index - start
    }

    private mutating func word() throws(Stop) -> JSONNode {
        let range = wordRange()
        let text = String(decoding: bytes[range.start..<range.end], as: UTF8.self)
        index = range.end
        switch text {
        case "true": return JSONNode(kind: .bool(true), range: range)
        case "false": return JSONNode(kind: .bool(false), range: range)
        case "null": return JSONNode(kind: .null, range: range)
        default:
            throw stop(
                "A JSON value is expected here",
                depth == 0
                    ? "JSON begins with a brace. A template in HCL is a file whose name ends in .pkr.hcl."
                    : "Text stands in double quotes; true, false and null do not.", range)
        }
    }

    // MARK: Characters

    var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private var here: SourceRange {
        SourceRange(file: file, start: min(index, bytes.count), end: min(index + 1, bytes.count))
    }

    func range(from start: Int) -> SourceRange { SourceRange(file: file, start: start, end: index) }

    /// From here to the next space, bracket, comma or colon; at least one byte.
    private func wordRange() -> SourceRange {
        var end = min(index + 1, bytes.count)
        while end < bytes.count, !" \t\r\n,:{}[]\"".utf8.contains(bytes[end]) { end += 1 }
        return SourceRange(file: file, start: min(index, bytes.count), end: end)
    }

    private mutating func skipSpace() {
        while let byte = current {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            case UInt8(ascii: "/"), UInt8(ascii: "#"):
                guard skipComment() else { return }
            default: return
            }
        }
    }

    /// False if there is no comment here.
    private mutating func skipComment() -> Bool {
        let start = index
        if bytes[index...].starts(with: "/*".utf8) {
            index += 2
            while index < bytes.count, !bytes[index...].starts(with: "*/".utf8) { index += 1 }
            index = min(index + 2, bytes.count)
        } else if bytes[index] == UInt8(ascii: "#") || bytes[index...].starts(with: "//".utf8) {
            while let byte = current, byte != 0x0A { index += 1 }
        } else {
            return false
        }
        report(
            "json-syntax", "JSON has no comments",
            "At the top of a template, keys that begin with an underscore are comments: \"_comment\": \"…\".",
            range(from: start))
        return true
    }

    private mutating func report(
        _ id: String, _ summary: String, _ detail: String, _ range: SourceRange, _ notes: [Diagnostic.Note] = []
    ) {
        diagnostics.append(
            Diagnostic(id: "template/" + id, summary: summary, detail: detail, subject: range, notes: notes))
    }

    mutating func stop(_ summary: String, _ detail: String, _ range: SourceRange) -> Stop {
        report("json-syntax", summary, detail, range)
        return Stop()
    }
}

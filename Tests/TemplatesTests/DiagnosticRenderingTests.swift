import Diagnostics
import Testing

@Suite("How diagnostics are drawn")
struct DiagnosticRenderingTests {
    /// What is drawn of a diagnostic at the first place of some words: the source line, and the marks below it.
    private func drawn(
        _ text: String, at words: String, hidden: [Range<Int>] = []
    ) throws -> (line: String, marks: String, all: String) {
        var file = SourceFile(name: "f", text: text)
        file.hidden = hidden
        let place = try #require(Array(text.utf8).firstRange(of: Array(words.utf8)))
        let range = SourceRange(file: "f", start: place.lowerBound, end: place.upperBound)
        let all = DiagnosticRenderer(files: [file])
            .render(Diagnostic(id: "x", summary: "Wrong", subject: range, notes: [.init("also here", at: range)]))
        let lines = all.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let bar = try #require(lines.firstIndex { $0.hasSuffix(" |") })
        let cut = try #require(lines[bar].firstIndex(of: "|")).utf16Offset(in: lines[bar]) + 2
        return (String(lines[bar + 1].dropFirst(cut)), String(lines[bar + 2].dropFirst(cut)), all)
    }

    /// The part of a line that stands above the marks, for texts in which every character has one column.
    private func underlined(_ drawn: (line: String, marks: String, all: String)) -> String {
        let start = drawn.marks.prefix { $0 == " " }.count
        return String(drawn.line.dropFirst(start).prefix(drawn.marks.count - start))
    }

    @Test("a line of a hundred columns is drawn whole")
    func short() throws {
        let line = String(repeating: "a", count: 90) + " wrong bbb"
        let drawn = try drawn(line, at: "wrong")
        #expect(drawn.line == line)
        #expect(underlined(drawn) == "wrong")
    }

    @Test("of a long line a window around the words is drawn", arguments: [0, 1, 50, 120, 1990, 2100, 30000])
    func long(before: Int) throws {
        for after in [0, 1, 60, 5000] where before + after > 150 {
            let line = String(repeating: "a", count: before) + "wrong" + String(repeating: "b", count: after)
            let drawn = try drawn("first\n" + line + "\nlast", at: "wrong")
            #expect(drawn.line.count <= 112)
            #expect(drawn.line.count >= 100)
            #expect(underlined(drawn) == "wrong")
            #expect(drawn.line.hasPrefix("…") == (before > 105 || before > 60 && after > 50))
            #expect(drawn.line.hasSuffix("…") == (after > 105 || after > 50 && before > 50))
            #expect(drawn.all.contains("line 2, column \(before + 1):"))
            // The related place, too.
            #expect(drawn.all.utf8.count < 800)
        }
    }

    @Test("words that are longer than the window are cut, and so are their marks")
    func longWords() throws {
        let words = String(repeating: "w", count: 4000)
        let drawn = try drawn(String(repeating: "a", count: 300) + words + "bbb", at: words)
        #expect(drawn.line.count <= 112)
        #expect(drawn.line.hasPrefix("…a"))
        #expect(drawn.line.hasSuffix("w…"))
        #expect(underlined(drawn) == drawn.line.drop { $0 != "w" })
    }

    @Test("marks stand below their words behind tabs, wide characters and combining marks")
    func columns() throws {
        #expect(try drawn("\t\tx = wrong", at: "wrong").marks == String(repeating: " ", count: 12) + "^^^^^")
        #expect(try drawn("日本 = wrong", at: "wrong").marks == String(repeating: " ", count: 7) + "^^^^^")
        #expect(try drawn("x = 日本", at: "日本").marks == "    ^^^^")
        #expect(try drawn("cafe\u{301} = wrong", at: "wrong").marks == String(repeating: " ", count: 7) + "^^^^^")
        let wide = try drawn(
            String(repeating: "日", count: 3000) + "wrong" + String(repeating: "本", count: 3000), at: "wrong")
        let before = wide.line.prefix { $0 != "w" }
        #expect(before.first == "…")
        #expect(wide.marks == String(repeating: " ", count: 1 + 2 * (before.count - 1)) + "^^^^^")
        #expect(before.count * 2 <= 112)
    }

    @Test("a byte order mark, carriage returns, control characters and direction marks do not reach the terminal")
    func hostile() throws {
        let drawn = try drawn("\u{FEFF}a\u{1B}[2J\u{202E} wrong\r\nnext", at: "wrong")
        #expect(drawn.line == "a\u{FFFD}[2J\u{FFFD} wrong")
        #expect(drawn.all.contains("line 1, column 8:"))
        let pile = "e" + String(repeating: "\u{301}", count: 5000) + " wrong"
        #expect(try self.drawn(pile, at: "wrong").all.utf8.count < 500)
        let words = DiagnosticRenderer(files: []).render(Diagnostic(id: "x", summary: "a\u{1B}[2Jb"))
        #expect(!words.contains("\u{1B}"))
    }

    @Test("hidden text is drawn as one word, whatever its length")
    func hidden() throws {
        let text = "password = \"hunter2\" x"
        let behind = try drawn(text, at: "x", hidden: [11..<20])
        #expect(behind.line == "password = <sensitive> x")
        #expect(underlined(behind) == "x")
        let whole = try drawn(text, at: "\"hunter2\"", hidden: [11..<20])
        #expect(underlined(whole) == "<sensitive>")
        let part = try drawn(text, at: "ter", hidden: [11..<20])
        #expect(part.line == "password = <sensitive> x")
        #expect(underlined(part) == "<sensitive>")
        let lines = try drawn("key = <<EOF\nabc\ndef wrong\nEOF\n", at: "wrong", hidden: [6..<30])
        #expect(lines.line == "<sensitive>")
    }
}

@Suite("How much is said")
struct DiagnosticLimitTests {
    private func problem(_ id: String, _ number: Int, _ severity: Diagnostic.Severity = .error) -> Diagnostic {
        Diagnostic(
            id: id, severity: severity, summary: "\(id) \(number)",
            subject: SourceRange(file: "f", start: number, end: number + 1))
    }

    @Test("ten of a kind are told, with the number of the others")
    func kinds() {
        let bounded = ((0..<1000).map { problem("a", $0) } + [problem("b", 0)]).bounded()
        #expect(bounded.map(\.summary) == (0..<10).map { "a \($0)" } + ["b 0"])
        #expect(bounded[9].detail == "… and 990 more like this.")
        #expect(bounded.bounded() == bounded)
    }

    @Test("a hundred are told at most, errors rather than warnings, and an error stays one")
    func total() {
        let warnings = (0..<150).map { problem("w\($0)", 0, .warning) }
        let errors = (0..<90).map { problem("e\($0)", 0) }
        let bounded = (warnings + errors).bounded()
        #expect(bounded.count == 100)
        #expect(bounded.count { $0.severity == .error } == 90)
        #expect(bounded.last?.id == "template/too-many")
        #expect(bounded.last?.summary == "141 more warnings are not shown")
        #expect(bounded.bounded() == bounded)
        let many = (0..<300).map { problem("e\($0)", 0) }.bounded()
        #expect(many.last?.severity == .error)
        #expect((warnings + [problem("e", 0)]).bounded().hasErrors)
    }

    @Test("what quotes a file of a megabyte is cut")
    func texts() {
        let long = String(repeating: "x", count: 1 << 20)
        let diagnostic = Diagnostic(
            id: "a", summary: long, detail: long,
            notes: (0..<500).map { _ in .init(long, at: SourceRange(file: "f", start: 0, end: 1)) })
        let bounded = [diagnostic].bounded()
        #expect(bounded.map(\.summary.count) == [300])
        #expect(bounded.map(\.detail.count) == [3000])
        #expect(bounded.map(\.notes.count) == [8])
    }
}

import Diagnostics
import HCL
import Testing

private func parsed(_ text: String) -> Diagnosed<Body> {
    parse(SourceFile(name: "test", text: text))
}

private func words(_ range: SourceRange?, in text: String) -> String {
    guard let range else { return "" }
    return String(decoding: Array(text.utf8)[range.start..<range.end], as: UTF8.self)
}

@Suite("the parser")
struct ParserTests {
    @Test("attributes and blocks are read with their labels and ranges")
    func structure() {
        let text = "a = 1 # one\n/* two */ b \"x\" y {\n  c = [\n    1,\n  ]\n  d {}\n}\ne { f = 2 }\n"
        let body = parsed(text)
        #expect(body.diagnostics.isEmpty)
        #expect(body.value.attributes.map(\.name) == ["a"])
        #expect(body.value.blocks.map(\.type) == ["b", "e"])
        #expect(body.value.blocks[0].labels.map(\.text) == ["x", "y"])
        #expect(body.value.blocks[0].body.blocks.map(\.type) == ["d"])
        #expect(words(body.value.blocks[0].headerRange, in: text) == "b \"x\" y")
    }

    @Test("blanks may stand before a call's parenthesis, and a line end may not")
    func calls() {
        #expect(parsed("a = upper (\"x\")\nb = upper \t(\"x\")\n").diagnostics.isEmpty)
        #expect(parsed("a = upper\n(\"x\")\n").diagnostics.map(\.summary).isEmpty == false)
    }

    @Test("every mistake of a file is told once, and what follows is still read")
    func recovery() {
        let text = "a = \nb = [1, 2\n]\nc = 'x'\nd = 1 2\n= 5\ne = \"ok\"\n"
        let body = parsed(text)
        #expect(
            body.diagnostics.map(\.summary) == [
                "Missing expression", "Invalid character", "Missing newline after argument",
                "Argument or block definition required",
            ])
        #expect(body.value.attributes.map(\.name) == ["b", "e"])
    }

    @Test("an argument that is set twice names both places")
    func duplicate() {
        let text = "size = 1\nsize = 2\n"
        let diagnostic = parsed(text).diagnostics.first
        #expect(diagnostic?.id == "hcl/duplicate-attribute")
        #expect(diagnostic?.subject == SourceRange(file: "test", start: 9, end: 13))
        #expect(diagnostic?.notes.first?.range == SourceRange(file: "test", start: 0, end: 4))
    }

    @Test("a block that is never closed is told at its brace")
    func unclosed() {
        let text = "source \"qemu\" \"x\" {\n  a = 1\n"
        let diagnostic = parsed(text).diagnostics.first
        #expect(diagnostic?.summary == "Unclosed configuration block")
        #expect(words(diagnostic?.subject, in: text) == "{")
    }

    @Test("carriage returns and a byte order mark do no harm")
    func windows() {
        let body = parsed("\u{FEFF}a = 1\r\nb {\r\n  c = \"x\"\r\n}\r\n")
        #expect(body.diagnostics.isEmpty)
        #expect(body.value.attributes.count == 1 && body.value.blocks.count == 1)
    }

    @Test("references leave out the names that for binds")
    func references() {
        let expression = parseExpression(
            SourceFile(name: "test", text: "[for v in var.list : \"${v}${local.x.y}\"]")
        ).value
        #expect(expression.references.map(\.path) == [["var", "list"], ["local", "x", "y"]])
    }

    @Test("a file of nothing but mistakes is given up after a thousand")
    func manyMistakes() {
        for line in ["a = (", "a = \"${", "a { b = (", "x y z", "a = b(\"x\"", "}", "%{"] {
            let diagnostics = parsed(String(repeating: line + "\n", count: 20_000)).diagnostics
            #expect(!diagnostics.isEmpty && diagnostics.count <= 1000)
        }
    }

    @Test("identifiers are of any script, and strings of one normal form")
    func unicode() {
        let body = parsed("größe = 1\nпеременная-1 = \"an\u{303}o\"\n数 \"l\" {}\n× = 1\n")
        #expect(body.value.attributes.map(\.name) == ["größe", "переменная-1"])
        #expect(body.value.blocks.map(\.type) == ["数"])
        #expect(body.diagnostics.map(\.summary) == ["Argument or block definition required"])
        guard case .literal(.string(let text))? = body.value.attributes.last?.expression.kind else {
            Issue.record("no text")
            return
        }
        #expect(Array(text.utf8) == Array("a\u{F1}o".utf8))
    }
}

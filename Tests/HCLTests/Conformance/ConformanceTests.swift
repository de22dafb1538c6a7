import Diagnostics
import Foundation
import HCL
import Testing

/// HCL's conformance suite; see Fixtures/README.md.
@Suite("HCL's conformance suite")
struct ConformanceTests {
    @Test("every test of the suite passes, in the native and in the JSON syntax")
    func suite() throws {
        let root = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures/specsuite")
        let names = try #require(FileManager.default.enumerator(atPath: root.path)).compactMap { $0 as? String }
            .filter { $0.hasSuffix(".t") }.sorted()
        var passed = 0
        var total = 0
        for name in names {
            for suffix in ["hcl", "hcl.json"] {
                let base = root.appendingPathComponent(String(name.dropLast(2))).path
                guard FileManager.default.fileExists(atPath: "\(base).\(suffix)") else { continue }
                total += 1
                let problems = try SuiteTest(base: base, suffix: suffix).run()
                if problems.isEmpty { passed += 1 }
                #expect(problems.isEmpty, "\(name) (\(suffix)): \(problems.joined(separator: "; "))")
            }
        }
        print("HCL conformance suite: \(passed) of \(total)")
        #expect(total >= 16)
    }

    @Test(
        "the suite's language decodes blocks by label, in lists and as attributes",
        arguments: [
            ("array {\n attr {\n name = \"a\"\n type = number\n }\n literal { value = 2 }\n}", "a = \"1\"", "[1,2]"),
            ("block_attrs \"b\" { element_type = number }", "b {\n x = 1\n y = \"2\"\n}", "{\"x\":1,\"y\":2}"),
            (
                "block_map \"b\" {\n labels = [\"k\"]\n attr \"a\" { type = string }\n}",
                "b \"x\" { a = 1 }\nb y { a = 2 }",
                "{\"x\":\"1\",\"y\":\"2\"}"
            ),
            ("default {\n attr \"a\" { type = string }\n literal { value = \"d\" }\n}", "", "\"d\""),
            (
                "transform {\n result = \"<${nested}>\"\n attr \"a\" { type = string }\n}", "a = \"x\"",
                "\"\\u003cx\\u003e\""
            ),
            ("block_set \"b\" {\n attr \"a\" { type = number }\n}", "b { a = 2 }\nb { a = 1 }\nb { a = 2 }", "[1,2]"),
            ("block_tuple \"b\" {\n attr \"a\" { type = any }\n}", "b { a = 2 }\nb { a = \"x\" }", "[2,\"x\"]"),
        ])
    func language(_ specification: String, _ text: String, _ expected: String) throws {
        let specBody = try parse(SourceFile(name: "spec", text: specification + "\n")).get()
        let spec = try DecodingSpec(try #require(specBody.blocks.first), variables: [:])
        var decoder = SpecDecoder(EvaluationContext())
        let value = decoder.decode(try parse(SourceFile(name: "test", text: text + "\n")).get(), spec)
        #expect(decoder.diagnostics.isEmpty)
        #expect(encodeJSON(value) == expected)
    }
}

/// One test: what to read, how to decode it, and what must come of it.
private struct SuiteTest {
    let input: SourceFile
    let isJSON: Bool
    let specification: Body
    let expectation: Body

    init(base: String, suffix: String) throws {
        func file(_ suffix: String) throws -> SourceFile {
            SourceFile(name: suffix, text: try String(contentsOfFile: "\(base).\(suffix)", encoding: .utf8))
        }
        input = try file(suffix)
        isJSON = suffix.hasSuffix("json")
        specification = try parse(try file("hcldec")).get()
        expectation = try parse(try file("t")).get()
    }

    /// What is not as the suite wants it.
    func run() throws -> [String] {
        var variables: [String: Value] = [:]
        for block in specification.blocks where block.type == "variables" {
            for attribute in block.body.attributes {
                variables[attribute.name] = try attribute.expression.evaluate(in: EvaluationContext()).get()
            }
        }
        guard let root = specification.blocks.first(where: { $0.type != "variables" }) else { return ["no spec"] }
        let spec = try DecodingSpec(root, variables: variables)
        let parsed = isJSON ? parseJSON(input, schema: spec.schema) : parse(input)
        var diagnostics = parsed.diagnostics
        var value = Value.unknown
        if !diagnostics.hasErrors {
            var decoder = SpecDecoder(EvaluationContext(variables: variables))
            value = decoder.decode(parsed.value, spec)
            diagnostics += decoder.diagnostics
        }
        return compareDiagnostics(diagnostics) + (try compareResult(value)) + compareTraversals(parsed.value)
    }

    private func compareResult(_ value: Value) throws -> [String] {
        var problems: [String] = []
        if let expression = expectation.attributes.first(where: { $0.name == "result" })?.expression {
            var expected = try expression.evaluate(in: EvaluationContext()).get()
            if let type = expectation.attributes.first(where: { $0.name == "result_type" })?.expression {
                expected = try expected.converted(to: try HCLType.parse(type).get()).get()
            }
            if value != expected { problems.append("result \(encodeJSON(value)), not \(encodeJSON(expected))") }
        }
        if let expression = expectation.attributes.first(where: { $0.name == "result_type" })?.expression {
            let expected = try HCLType.parse(expression).get()
            if value.type != expected { problems.append("type \(value.type.name), not \(expected.name)") }
        }
        return problems
    }

    private func compareTraversals(_ body: Body) -> [String] {
        guard let block = expectation.blocks.first(where: { $0.type == "traversals" }) else { return [] }
        let found = body.attributes.flatMap(\.expression.references).count
        return found == block.body.blocks.count ? [] : ["\(found) references"]
    }

    private func compareDiagnostics(_ diagnostics: [Diagnostic]) -> [String] {
        let wanted = expectation.blocks.filter { $0.type == "diagnostics" }.flatMap(\.body.blocks).map { block in
            "\(block.type) \(position(block, "from"))-\(position(block, "to"))"
        }
        let found = diagnostics.map { diagnostic -> String in
            let range = diagnostic.subject ?? SourceRange(file: "", start: 0, end: 0)
            let severity = diagnostic.severity == .error ? "error" : "warning"
            return "\(severity) \(position(range.start))-\(position(range.end))"
        }
        if wanted.sorted() == found.sorted() { return [] }
        return ["diagnostics \(found) \(diagnostics.map(\.summary)), not \(wanted)"]
    }

    private func position(_ block: Block, _ name: String) -> String {
        let place = block.body.blocks.first { $0.type == name }
        let numbers = ["line", "column", "byte"].map { key in
            place?.body.attributes.first { $0.name == key }?.expression.evaluate(in: EvaluationContext()).value
                .numberValue?.text ?? "?"
        }
        return numbers.joined(separator: ":")
    }

    private func position(_ byte: Int) -> String {
        let before = input.text.utf8.prefix(byte)
        let line = 1 + before.count { $0 == 0x0A }
        let start = before.lastIndex(of: 0x0A).map { before.index(after: $0) } ?? before.startIndex
        let column = 1 + String(decoding: before[start...], as: UTF8.self).count
        return "\(line):\(column):\(byte)"
    }
}

import Diagnostics
import HCL
import Testing

private let schema = BodySchema(
    blocks: [
        "variable": .init(labels: 1, BodySchema(expressions: ["type"])),
        "source": .init(labels: 2) { labels in
            labels.first == "qemu" ? BodySchema(blocks: ["disk": .init()]) : BodySchema()
        },
        "build": .init(BodySchema(blocks: ["provisioner": .init(labels: 1)], allowsDynamic: true)),
    ])

private func body(_ text: String, readsTemplates: Bool = true) -> Diagnosed<Body> {
    parseJSON(SourceFile(name: "test", text: text), schema: schema, readsTemplates: readsTemplates)
}

private func words(_ range: SourceRange?, in text: String) -> String {
    guard let range else { return "" }
    return String(decoding: Array(text.utf8)[range.start..<range.end], as: UTF8.self)
}

private let context = EvaluationContext(variables: ["a": .number(Number(2)), "name": .string("x")])

/// The one attribute's value as JSON, or what is wrong and the words it is about.
private func value(_ json: String) -> String {
    let text = "{\"v\": \(json)}"
    let parsed = body(text)
    if let problem = parsed.diagnostics.first { return "\(problem.summary): \(words(problem.subject, in: text))" }
    guard let attribute = parsed.value.attributes.first else { return "none" }
    let result = attribute.expression.evaluate(in: context)
    if let problem = result.diagnostics.first { return "\(problem.summary): \(words(problem.subject, in: text))" }
    return encodeJSON(result.value)
}

@Suite("the JSON syntax")
struct JSONSyntaxTests {
    @Test(
        "a value of JSON is an expression, and its strings are templates",
        arguments: [
            ("1.50", "1.5"), ("-2e3", "-2000"), ("true", "true"), ("null", "null"), ("\"x\"", "\"x\""),
            ("[1, \"${a}\", null]", "[1,2,null]"), ("{\"b\": 1, \"a\": {}}", "{\"a\":{},\"b\":1}"),
            ("\"${a + 1}\"", "3"), ("\"n = ${a + 1}\"", "\"n = 3\""), ("\"$${a}\"", "\"${a}\""),
            ("\"%{ if a > 1 }yes%{ else }no%{ endif }\"", "\"yes\""), ("{\"${name}\": 1}", "{\"x\":1}"),
            ("\"${upper(\\\"a\\\")}\"", "Call to unknown function: upper"),
            ("\"a\\u0062\\n\\ud83d\\ude00 ${name}\"", "\"ab\\n😀 x\""), ("\"\\ud800\"", "\"\u{FFFD}\""),
            ("\"${\\\"q\\\"}\"", "\"q\""), ("{\"//\": 1}", "{\"//\":1}"),
            ("12345678901234567890.5", "12345678901234567890.5"), ("\"\\/\\b\\f\"", "\"/\\u0008\\u000c\""),
            ("\"an\\u0303\"", "\"a\u{F1}\""),
        ])
    func values(_ json: String, _ expected: String) {
        #expect(value(json) == expected)
    }

    @Test(
        "a mistake is told with exactly the words it is about",
        arguments: [
            ("\"${nope}\"", "Unknown variable: nope"), ("\"\\t\\u0041${a + nope}\"", "Unknown variable: nope"),
            ("\"\\\"${a +}\"", "Invalid expression: }"), ("\"${a\"", "Unterminated interpolation: ${"),
            ("{\"x\": 1, \"x\": 2}", "Duplicate object key: \"x\""),
            ("{\"x\": 1, \"${name}\": 2}", "Duplicate object key: \"${name}\""),
            ("[1,]", "A comma before the end of a JSON list: ,"),
            ("{\"x\": 1,}", "A comma before the end of a JSON object: ,"),
            ("'a'", "A JSON value is expected here: 'a'"),
            ("01", "This is not a JSON number: 01"), ("1.", "This is not a JSON number: 1."),
            ("1e99999", "The number is too large: 1e99999"), ("+1", "A JSON value is expected here: +1"),
            ("tru", "A JSON value is expected here: tru"), ("\"a\nb\"", "The string is not closed on its line: \"a"),
            ("\"\\q\"", "JSON has no such escape: \\q"), ("{x: 1}", "A name in double quotes is expected here: x"),
            ("{\"x\" 1}", "A colon is expected after “x”: 1"),
            ("[1 2]", "A comma or the end of the list is expected here: 2"),
            ("1 // no", "JSON has no comments: // no}"), ("# no", "JSON has no comments: # no}"),
        ])
    func mistakes(_ json: String, _ expected: String) {
        #expect(value(json) == expected)
    }

    @Test("blocks are found at every level of labels, in objects and arrays, in order")
    func blocks() throws {
        let text = """
            {
              "//": "a comment",
              "source": {"qemu": {"a": {"x": 1, "disk": [{"size": 1}, {"size": 2}]}, "b": {}}, "null": [{"c": {}}, {"d": [{}, {}]}]},
              "source": [{"qemu": {"e": {"disk": {}}}}],
              "build": {"provisioner": [{"shell": {}}, {"file": {}}, {"shell": [{}]}], "name": "n"},
              "variable": {"v": null, "w": {"type": "list(string)", "default": ["${b}"]}}
            }
            """
        let parsed = try body(text).get()
        #expect(
            parsed.blocks.map { ([$0.type] + $0.labels.map(\.text)).joined(separator: " ") } == [
                "source qemu a", "source qemu b", "source null c", "source null d", "source null d", "source qemu e",
                "build", "variable w",
            ])
        #expect(parsed.blocks[0].body.attributes.map(\.name) == ["x"])
        #expect(parsed.blocks[0].body.blocks.map(\.type) == ["disk", "disk"])
        #expect(words(parsed.blocks[0].headerRange, in: text) == "\"a\"")
        #expect(words(parsed.blocks[1].range, in: text) == "{}")
        #expect(parsed.blocks[6].body.blocks.map { $0.labels[0].text } == ["shell", "file", "shell"])
        let type = try #require(parsed.blocks[7].body.attributes.first).expression
        #expect(try HCLType.parse(type).get() == .list(.string))
        #expect(parsed.attributes.isEmpty)
    }

    @Test("a dynamic block has the schema of the blocks it makes, and a bare name as iterator")
    func dynamicBlocks() throws {
        let text =
            "{\"build\": {\"dynamic\": {\"provisioner\": {\"for_each\": [1], \"iterator\": \"it\", \"labels\": [\"shell\"], \"content\": {\"inline\": [\"${it.value}\"]}}}}}"
        let dynamic = try #require(try body(text).get().blocks.first?.body.blocks.first)
        #expect(dynamic.type == "dynamic" && dynamic.labels.map(\.text) == ["provisioner"])
        #expect(dynamic.body.attributes.map(\.name) == ["for_each", "iterator", "labels"])
        #expect(dynamic.body.attributes[1].expression.kind == .variable("it"))
        #expect(dynamic.body.blocks.map(\.type) == ["content"])
    }

    @Test(
        "what cannot be a block is told",
        arguments: [
            ("{\"source\": 1}", "Incorrect JSON value type: 1"),
            ("{\"source\": {\"qemu\": \"x\"}}", "Incorrect JSON value type: \"x\""),
            ("{\"source\": {}}", "Missing block label: {"), ("{\"build\": true}", "Incorrect JSON value type: true"),
            ("{\"build\": [{}, 1]}", "Incorrect JSON value type: 1"), ("[{}, 2]", "Incorrect JSON value type: 2"),
            ("\"x\"", "Incorrect JSON value type: \"x\""), ("{\"a\": 1, \"a\": 2}", "Attribute redefined: \"a\""),
            ("{\"a\": 1} x", "There is text after the end of the JSON value: x"),
            ("{\"a\": [", "A JSON list is not closed: ["),
            ("", "The file is empty: "),
        ])
    func wrongBlocks(_ text: String, _ expected: String) {
        let problem = body(text).diagnostics.first
        #expect("\(problem?.summary ?? "none"): \(words(problem?.subject, in: text))" == expected)
    }

    @Test("in a file of variables strings are plain text")
    func literals() throws {
        let parsed = try body("{\"v\": \"${not a template\"}", readsTemplates: false).get()
        #expect(parsed.attributes.first?.expression.kind == .literal(.string("${not a template")))
    }

    @Test("an array of objects at the root is one body")
    func rootArray() throws {
        #expect(try body("[{\"a\": 1}, {\"b\": 2}]").get().attributes.map(\.name) == ["a", "b"])
    }

    @Test("nesting beyond reason is refused")
    func depth() {
        #expect(
            body("{\"a\": " + String(repeating: "[", count: 100_000)).diagnostics.first?.summary
                == "The JSON text is nested too deeply")
    }
}

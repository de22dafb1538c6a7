import Diagnostics
import Foundation
import HCL
import Testing

/// Mutations of good input, the same in every run.
@Suite("hostile input")
struct FuzzTests {
    private static let native = Array(
        """
        variable "a" { default = [for k, v in {x = 1} : "${k}-${v}" if v > 0 && !false] }
        locals { b = <<-EOT
          text ${var.s[0]} %{ if true ~} y %{ else } z %{ endif }
            %{ for i, v in [1, 2] ~} $${i} ${"${v}"} %{ endfor ~}
          EOT
        }
        å-é "l\\u00e9" c { d = try(var.l.*.y, convert("1", list(number)), "%{ for i in [1] }${i}%{ endfor }") ? 1 : -2.5e3 }
        f = { a = 1, "b" : 2, (var.s) = var.l[*].x.0, for_ = null } /* c */ # d
        """.utf8)
    private static let json = Array(
        """
        {"//": 1, "source": [{"qemu": {"a": {"x": "${var.n + 1}", "y": [1, -2.5e3, true, null, "\\u00e9\\n${upper(\\"q\\")}"]}}}],
        "build": {"dynamic": {"provisioner": {"for_each": "${var.l}", "content": {"k": {"${var.s}": "%{ if true }z%{ endif }"}}}}}}
        """.utf8)
    private static let expressions = try? ExpressionTableTests.rows().map(\.expression)
    private static let alphabet = Array("\"${}[]()%~=.,:?<-\n\\ax1 #/*!&|'é\u{FF}\r\t0e_".utf8)

    private static func mutated(
        _ seed: [UInt8], _ generator: inout SeededGenerator, other: [UInt8], most: Int = 8
    ) -> String {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...most, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let letter = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[place] = letter
            case 1: bytes.insert(letter, at: place)
            case 2: bytes.removeSubrange(place..<min(place + 5, bytes.count))
            case 3: bytes = Array(bytes.prefix(place))
            case 4:
                let start = Int.random(in: 0..<other.count, using: &generator)
                bytes.insert(contentsOf: other[start..<min(start + 12, other.count)], at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `INGOT_FUZZ_SEED` and `INGOT_FUZZ_ROUNDS` make another run, and a longer one.
    private static let environment = ProcessInfo.processInfo.environment
    private static func generator(_ seed: UInt64) -> SeededGenerator {
        SeededGenerator(state: (environment["INGOT_FUZZ_SEED"].flatMap(UInt64.init) ?? 0) &* 1000 &+ seed)
    }
    private static func rounds(_ usual: Int) -> Int { environment["INGOT_FUZZ_ROUNDS"].flatMap(Int.init) ?? usual }

    /// Everything in the body is evaluated, and every range must lie in the text.
    private static func exercise(_ parsed: Diagnosed<Body>, _ text: String) {
        let length = text.utf8.count
        func check(_ range: SourceRange?) {
            guard let range else { return }
            #expect(range.start >= 0 && range.start <= range.end && range.end <= length, "\(text)")
        }
        func visit(_ body: Body) {
            for attribute in body.attributes {
                check(attribute.range)
                check(attribute.expression.range)
                for reference in attribute.expression.references { check(reference.range) }
                let result = attribute.expression.evaluate(in: TestExpression.context)
                for diagnostic in result.diagnostics { check(diagnostic.subject) }
                _ = HCLType.parse(attribute.expression)
            }
            for block in body.blocks {
                check(block.range)
                check(block.headerRange)
                visit(block.body)
            }
        }
        for diagnostic in parsed.diagnostics { check(diagnostic.subject) }
        visit(parsed.value)
    }

    @Test("no mutation of a template makes the parser or the evaluator crash, hang or point outside the text")
    func nativeSyntax() {
        var generator = Self.generator(1)
        for _ in 0..<Self.rounds(1000) {
            let text = Self.mutated(Self.native, &generator, other: Self.json)
            Self.exercise(parse(SourceFile(name: "t", text: text)), text)
        }
    }

    @Test("no mutation of a JSON template does either")
    func jsonSyntax() {
        let schema = BodySchema(
            blocks: [
                "source": .init(labels: 2),
                "build": .init(BodySchema(blocks: ["provisioner": .init(labels: 1)], allowsDynamic: true)),
            ], expressions: ["x"])
        var generator = Self.generator(2)
        for _ in 0..<Self.rounds(1000) {
            let text = Self.mutated(Self.json, &generator, other: Self.native)
            Self.exercise(parseJSON(SourceFile(name: "t", text: text), schema: schema), text)
        }
    }

    @Test("no mutation of an expression of the table does either")
    func tableOfExpressions() throws {
        let rows = try #require(Self.expressions)
        var generator = Self.generator(3)
        for round in 0..<Self.rounds(2000) {
            let other = Array(rows[Int.random(in: 0..<rows.count, using: &generator)].utf8)
            let text = Self.mutated(Array(rows[round % rows.count].utf8), &generator, other: other, most: 3)
            // Hundreds of password digests would take minutes.
            if text.contains("bcrypt") { continue }
            let result = TestExpression.evaluate(text)
            for range in result.diagnostics.compactMap(\.subject) {
                #expect(range.end <= text.utf8.count, "\(text)")
            }
            let templated = parseTemplate(SourceFile(name: "t", text: "<${\(text)}>"))
            _ = templated.value.evaluate(in: TestExpression.context)
        }
    }

    @Test(
        "what would take forever or all memory is refused",
        arguments: [
            "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]",
            "setproduct(range(1000), range(1000))", "setproduct(range(100), range(100), range(100))",
            "format(\"%99999d\", 1)", "format(\"%.99999f\", 1)", "indent(100000, \"\\n\")", "range(100000)",
            "1e99999", "1e9999 * 1e9999 * 1e9999", "1e10000000000000000000000",
            "regex(\"((a{100}){100}){100}\", \"a\")",
            "regex(\"(x+x+)+y\", \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\")",
            "\"%{ for a in range(1000) }%{ for b in range(1000) }%{ for c in range(1000) }xxxxxxxxxxxxxxxx${a}%{ endfor }%{ endfor }%{ endfor }\"",
            "[for a in range(1000) : join(\"\", [for b in range(1000) : format(\"%5000d\", b)])]", "bcrypt(\"x\", 31)",
            "cidrsubnet(\"::/0\", 129, 0)", "pow(10, 100000)",
            "parseint(\"\(String(repeating: "9", count: 2000))\", 10)",
            "jsondecode(\"\(String(repeating: "[", count: 2000))\")",
            "yamldecode(\"\(String(repeating: "[", count: 2000))\")",
            "unix_timestamp_parse(9e18)", "timeadd(\"9999-12-31T23:59:59Z\", \"9e18h\")", "cidrhost(\"::/0\", 1e300)",
            "substr(\"abc\", 1e30, 1)", "chunklist([1], 1e30)", "element([1], 1e30)",
        ])
    func bounds(_ text: String) {
        #expect(TestExpression.evaluate(text).diagnostics.hasErrors)
    }

    @Test(
        "numbers at the edge of what a machine word holds do not trap",
        arguments: [
            "substr(\"abc\", -9223372036854775808, 9223372036854775807)", "substr(\"abc\", 1, 9223372036854775807)",
            "slice([1], 0, 9223372036854775807)", "chunklist([1, 2], 9223372036854775807)",
            "range(9223372036854775807)",
            "cidrsubnet(\"10.0.0.0/8\", 9223372036854775807, 0)", "cidrsubnets(\"10.0.0.0/8\", 9223372036854775807)",
            "unix_timestamp_parse(9223372036854775807)", "indent(-9223372036854775808, \"\")",
            "element([1, 2], 9223372036854775807)", "cidrhost(\"10.0.0.0/8\", 9223372036854775807)",
            "parseint(\"1\", 9223372036854775807)", "format(\"%[9223372036854775807]d\", 1)",
            "timeadd(\"0000-01-01T00:00:00Z\", \"-2562047h47m16.854775807s\")", "signum(-9223372036854775808)",
            "-9223372036854775808 % -1", "abs(-9223372036854775808)",
            "convert(9223372036854775808, string)",
        ])
    func edges(_ text: String) {
        _ = TestExpression.value(text)
    }
}

/// The same numbers every time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

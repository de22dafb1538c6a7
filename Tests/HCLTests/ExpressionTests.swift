import Diagnostics
import FoundationEssentials
import HCL
import Testing

private struct NoFiles: FunctionFiles {
    func read(_ path: String) throws -> [UInt8] { throw CocoaError(.fileNoSuchFile) }
    func kind(of path: String) -> FunctionFileKind? { nil }
    func names(in directory: String) throws -> [String] { [] }
}

private let context = EvaluationContext(
    variables: [
        "var": .object(["n": .number(Number(3)), "s": .string("x"), "l": .list([.string("a"), .string("b")])])
    ],
    functions: standardFunctions(
        files: NoFiles(), templateDirectory: "/t", workingDirectory: "/w", startTime: Date(timeIntervalSince1970: 0)))

/// The value as JSON, or the summary of the first problem.
private func result(_ text: String) -> String {
    let parsed = parseExpression(SourceFile(name: "test", text: text))
    if let problem = parsed.diagnostics.first { return problem.summary }
    let evaluated = parsed.value.evaluate(in: context)
    return evaluated.diagnostics.first?.summary ?? encodeJSON(evaluated.value)
}

@Suite("expressions")
struct ExpressionTests {
    @Test(
        "an expression has the value of the reference",
        arguments: [
            ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("-2 + 5", "3"), ("7 % 4", "3"), ("10 / 4", "2.5"),
            ("1.50", "1.5"),
            ("1e3", "1000"), ("0.1 + 0.2", "0.3"), ("12345678901234567890 + 1", "12345678901234567891"),
            ("1 == 1.0", "true"), ("1 == \"1\"", "false"), ("null == null", "true"), ("[] == []", "true"),
            ("true && false || true", "true"), ("!true", "false"), ("2 < 3", "true"), ("\"5\" + 1", "6"),
            ("true ? \"a\" : 1", "\"a\""), ("false ? \"a\" : 1", "\"1\""), ("\"a${1 + 1}b\"", "\"a2b\""),
            ("\"${var.l}\"", "[\"a\",\"b\"]"), ("\"$${x}\"", "\"${x}\""),
            ("\"%{ if var.n > 2 }yes%{ else }no%{ endif }\"", "\"yes\""),
            ("\"%{ for v in var.l }${v},%{ endfor }\"", "\"a,b,\""), ("\"a  ${~ 1 ~}  b\"", "\"a1b\""),
            ("[for v in var.l : upper(v)]", "[\"A\",\"B\"]"),
            ("[for i, v in var.l : \"${i}${v}\" if i > 0]", "[\"1b\"]"),
            ("{for v in var.l : v => 1}", "{\"a\":1,\"b\":1}"),
            ("{for v in [\"a\", \"a\"] : v => 1...}", "{\"a\":[1,1]}"),
            ("[{a = 1}, {a = 2}][*].a", "[1,2]"), ("null[*]", "[]"), ("\"x\"[*]", "[\"x\"]"), ("var.l.0", "\"a\""),
            ("{a = 1, \"b\" : 2, (var.s) = 3}", "{\"a\":1,\"b\":2,\"x\":3}"),
            ("{\n  a = 1\n  b = 2\n}", "{\"a\":1,\"b\":2}"),
            ("[\n  1,\n  2,\n]", "[1,2]"), ("<<EOT\na\n  b\nEOT\n", "\"a\\n  b\\n\""),
            ("<<-EOT\n    a\n      b\n  EOT\n", "\"a\\n  b\\n\""),
            ("max(1, 3, 2)", "3"), ("range(3)", "[0,1,2]"), ("length(\"äö\")", "2"), ("join(\",\", var.l)", "\"a,b\""),
            ("split(\",\", \"a,b\")", "[\"a\",\"b\"]"), ("lookup({a = 1}, \"b\", 2)", "2"),
            ("merge({a = 1}, {a = 2})", "{\"a\":2}"),
            ("can(var.nope)", "false"), ("try(var.nope, \"d\")", "\"d\""), ("convert(\"1\", number)", "1"),
            ("convert([1], list(string))", "[\"1\"]"), ("coalesce(\"\", null, \"c\")", "\"c\""),
            ("compact([\"a\", \"\"])", "[\"a\"]"),
            ("concat([1], [2])", "[1,2]"), ("contains([\"1\"], 1)", "false"), ("element([1, 2], 3)", "2"),
            ("flatten([[1], [[2]]])", "[1,2]"),
            ("format(\"%03d-%s\", 7, \"x\")", "\"007-x\""), ("format(\"%.2f\", 1.005)", "\"1.00\""),
            ("formatdate(\"YYYY-MM-DD hh:mm\", \"2026-01-02T03:04:05Z\")", "\"2026-01-02 03:04\""),
            ("legacy_isotime(\"2006-01-02\")", "\"1970-01-01\""), ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
            ("jsondecode(\"{\\\"a\\\": [1, true, null]}\")", "{\"a\":[1,true,null]}"),
            ("jsonencode({b = \"<\"})", "\"{\\\"b\\\":\\\"\\\\u003c\\\"}\""),
            ("regex(\"([0-9]+)-(.)\", \"12-x\")", "[\"12\",\"x\"]"),
            ("regex_replace(\"ab\", \"(a)\", \"$1$1\")", "\"aab\""),
            ("replace(\"a.b\", \".\", \"-\")", "\"a-b\""), ("substr(\"hello\", 1, 3)", "\"ell\""),
            ("substr(\"hello\", -2, -1)", "\"lo\""),
            ("sha256(\"\")", "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""),
            ("base64encode(\"hi\")", "\"aGk=\""), ("cidrhost(\"10.0.0.0/8\", 5)", "\"10.0.0.5\""),
            ("cidrnetmask(\"10.0.0.0/12\")", "\"255.240.0.0\""),
            ("cidrsubnet(\"10.0.0.0/8\", 8, 2)", "\"10.2.0.0/16\""), ("trimspace(\" a \")", "\"a\""),
            ("title(\"a b\")", "\"A B\""),
            ("abspath(\"x\")", "\"/w/x\""), ("basename(\"/a/b.txt\")", "\"b.txt\""),
            ("dirname(\"/a/b.txt\")", "\"/a\""),
            ("sort([\"b\", \"a\"])", "[\"a\",\"b\"]"), ("yamldecode(\"a: [1, x]\")", "{\"a\":[1,\"x\"]}"),
            ("zipmap([\"a\"], [1])", "{\"a\":1}"),
        ])
    func value(_ text: String, _ expected: String) {
        #expect(result(text) == expected)
    }

    @Test(
        "a mistake is told by its kind",
        arguments: [
            ("1 +", "Missing expression"), ("\"a", "Unterminated string"), ("'a'", "Invalid character"),
            ("[1", "Missing \"]\""),
            ("nope.x", "Unknown variable"), ("var.nope", "Unsupported attribute"),
            ("upcase(\"a\")", "Call to unknown function"),
            ("1 / 0", "Division by zero"), ("var.l[5]", "Invalid index"),
            ("\"${null}x\"", "Invalid template interpolation value"),
            ("regex(\"a\", \"b\")", "Error in function call"), ("range(2000)", "Error in function call"),
            ("min()", "Error in function call"),
            ("true + 1", "Invalid operand"), ("\"\\q\"", "Invalid escape sequence"),
            ("\"%{ if true }\"", "Unclosed %{ if }"),
            ("{for v in [1, 1] : \"a\" => v}", "Duplicate object key"),
            ("[for v in 5 : v]", "Iteration over non-iterable value"),
        ])
    func mistake(_ text: String, _ summary: String) {
        #expect(result(text) == summary)
    }

    @Test("what is nested beyond reason is refused instead of exhausting the stack")
    func limits() {
        for text in [
            String(repeating: "(", count: 10_000),
            String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000),
            String(repeating: "-", count: 10_000) + "1", "1" + String(repeating: "+(1", count: 10_000),
            "a" + String(repeating: "[a", count: 10_000),
            String(repeating: "true ? ", count: 5_000), String(repeating: "\"${", count: 5_000),
        ] {
            #expect(!parseExpression(SourceFile(name: "test", text: text)).diagnostics.isEmpty)
        }
    }
}

import Diagnostics
import HCL
import Testing

@Suite("sensitive and unknown values")
struct SensitivityTests {
    @Test(
        "whatever is made of a sensitive value is sensitive, and nothing else",
        arguments: [
            "var.secret", "\"${var.secret}\"", "\"a${var.secret}b\"", "upper(var.secret)", "var.secret == \"x\"",
            "[var.secret][0]", "{a = var.secret}.a", "length(var.secret)", "jsonencode({a = [var.secret]})",
            "var.secret == \"x\" ? 1 : 2", "var.secret != \"\" && true", "!(var.secret == \"x\")",
            "[for v in [1] : v if var.secret != \"x\"]", "{for v in [1] : var.secret => v}", "{(var.secret) = 1}",
            "{hunter2 = 5}[var.secret]", "[for v in split(\"\", var.secret) : v]",
            "\"%{ if var.secret == \"x\" }a%{ endif }\"",
            "\"%{ for v in [var.secret] }${v}%{ endfor }\"", "try(var.secret, 1)", "convert(var.secret, string)",
            "coalesce(null, var.secret)", "format(\"%s\", [var.secret][0])", "concat([var.secret], [1])",
            "base64encode(var.secret)", "split(\",\", var.secret)[*]", "convert([var.secret], set(string))",
            "join(\",\", [[var.secret]]...)", "var.mixed.a", "merge(var.mixed, {})",
            "max([convert(\"${length(var.secret)}\", number)]...)",
        ])
    func marked(_ text: String) {
        let result = TestExpression.evaluate(text)
        #expect(result.diagnostics.isEmpty)
        #expect(result.value.isSensitive)
    }

    @Test(
        "what does not touch a sensitive value stays as it is",
        arguments: [
            "var.s", "var.mixed.b", "[var.secret, 1][1]", "{a = var.secret, b = 1}.b", "can(var.secret)",
            "true ? 1 : var.secret", "[for v in [1] : v]", "[var.secret]", "{a = var.secret}",
        ])
    func unmarked(_ text: String) {
        let result = TestExpression.evaluate(text)
        #expect(result.diagnostics.isEmpty)
        #expect(!result.value.isSensitive)
    }

    @Test(
        "no message quotes a sensitive value",
        arguments: [
            "convert(var.secret, number)", "var.secret + 1", "regex(\"nope\", var.secret)", "parseint(var.secret, 10)",
            "{a = 1}[var.secret]", "[1][var.secret]", "var.secret ? 1 : 2", "var.secret && true", "file(var.secret)",
            "{for v in [1, 2] : var.secret => v}", "jsondecode(var.secret)", "timeadd(var.secret, \"1h\")",
            "[for v in var.secret : v]", "var.secret.x", "max(var.secret)", "convert({a = var.secret}, map(number))",
            "try(convert(var.secret, number))", "lookup({a = 1}, \"b\", [var.secret])[5]",
        ])
    func messages(_ text: String) {
        let result = TestExpression.evaluate(text)
        #expect(!result.diagnostics.isEmpty)
        for diagnostic in result.diagnostics {
            #expect(!diagnostic.summary.contains("hunter") && !diagnostic.detail.contains("hunter"))
        }
    }

    @Test("a sensitive value is not shown as JSON, and can be revealed")
    func revealed() {
        let value = TestExpression.evaluate("{a = var.secret, b = 1}").value
        #expect(encodeJSON(value) == "{\"a\":\"\\u003csensitive\\u003e\",\"b\":1}")
        #expect(encodeJSON(value.revealed) == "{\"a\":\"hunter2\",\"b\":1}")
    }

    @Test(
        "what depends on an unknown value is unknown, and what does not is known",
        arguments: [
            ("var.unknown", false), ("var.unknown + 1", false), ("\"a${var.unknown}\"", false),
            ("upper(var.unknown)", false), ("var.unknown.x[0]", false), ("var.unknown == 1", false),
            ("var.unknown ? 1 : 2", false), ("[for v in var.unknown : v]", false), ("!var.unknown", false),
            ("{(var.unknown) = 1}", false), ("var.unknown[*].a", false), ("jsonencode([var.unknown])", false),
            ("try(var.unknown, 1)", false), ("can(var.unknown)", false), ("max([1, var.unknown]...)", false),
            ("length([var.unknown, 1])", true), ("keys(var.mixed)", true), ("element([var.unknown, 1], 1)", true),
            ("var.unknown && false", true), ("true || var.unknown", true), ("[var.unknown, 2][1]", true),
            ("{a = var.unknown, b = 1}.b", true), ("true ? 1 : var.unknown", true),
            ("lookup({a = var.unknown, b = 1}, \"b\", 2)", true),
            ("slice([var.unknown, 1], 1, 2)", true), ("[for k, v in var.mixed : k]", true),
        ])
    func unknown(_ text: String, _ isKnown: Bool) {
        let result = TestExpression.evaluate(text)
        #expect(result.diagnostics.isEmpty)
        #expect(result.value.isWhollyKnown == isKnown)
    }
}

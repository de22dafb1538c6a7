import Diagnostics
import Foundation
import HCL
import Testing

/// Runs `body` on a thread with the small stack that threads of a pool may have.
private func onSmallStack<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: body()) }
        thread.stackSize = 512 << 10
        thread.start()
    }
}

private func chain(_ count: Int, _ separator: String, _ operand: (Int) -> String) -> String {
    (0..<count).map(operand).joined(separator: separator)
}

@Suite("chains and nesting")
struct ChainTests {
    private static let length = 10_000

    private static func sum(_ sign: String, _ operand: String) -> String {
        chain(length, " \(sign) ") { _ in operand }
    }

    private static let chains: [(String, String)] = {
        var chains: [(String, String)] = []
        chains.append((sum("+", "1"), "10000"))
        chains.append((sum("-", "1"), "-9998"))
        chains.append((sum("*", "1"), "1"))
        chains.append((sum("&&", "true"), "true"))
        chains.append((sum("||", "false"), "false"))
        chains.append((sum("==", "true"), "true"))
        chains.append((chain(length, " + ") { $0 % 2 == 0 ? "2 * 2" : "6 / 3" }, "30000"))
        chains.append((chain(length, "") { "var.n == \($0 + 10) ? \"a\" : " } + "\"z\"", "\"z\""))
        chains.append((chain(length, "") { "var.n < \($0) ? \($0) : " } + "\"z\"", "\"4\""))
        let text = chain(length, "-") { _ in "3" }
        chains.append(("\"" + chain(length, "-") { _ in "${var.n}" } + "\"", "\"\(text)\""))
        chains.append(("length([" + chain(length, ", ") { _ in "1" } + "])", "10000"))
        chains.append(("can(var." + chain(length, ".") { "a\($0)" } + ")", "false"))
        chains.append(("can(var" + chain(length, "") { "[\($0)]" } + ")", "false"))
        return chains
    }()

    @Test(
        "a chain of ten thousand operands is evaluated, walked and formatted on a small stack",
        arguments: chains.indices)
    func long(_ index: Int) async {
        let (text, expected) = Self.chains[index]
        let result = await onSmallStack {
            let parsed = parseExpression(SourceFile(name: "test", text: text))
            _ = parsed.value.references
            _ = HCLType.parse(parsed.value)
            _ = FormattedFile(name: "test", contents: Array("a = \(text)\n".utf8))
            // Compared and thrown away, as the program does with them.
            return parsed.value == parsed.value && parsed.diagnostics.isEmpty ? TestExpression.value(text) : "broken"
        }
        #expect(result == expected)
    }

    @Test(
        "what is nested is refused from some depth on, and evaluated on a small stack before",
        arguments: [
            "(•)", "(1 + •)", "[•]", "{ a = • }", "upper(•)", "max(1, • + 1)", "-•", "!•", "\"${•}\"", "\"x${•}\"",
            "true ? • : 0", "[for x in [1] : •]", "{ for x in [1] : \"a\" => • }", "\"%{ if true }${•}%{ endif }\"",
            "\"%{ for x in [1] }${•}x%{ endfor }\"", "[1][• - 1]", "[[1]][*][•]", "try(•)",
            "max(1, 1 + 1 * \"${[for x in [1] : • * 1][0]}\" + 1)", "(1 || 1 && 1 == 1 < 1 + 1 * •)",
        ])
    func nested(_ form: String) async {
        let depths = await onSmallStack {
            (1...130).filter { depth in
                let text = (0..<depth).reduce("1") { text, _ in form.replacing("•", with: text) }
                let parsed = parseExpression(SourceFile(name: "test", text: text))
                _ = parsed.value.references
                if parsed.diagnostics.isEmpty { _ = parsed.value.evaluate(in: TestExpression.context) }
                return parsed.diagnostics.isEmpty
            }
        }
        #expect(depths.count >= 4 && depths.count < 130)
    }

    @Test("splats without end are refused")
    func splats() {
        for text in ["a" + String(repeating: "[*]", count: 100_000), "a" + String(repeating: ".*[0]", count: 100_000)] {
            let parsed = parseExpression(SourceFile(name: "test", text: text))
            #expect(parsed.diagnostics.map(\.summary) == ["Nested too deeply"])
        }
    }

    @Test(
        "in a chain every problem has its own words, and what decides hides the rest",
        arguments: [
            ("1 + true + 2", "true"), ("1 + 2 + {} + 3", "{}"), ("true && 1 + 1 && true", "1 + 1"),
            ("1 < 2 < 3 == {}.a", "1 < 2"), ("false ? 1 : true ? [] : 2", "true ? [] : 2"),
            ("var.n == 1 ? nope : true ? 1 : nope", ""), ("nope ? 1 : 2", "nope"), ("true || nope || nope", ""),
            ("nope && nope && false", ""), ("var.l[0].x.y", "x"), ("var.l[7].x", "7"), ("var.n.a.b[0]", "a"),
        ])
    func problems(_ text: String, _ words: String) {
        let problem = TestExpression.evaluate(text).diagnostics.first
        let place = problem?.subject.map { Array(text.utf8)[$0.start..<$0.end] } ?? []
        #expect(String(decoding: place, as: UTF8.self) == words)
    }

    @Test("a conditional has the type that all its results have in common")
    func types() {
        #expect(TestExpression.value("[true ? 1 : false ? \"b\" : \"c\"]") == "[\"1\"]")
        #expect(TestExpression.value("[false ? 1 : false ? \"2\" : true]") == "[\"true\"]")
    }
}

@Suite("interruption")
struct InterruptionTests {
    @Test("evaluation ends soon after its task is cancelled, also inside can")
    func cancelled() async {
        let result = await Task {
            var context = TestExpression.context
            context.functions["stop"] = Function(.number) { arguments in
                if arguments == [.number(Number(5))] { withUnsafeCurrentTask { $0?.cancel() } }
                return arguments[0]
            }
            let text = "can([for a in range(400) : [for b in range(400) : stop(a * 400 + b)]])"
            let result = parseExpression(SourceFile(name: "test", text: text)).value.evaluate(in: context)
            return (result.value, result.diagnostics.map(\.id))
        }.value
        #expect(result.0 == .unknown)
        #expect(result.1 == ["hcl/interrupted"])
    }
}

@Suite("sets of files")
struct FileSetTests {
    /// Folders in folders without end, with a file in each.
    private struct Endless: FunctionFiles {
        func read(_ path: String) throws -> [UInt8] { [] }
        func kind(of path: String) -> FunctionFileKind? { path.hasSuffix(".txt") ? .file : .directory }
        func names(in directory: String) throws -> [String] {
            if directory.contains("forbidden") { throw CocoaError(.fileReadNoPermission) }
            return ["a", "b", "c", "x.txt"]
        }
    }

    private func value(_ text: String) -> (text: String, problem: String?) {
        let functions = standardFunctions(
            files: Endless(), templateDirectory: "/t", workingDirectory: "/w", startTime: Date(timeIntervalSince1970: 0)
        )
        let result = parseExpression(SourceFile(name: "test", text: text)).value
            .evaluate(in: EvaluationContext(functions: functions))
        return (encodeJSON(result.value), result.diagnostics.first?.detail)
    }

    @Test("more than a pattern can mean is not looked at, and too much is refused")
    func bounds() {
        #expect(value("fileset(\"/\", \"*.txt\")").text == "[\"x.txt\"]")
        #expect(value("fileset(\"/\", \"a/*.txt\")").text == "[\"a/x.txt\"]")
        #expect(value("fileset(\"/\", \"**\")").problem?.contains("more than 20000 files and folders in /;") == true)
    }
}

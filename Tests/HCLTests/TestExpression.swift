import Diagnostics
import FoundationEssentials
import HCL

/// Evaluation of a line of text with all functions and a few variables.
enum TestExpression {
    /// A tiny tree of files.
    struct Files: FunctionFiles {
        var files: [String: String] = [
            "/t/a.txt": "hello\n", "/t/sub/b.txt": "b", "/t/sub/c.md": "c", "/t/sub/deep/d.txt": "d",
            "/t/t.tpl": "Hi ${name}!%{ for x in list } ${x}%{ endfor }", "/t/lone.tpl": "${list}",
            "/t/self.tpl": "${templatefile(\"x\", {})}", "/w/raw.bin": "raw",
        ]

        func read(_ path: String) throws -> [UInt8] {
            if path == "/t/binary" { return [0xFF, 0xFE] }
            guard let text = files[path] else { throw CocoaError(.fileNoSuchFile) }
            return Array(text.utf8)
        }

        func kind(of path: String) -> FunctionFileKind? {
            if files[path] != nil || path == "/t/binary" { return .file }
            return files.keys.contains { $0.hasPrefix(path + "/") } ? .directory : nil
        }

        func names(in directory: String) throws -> [String] {
            let prefix = directory.hasSuffix("/") ? directory : directory + "/"
            let names = files.keys.filter { $0.hasPrefix(prefix) }.map {
                String($0.dropFirst(prefix.count).prefix { $0 != "/" })
            }
            return Set(names).sorted()
        }
    }

    static let context = EvaluationContext(
        variables: [
            "var": .object([
                "n": .number(Number(3)), "s": .string("x"), "l": .list([.string("a"), .string("b")]),
                "secret": .sensitive(.string("hunter2")), "unknown": .unknown,
                "mixed": .object(["a": .sensitive(.string("p")), "b": .string("q"), "c": .unknown]),
            ])
        ],
        functions: standardFunctions(
            files: Files(), templateDirectory: "/t", workingDirectory: "/w",
            startTime: Date(timeIntervalSince1970: 86_400 * 31 + 3_723)))

    /// The value as `jsonencode` gives it, or `!` and the summary of the first problem.
    static func value(_ text: String) -> String {
        let result = evaluate(text)
        if let problem = result.diagnostics.first { return "!\(problem.summary): \(problem.detail)" }
        return encodeJSON(result.value).replacing("\n", with: "\\n")
    }

    static func evaluate(_ text: String) -> Diagnosed<Value> {
        let parsed = parseExpression(SourceFile(name: "test", text: text))
        if parsed.diagnostics.hasErrors { return Diagnosed(.unknown, parsed.diagnostics) }
        return parsed.value.evaluate(in: context)
    }
}

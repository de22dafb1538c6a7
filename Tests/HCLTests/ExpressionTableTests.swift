import Diagnostics
import Foundation
import HCL
import Testing

/// Fixtures/expressions.tsv: on each line an expression, a tab, and its value as JSON, or `!` and what the reference says of the
/// mistake. Values are what Packer 1.6.6's console gives for `jsonencode(…)`; below the line `# documentation` what the
/// documentation of functions says that it has not, or has otherwise.
@Suite("the table of expressions")
struct ExpressionTableTests {
    struct Row: Sendable {
        var expression: String
        var expected: String
    }

    static func rows() throws -> [Row] {
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        let text = try String(contentsOf: folder.appendingPathComponent("expressions.tsv"), encoding: .utf8)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            return Row(expression: String(parts[0]), expected: parts.count > 1 ? String(parts[1]) : "")
        }
    }

    @Test("every expression has the reference's value, or is a mistake where the reference says so")
    func table() throws {
        let rows = try Self.rows()
        var wrong: [String] = []
        for row in rows {
            let found = TestExpression.value(row.expression)
            let isRight = row.expected.hasPrefix("!") ? found.hasPrefix("!") : found == row.expected
            if !isRight { wrong.append("\(row.expression)\n    \(found)\n    \(row.expected)") }
        }
        print("Table of expressions: \(rows.count - wrong.count) of \(rows.count)")
        #expect(rows.count >= 400)
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("heredocs, strip markers and expressions over several lines have the reference's values")
    func templates() throws {
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        let text = try String(contentsOf: folder.appendingPathComponent("templates.hcl"), encoding: .utf8)
        let attributes = try parse(SourceFile(name: "templates.hcl", text: text)).get().attributes
        let values = Dictionary(uniqueKeysWithValues: attributes.map { ($0.name, $0.expression) })
        var count = 0
        for (name, expression) in values.sorted(by: { $0.key < $1.key }) {
            guard let expected = values[name + "_json"]?.evaluate(in: TestExpression.context).value.stringValue else {
                continue
            }
            count += 1
            let result = expression.evaluate(in: TestExpression.context)
            #expect(result.diagnostics.isEmpty)
            #expect(encodeJSON(result.value) == expected, "\(name)")
        }
        #expect(count >= 50)
    }
}

import Diagnostics
import Foundation
import HCL
import Testing

@Suite("functions of encodings")
struct EncodingTests {
    @Test("rsadecrypt reads keys of both forms, and tells a text of another key")
    func decryption() throws {
        let folder = try #require(Bundle.module.resourceURL).appendingPathComponent("Fixtures")
        let text = try String(contentsOf: folder.appendingPathComponent("keys.hcl"), encoding: .utf8)
        var context = TestExpression.context
        for attribute in try parse(SourceFile(name: "keys.hcl", text: text)).get().attributes {
            context.variables[attribute.name] = try attribute.expression.evaluate(in: context).get()
        }
        func value(_ text: String) -> Diagnosed<Value> {
            parseExpression(SourceFile(name: "test", text: text)).value.evaluate(in: context)
        }
        #expect(value("rsadecrypt(text, traditional)").value == .string("Grüße"))
        #expect(value("rsadecrypt(text, pkcs8)").value == .string("Grüße"))
        for wrong in [
            "rsadecrypt(\"AAAA\", pkcs8)", "rsadecrypt(text, \"nope\")", "rsadecrypt(text, substr(pkcs8, 0, 300))",
            "rsadecrypt(text, replace(pkcs8, \"MII\", \"MIJ\"))", "rsadecrypt(\"!\", pkcs8)",
        ] {
            #expect(value(wrong).diagnostics.hasErrors)
        }
    }

    @Test(
        "base64gzip makes what gzip reads",
        arguments: [
            ("", "H4sIAAAAAAAA/wMAAAAAAAAAAAA="), ("hello", "H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA=="),
        ])
    func compression(_ text: String, _ expected: String) {
        #expect(TestExpression.evaluate("base64gzip(\"\(text)\")").value == .string(expected))
    }

    @Test("base64gzip shortens what repeats")
    func repeats() throws {
        let value = TestExpression.evaluate(
            "length(base64gzip(join(\"\", [for i in range(1000) : \"user ${i % 7}, \"])))")
        #expect(try #require(value.value.numberValue?.int) < 400)
    }
}

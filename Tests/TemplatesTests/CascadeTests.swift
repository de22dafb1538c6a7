import Diagnostics
import FoundationEssentials
import Templates
import Testing

@testable import ComponentModel

@Suite("One mistake, one message")
struct CascadeTests {
    @Test("blocks inside blocks without end are told once", arguments: ["", "}"])
    func nested(end: String) {
        let loaded = Loaded(String(repeating: "build {\n", count: 1000) + String(repeating: end + "\n", count: 1000))
        #expect(loaded.errors.map(\.id) == ["hcl/too-deep"])
    }

    @Test("the same mistake a thousand times is told ten times")
    func repeated() {
        let loaded = Loaded(qemuTemplate(String(repeating: "memory 5\n", count: 1000)))
        #expect(loaded.errors.count == 10)
        #expect(loaded.errors.last?.detail.hasSuffix("… and 990 more like this.") == true)
    }

    @Test(
        "a variable whose declaration is wrong is not told to have no value",
        arguments: ["variable \"a\" {\n type = strng\n}\n", "variable \"my var\" {\n}\n", "variable \"9\" {}\n"])
    func declaration(text: String) {
        #expect(Loaded(text + qemuTemplate("")).errors.count == 1)
    }

    @Test("a variable is not told to have no value where its file cannot be read", arguments: ["a = \"x\nb 1\n", nil])
    func brokenFile(text: String?) {
        let declared = "variable \"a\" {}\nvariable \"c\" {}\n" + qemuTemplate("")
        let loaded = Loaded(declared, files: text.map { ["v.pkrvars.hcl": $0] } ?? [:]) {
            $0.variableFiles = ["v.pkrvars.hcl"]
        }
        #expect(!loaded.errors.isEmpty)
        #expect(!loaded.errors.contains { $0.id == "template/unset-variable" })
    }

    @Test("a block around another mistake is not told to be unclosed")
    func unclosed() {
        let text = "source \"qemu\" \"vm\" {\n boot_command = [\"a\"\n memory = 1\n}\n"
        #expect(Loaded(text).errors.map(\.id) == ["hcl/missing-comma"])
        #expect(Loaded("build {\n provisioner \"shell\" {\n").errors.map(\.id) == ["hcl/unclosed-block"])
    }

    @Test("a local that asks for the source is refused at that word, once")
    func sourceInLocal() {
        let text = "locals {\n  a = \"x-${source.name}\"\n  b = local.a\n}\n"
        let loaded = Loaded(text + qemuTemplate("")) { $0.isValidation = true }
        #expect(loaded.errorMarks == ["source-in-local: source.name"])
    }

    private func legacy(_ variables: [(String, String)]) -> Loaded {
        let members = variables.map { "\"\($0.0)\": \"\($0.1)\"" }.joined(separator: ",\n")
        let builder =
            #"{"type": "qemu", "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "root", "vm_name": "{{user `v0`}}"}"#
        return Loaded(
            "", files: ["t.json": "{\"variables\": {\(members)}, \"builders\": [\(builder)]}"], path: "t.json")
    }

    @Test("every user variable without a value is told")
    func unset() {
        let text = #"{"variables": {"a": null, "b": null}, "builders": [{"type": "qemu"}]}"#
        let loaded = Loaded("", files: ["t.json": text], path: "t.json")
        #expect(loaded.errors.count { $0.id == "template/unset-variable" } == 2)
        let broken = Loaded("", files: ["t.json": text, "v.json": "{\"a\": "], path: "t.json") {
            $0.variableFiles = ["v.json"]
        }
        #expect(!broken.errors.contains { $0.id == "template/unset-variable" })
    }

    @Test("a long chain of user variables is not a circle", arguments: [101, 3000])
    func chain(length: Int) {
        let links = (0..<length).map { ("v\($0)", "{{user `v\($0 + 1)`}}") } + [("v\(length)", "end")]
        let loaded = legacy(links)
        #expect(loaded.errors.isEmpty)
        #expect(loaded.plan.builds.first?.source.vmName == "end")
    }

    @Test("a circle behind a long chain is told as the circle it is")
    func circle() {
        let links = (0..<200).map { ("v\($0)", "{{user `v\($0 + 1)`}}") }
        let loaded = legacy(links + [("v200", "{{user `x`}}"), ("x", "{{user `y`}}"), ("y", "{{user `x`}}")])
        #expect(loaded.errors.map(\.id) == ["template/cycle"])
        #expect(loaded.errors.map(\.detail).allSatisfy { $0 == "“x” → “y” → “x”" || $0 == "“y” → “x” → “y”" })
    }

    @Test("values that double, and templates that make templates, end with a message of their own")
    func growth() {
        let doubling =
            (0..<60).map { ("v\($0)", "{{user `v\($0 + 1)`}}{{user `v\($0 + 1)`}}") } + [("v60", "0123456789")]
        let loaded = legacy(doubling)
        #expect(loaded.errors.count == 1)
        #expect(
            loaded.errors.allSatisfy {
                $0.id != "template/cycle" && $0.detail.contains("large") || $0.detail.contains("MiB")
            })
        let endless = legacy([("v0", "{{user `v1`}}"), ("v1", "x{{`{{`}}user `v1`}}")])
        #expect(endless.errors.allSatisfy { $0.detail.contains("more than a hundred times") })
        #expect(endless.errors.count == 1)
    }

    @Test(
        "reasons are plain words and end in one full stop",
        arguments: [
            "file(\"none.txt\")", "filebase64(\"none.txt\")", "templatefile(\"none.txt\", {})",
            "templatefile(\"bad.tpl\", {})", "templatefile(\"broken.tpl\", {})", "fileset(\"none\", \"*\")",
            "yamldecode(\"a: [\")", "yamldecode(\"a: b: c\")", "try(var.no.a, local.none)", "jsondecode(\"{\")",
            "regex(\"(\", \"a\")", "file(\"folder\")", "file(\"bad.tpl/x\")", "try(upper(), lower())",
        ])
    func reasons(expression: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ingot-reasons-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "folder"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // only a test's folder stays behind
        try "${file(\"x\")}".write(to: folder.appending(path: "bad.tpl"), atomically: true, encoding: .utf8)
        try "${".write(to: folder.appending(path: "broken.tpl"), atomically: true, encoding: .utf8)
        try ("locals {\n a = \(expression)\n}\n" + qemuTemplate("")).write(
            to: folder.appending(path: "t.pkr.hcl"), atomically: true, encoding: .utf8)
        let loaded = Loaded(LoadOptions(path: "t.pkr.hcl", workingDirectory: folder.path))
        let text = loaded.diagnostics.map { $0.detail }.joined(separator: "\n")
        #expect(!loaded.errors.isEmpty)
        #expect(!text.contains("..") && !text.contains("NSError") && !text.contains("Error Domain"))
        #expect(!text.contains("couldn’t") && !text.contains("Code="))
        #expect(loaded.errors.allSatisfy { ".?…".contains($0.detail.suffix(1)) })
    }
}

import Diagnostics
import Templates
import Testing

/// The password in these tests is `hunter2`; no part of it may be drawn.
@Suite("Secrets in the lines that diagnostics draw")
struct SecretDrawingTests {
    private func shown(_ loaded: Loaded) -> String {
        loaded.diagnostics.map(DiagnosticRenderer(files: loaded.files).render).joined()
    }

    private static let template =
        "variable \"root_password\" {\n  type = string\n  sensitive = true\n}\nvariable \"user\" {\n  default = \"root\"\n}\n"
        + qemuTemplate("")

    @Test(
        "a variable file that does not parse shows no secret",
        arguments: [
            "root_password = \"hunter2\nuser = \"bob\"\n", "root_password = 'hunter2'\n", "root_password = hunter2 x\n",
            "root_password: \"hunter2\"\n", "root_password \"hunter2\"\n",
            "root_password = \"hunter2\" user = \"bob\"\n",
            "user = \"bob\" root_password = \"hunter2\"\n", "user = [\"bob\", root_password = \"hunter2\"\n",
            "user = \"bob\nroot_password = \"hunter2\"\n", "root_password = <<EOF\nhunter2\n  hunter2 \"\n",
            "root_password = \"abc\nhunter2\nuser = \"x\"\n", "root_pasword = \"hunter2\nuser = 3 4\n",
            "\"root_password\" = \"hunter2\"\n", "root_password = \"hunter2\" \"\nuser =\n", "= \"hunter2\"\n",
            "\u{FEFF}root_password = “hunter2”\n", "\troot_password\t=\t\"hunter2\r\n",
            "user = {\n root_password = 'hunter2'\n",
            "root_password = {\n user = 'hunter2'\n", "root_password =\n  \"hunter2\"\n",
            "root_password = [\n'hunter2'\n]\n",
            "variable \"root_password\" { default = \"hunter2\n}\n", "root.password = \"hunter2\"\n",
        ])
    func brokenFile(text: String) {
        let loaded = Loaded(Self.template, files: ["a.pkrvars.hcl": text]) { $0.variableFiles = ["a.pkrvars.hcl"] }
        #expect(loaded.errors.contains { $0.subject?.file == "a.pkrvars.hcl" })
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test("a variable file that does not parse shows what is not a secret")
    func visibleValues() {
        let loaded = Loaded(Self.template, files: ["a.pkrvars.hcl": "user = \"bob\nroot_password = \"hunter2\n"]) {
            $0.variableFiles = ["a.pkrvars.hcl"]
        }
        #expect(shown(loaded).contains("user = \"bob\n"))
        #expect(shown(loaded).contains("root_password = <sensitive>\n"))
    }

    @Test(
        "neither does one that parses",
        arguments: [
            "root_password = hunter2\n", "root_password = \"hunter2${x}\"\n", "root_password = \"hunter2\" + 1\n",
            "root_pasword = \"hunter2\"\n", "root_password = [\"hunter2\"]\n", "root_password = hunter2(1)\n",
        ])
    func file(text: String) {
        let loaded = Loaded(Self.template, files: ["a.pkrvars.hcl": text]) {
            $0.variableFiles = ["a.pkrvars.hcl"]
            $0.isValidation = true
            $0.warnsOnUndeclared = true
        }
        #expect(loaded.diagnostics.contains { $0.subject?.file == "a.pkrvars.hcl" || $0.id == "template/wrong-type" })
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test(
        "a variable file in JSON shows no secret",
        arguments: [
            #"{"root_password": "hunter2, "user": "bob"}"#, #"{"user": "bob" "root_password": "hunter2"}"#,
            #"{"user": "bob, "root_password": "hunter2"}"#, #"{"root_password": hunter2}"#,
            #"{"root_password": 'hunter2'}"#, #"{"root_password": "hunter2""#, #"{"root_pasword": "hunter2"}"#,
            #"{root_password: "hunter2", "user" "x"}"#, #"["hunter2"]"#, #"{"root_password": ["hunter2", x y]}"#,
        ])
    func jsonFile(text: String) {
        let loaded = Loaded(Self.template, files: ["a.json": text]) {
            $0.variableFiles = ["a.json"]
            $0.isValidation = true
            $0.warnsOnUndeclared = true
        }
        #expect(loaded.diagnostics.contains { $0.subject?.file == "a.json" })
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test(
        "a declaration that is wrong shows no secret",
        arguments: [
            "local \"x\" {\n sensitive = true\n expression = \"hunter2${nothing}\"\n}\n",
            "local \"x\" {\n expression = hunter2\n sensitive = true\n}\n",
            "local \"x\" {\n sensitive = true\n expression = base64decode(\"hunter2!\")\n}\n",
            "local \"x\" {\n sensitive = true\n expression = \"hunter2\" + 1\n}\n",
            "local \"x\" {\n sensitive = true\n expression = \"hunter2\n}\n",
            "local \"x\" {\n sensitive true\n expression = 'hunter2'\n}\n",
            "local \"x\" {\n sensitive = true\n expression = \"hunter2\" \"\n}\n",
            "local \"x\" { sensitive = true expression = \"hunter2\" }\n",
            "local \"x\" {\n sensitive = true\n expression = <<EOF\nhunter2 ${a b}\nEOF\n}\n",
            "variable \"x\" {\n sensitive = true\n default = hunter2\n}\n",
            "variable \"x\" {\n sensitive = true\n default = \"hunter2${var.y}\"\n}\n",
            "variable \"x\" {\n default = \"hunter2\n sensitive = true\n}\n",
            "variable \"x\" {\n type = number\n default = \"hunter2\"\n sensitive = true\n}\n",
            "variable \"x\" {\n default = {\n a = 'hunter2'\n }\n sensitive = true\n}\n",
        ])
    func declaration(text: String) {
        let loaded = Loaded(text + qemuTemplate(""))
        #expect(!loaded.errors.isEmpty)
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test("of a sensitive local it is drawn what it refers to")
    func references() {
        let loaded = Loaded(
            "local \"x\" {\n sensitive = true\n expression = \"hunter2-${var.nme}\"\n}\nvariable \"name\" { default = \"\" }\n"
                + qemuTemplate(""))
        #expect(shown(loaded).contains("expression = <sensitive>var.nme<sensitive>\n"))
        #expect(shown(loaded).contains("Did you mean \"var.name\"?"))
    }

    @Test("a declaration that is not sensitive is drawn, though another is")
    func otherDeclaration() {
        let loaded = Loaded(
            "variable \"a\" {\n default = \"plain\n}\nvariable \"b\" {\n sensitive = true\n default = \"hunter2\n}\n")
        #expect(shown(loaded).contains(" default = \"plain\n"))
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test(
        "a JSON template on one line shows no secret",
        arguments: [
            #"{"variables": {"p": "hunter2"}, "sensitive-variables": ["p"], "builders": [{"type": "quemu"}]}"#,
            #"{"sensitive-variables": ["p"], "variables": {"p": "hunter2"}, "builders": [{"type": "qemu}]}"#,
            #"{"builders": [{"type": "qemu}], "variables": {"p": "hunter2"}, "sensitive-variables": ["p"]}"#,
            #"{"variables": {"p": "hunter2}, "sensitive-variables": ["p"], "builders": []}"#,
            #"{"variables": {"p": 'hunter2'}, "sensitive-variables": ["p"], "builders": []}"#,
            #"{"variables": {"p": hunter2}, "sensitive-variables": ["p"], "builders": []}"#,
            #"{"variables": {"p": ["hunter2"]}, "sensitive-variables": ["p"], "builders": []}"#,
            #"{"variables": {"p": "hunter2{{"}, "sensitive-variables": ["p"], "builders": []}"#,
            #"{"variables": {"p": "hunter2"}, "sensitive-variables": ["p", "builders": []}"#,
            #"{"builders": [{"type": "qemu", "ssh_password": "hunter2", "dsk_size": "1G", "iso_url": "a.iso"}]}"#,
            #"{"builders": [], "post-processors": [{"type": "proxmox", "token": "hunter2", "vm_idd": 1}]}"#,
        ])
    func legacy(text: String) {
        let loaded = Loaded("", files: ["t.json": text], path: "t.json")
        #expect(!loaded.errors.isEmpty)
        #expect(!shown(loaded).contains("hunter2"))
    }

    @Test(
        "a variable file of a JSON template shows no secret",
        arguments: [
            #"{"p": "hunter2, "q": "x"}"#, #"{"p": "hunter2" "q": "x"}"#, #"{"p": ["hunter2"]}"#,
            #"{"pp": ["hunter2"]}"#,
            #"{"p": hunter2}"#,
        ])
    func legacyFile(text: String) {
        let template =
            #"{"variables": {"p": "", "q": ""}, "sensitive-variables": ["p"], "builders": [{"type": "qemu"}]}"#
        let loaded = Loaded("", files: ["t.json": template, "v.json": text], path: "t.json") {
            $0.variableFiles = ["v.json"]
        }
        #expect(loaded.errors.contains { $0.subject?.file == "v.json" })
        #expect(!shown(loaded).contains("hunter2"))
    }
}

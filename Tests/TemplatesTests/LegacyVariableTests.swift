import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("Variables of JSON templates")
struct LegacyVariableTests {
    /// The text that the option `vm_name` gets, and everything else.
    private func render(
        _ text: String, _ variables: String = "{}", files: [String: String] = [:],
        change: (inout LoadOptions) -> Void = { _ in }
    ) -> (String?, Loaded) {
        let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let loaded = legacyQemu(
            #", "vm_name": "\#(quoted)""#, #", "variables": \#(variables)"#, files: files, change: change)
        return (loaded.plan.builds.first?.source.vmName, loaded)
    }

    @Test(
        "every function of the engine",
        arguments: [
            ("{{user `a`}}", "A"), ("{{ `a` | user }}", "A"), ("{{build_name}}/{{build_type}}", "qemu/qemu"),
            ("{{isotime}}", "2024-02-29T13:04:05Z"), ("{{isotime \"2006-01-02\"}}", "2024-02-29"),
            ("{{strftime `%Y.%j`}}", "2024.060"), ("{{timestamp}}", "1709211845"), ("{{pwd}}", "/work"),
            ("{{template_dir}}", "/work"), ("{{packer_version}}", "1.16.0"), ("{{split `a-b-c` `-` 1}}", "b"),
            ("{{user `a` | lower}}{{upper `b`}}", "aB"), ("{{replace `a` `x` 1 `aaa`}}", "xaa"),
            ("{{replace_all `a` `x` `aba`}}", "xbx"), ("{{clean_resource_name `A_b.c`}}", "a-b-c"),
            ("{{if eq (user `a`) `A`}}yes{{else}}no{{end}}", "yes"), ("{{printf `%03d` 7}}", "007"),
            ("{{len (uuid)}}", "36"), ("{{`{{`}}x", "{{x"), ("{{- /* c */ -}} x", "x"),
        ])
    func functions(text: String, expected: String) {
        let (name, loaded) = render(text, #"{"a": "A"}"#)
        #expect(loaded.errors.map(\.summary) == [])
        #expect(name == expected)
    }

    @Test(
        "functions where they may not be called are refused with a reason",
        arguments: [
            ("{{env `HOME`}}", "env: environment variables can only be read"), ("{{sed `a`}}", "sed is gone"),
            ("{{vault `a` `b`}}", "only inside the variables"),
            ("{{build `ID`}}", "only provisioners and post-processors"),
            ("{{split `a` `-` 1}}", "there are only 1 parts"), ("{{nosuch}}", "no template function is called nosuch"),
            ("{{user `a`", "is never closed with }}"),
        ])
    func refused(text: String, reason: String) {
        let (_, loaded) = render(text, #"{"a": "A"}"#)
        #expect(loaded.errors.map(\.id) == ["template/template-syntax"])
        #expect(loaded.errors.first?.detail.contains(reason) == true, "\(loaded.errors.map(\.detail))")
    }

    @Test("a template error points into the string")
    func place() {
        let (_, loaded) = render("abc {{nosuch}} def")
        #expect(loaded.errors.map { loaded.mark($0.subject) } == ["nosuch}} def"])
    }

    @Test(
        "-var beats variable files, the later file beats the earlier, and all beat the default; the environment is no source"
    )
    func precedence() {
        let files = ["1.json": #"{"a": "one", "b": "one", "c": "one"}"#, "2.json": #"{"b": "two", "c": "two"}"#]
        let (name, loaded) = render(
            "{{user `a`}} {{user `b`}} {{user `c`}} {{user `d`}}",
            #"{"a": "0", "b": "0", "c": "0", "d": "0"}"#, files: files
        ) {
            $0.variableFiles = ["1.json", "2.json"]
            $0.variables = [("c", "var")]
            $0.environment = ["PKR_VAR_d": "environment"]
        }
        #expect(loaded.errors.map(\.summary) == [])
        #expect(name == "one two var 0")
    }

    @Test("variables are made of each other, of the environment, and of what is given on the command line")
    func recursion() {
        let variables = #"{"a": "{{user `b`}}{{user `c`}}", "b": "{{env `E`}}", "c": "{{user `d`}}!", "d": ""}"#
        let (name, loaded) = render("{{user `a`}}", variables) {
            $0.environment = ["E": "env"]
            $0.variables = [("d", "{{isotime `2006`}}")]
        }
        #expect(loaded.errors.map(\.summary) == [])
        #expect(name == "env2024!")
    }

    @Test("fields of the dot survive in variables and are filled by the component")
    func fields() throws {
        let loaded = legacyQemu(
            #", "boot_command": ["{{user `cmd`}}"]"#,
            #", "variables": {"cmd": "{{ .HTTPIP }}/{{user `p`}}{{.Name}}", "p": "é"}"#)
        #expect(loaded.errors.map(\.summary) == [])
        let build = try #require(loaded.plan.builds.first)
        let text = try build.render(build.source.boot.steps[0].command, data: ["HTTPIP": "h", "Name": "n"])
        #expect(text == "h/én")
    }

    @Test(
        "wrong variables are refused where they stand",
        arguments: [
            (#"{"a": null}"#, #"unset-variable: "a""#), (#"{"a": 5}"#, "wrong-type: 5"),
            (#"{"a": "{{user `b`}}", "b": "{{user `a`}}"}"#, #"cycle: "{{user `b`}}""#),
            (#"{"a": "{{user `a`}}"}"#, #"cycle: "{{user `a`}}""#),
            (#"{"abc": "", "a": "x{{user `abd`}}"}"#, "undefined-variable: user `abd`}}"),
            (#"{"a": "{{nosuch}}"}"#, "template-syntax: nosuch}}"),
            (#"{"a": "{{build_name}}"}"#, "template-syntax: build_name}}"),
            (#"{"a": "{{vault `x` `y`}}"}"#, "template-syntax: vault `x` `y`}}"),
        ])
    func wrong(variables: String, expected: String) {
        // What is made of a wrong variable is not reported again.
        let (_, loaded) = render("{{user `a`}}", variables)
        #expect(loaded.errorMarks == [expected])
    }

    @Test("a required variable that is given is fine, and text of -var is pointed into")
    func given() {
        let (name, fine) = render("{{user `a`}}", #"{"a": null}"#) { $0.variables = [("a", "x"), ("undeclared", "y")] }
        #expect(name == "x" && fine.errors.isEmpty)
        let (_, bad) = render("{{user `a`}}", #"{"a": null}"#) { $0.variables = [("a", "{{nosuch}}")] }
        #expect(bad.errorMarks == ["template-syntax: {{nosuch}}"])
        #expect(bad.errors.first?.subject?.file == "-var a")
    }

    @Test(
        "wrong variable files are refused",
        arguments: [
            (#"{"a": 1}"#, "wrong-type: 1"), (#"["a"]"#, #"variable-file: ["a"]"#),
            (#"{"a": "b",}"#, "hcl/json-syntax: ,"),
            ("a = 1", "hcl/json-syntax: a"),
        ])
    func wrongFile(text: String, expected: String) {
        let (_, loaded) = render("x", files: ["v.json": text]) { $0.variableFiles = ["v.json"] }
        #expect(loaded.errorMarks == [expected])
    }

    @Test("an HCL variable file is told apart, and a name that is set twice or not declared is a warning")
    func variableFileHints() {
        let (_, hcl) = render("x", files: ["v.pkrvars.hcl": "a = 1"]) { $0.variableFiles = ["v.pkrvars.hcl"] }
        #expect(hcl.errors.map(\.summary) == ["“v.pkrvars.hcl” is a variable file for HCL templates"])
        let (name, twice) = render("{{user `a`}}", #"{"a": ""}"#, files: ["v.json": #"{"a": "1", "a": "2", "z": ""}"#])
        {
            $0.variableFiles = ["v.json"]
            $0.warnsOnUndeclared = true
        }
        #expect(name == "2" && twice.errors.isEmpty)
        #expect(twice.warnings.map(\.id) == ["hcl/duplicate", "template/undefined-variable"])
    }

    @Test("an undeclared variable is empty text, with a warning that knows what was meant")
    func undeclared() {
        let (name, loaded) = render("x{{user `pasword`}}", #"{"password": "p"}"#)
        #expect(name == "x" && loaded.errors.isEmpty)
        #expect(loaded.warnings.map { loaded.mark($0.subject) } == ["user `pasword`}}"])
        #expect(loaded.warnings.first?.detail.hasPrefix("Did you mean \"password\"?") == true)
    }

    @Test("sensitive variables are secrets, rendered and as given")
    func sensitive() {
        let loaded = legacyQemu(
            #", "cpus": "{{user `s`}}""#,
            #", "variables": {"s": "{{user `t`}}-x", "t": "inner"}, "sensitive-variables": ["s", "tt"]"#)
        #expect(loaded.plan.secrets.map { $0.reveal() }.contains("inner-x"))
        #expect(!loaded.errors.contains { ($0.summary + $0.detail).contains("inner-x") })
        #expect(loaded.errors.map(\.id) == ["template/wrong-type"])
        #expect(loaded.warnings.map { loaded.mark($0.subject) } == ["\"tt\""])
    }
}

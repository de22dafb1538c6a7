import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

@Suite("Variables and locals")
struct VariableTests {
    private let declared = """
        variable "name" {
          type    = string
          default = "default"
        }

        """

    private func name(_ change: (inout LoadOptions) -> Void, files: [String: String] = [:], path: String = ".")
        -> String?
    {
        Loaded(declared + qemuTemplate("vm_name = var.name"), files: files, path: path, change: change)
            .plan.builds.first?.source.vmName
    }

    @Test("the default counts when nothing else is given")
    func defaultValue() { #expect(name { _ in } == "default") }

    @Test("the environment beats the default")
    func environment() { #expect(name { $0.environment = ["PKR_VAR_name": "env"] } == "env") }

    @Test("automatic files beat the environment, JSON beats HCL, and are read for a directory only")
    func automaticFiles() {
        let files = ["a.auto.pkrvars.hcl": "name = \"auto\"", "z.pkrvars.hcl": "name = \"never\""]
        #expect(name({ $0.environment = ["PKR_VAR_name": "env"] }, files: files) == "auto")
        #expect(name({ _ in }, files: files, path: "t.pkr.hcl") == "default")
        let both = files.merging(["a.auto.pkrvars.json": "{\"name\": \"json\"}"]) { $1 }
        #expect(name({ _ in }, files: both) == "json")
    }

    @Test("files of the command line beat automatic ones, the last first")
    func variableFiles() {
        let files = [
            "a.auto.pkrvars.hcl": "name = \"auto\"", "b.pkrvars.hcl": "name = \"b\"", "c.json": "{\"name\": \"c\"}",
        ]
        #expect(name({ $0.variableFiles = ["c.json", "b.pkrvars.hcl"] }, files: files) == "b")
    }

    @Test("-var beats every file, the last of them wins")
    func arguments() {
        let files = ["b.pkrvars.hcl": "name = \"b\""]
        let name = name(
            {
                $0.variableFiles = ["b.pkrvars.hcl"]
                $0.variables = [("name", "first"), ("name", "la=st")]
            }, files: files)
        #expect(name == "la=st")
    }

    @Test("text is an expression for types other than string and number")
    func textValues() {
        let text = """
            variable "list" {
              type = list(string)
            }
            variable "flag" {
              type = bool
            }
            variable "free" {}
            variable "count" {
              type = number
            }

            """
        let loaded = Loaded(
            text
                + qemuTemplate(
                    "iso_target_path = var.free\nheadless = var.flag\nmemory = var.count\nboot_command = var.list")
        ) {
            $0.variables = [("list", "[\"a\", \"b\"]"), ("flag", "true"), ("free", "[1]"), ("count", "2048")]
        }
        #expect(loaded.errorMarks == [])
        let source = loaded.plan.builds.first?.source
        #expect(source?.boot.steps.first?.command == "ab")
        #expect(source?.machine.headless == true && source?.machine.memory == 2048)
        #expect(source?.input.targetPath == "[1]")
    }

    @Test("a variable without a value is reported at its block, and nowhere else")
    func unset() {
        let loaded = Loaded("variable \"name\" {\n  type = string\n}\n" + qemuTemplate("vm_name = \"x-${var.name}\""))
        #expect(loaded.errorMarks == ["unset-variable: variable \"name\""])
    }

    @Test("-var of an undeclared variable is an error with the right name")
    func undeclared() {
        let loaded = Loaded(declared + qemuTemplate("")) { $0.variables = [("nmae", "x")] }
        #expect(loaded.errors.map(\.id) == ["template/undefined-variable"])
        #expect(loaded.errors.first?.detail.contains("name") == true)
    }

    @Test("an undeclared name in a variable file is a warning when asked for")
    func undeclaredInFile() {
        let files = ["b.pkrvars.hcl": "other = 1"]
        let quiet = Loaded(declared + qemuTemplate(""), files: files) { $0.variableFiles = ["b.pkrvars.hcl"] }
        #expect(quiet.warnings.filter { $0.id == "template/undefined-variable" }.isEmpty)
        let loud = Loaded(declared + qemuTemplate(""), files: files) {
            $0.variableFiles = ["b.pkrvars.hcl"]
            $0.warnsOnUndeclared = true
        }
        #expect(
            loud.warnings.filter { $0.id == "template/undefined-variable" }.map { loud.mark($0.subject) } == ["other"])
    }

    @Test(
        "wrong declarations and values are refused where they stand",
        arguments: [
            ("variable \"a\" {\n default = local.x\n}", "reference-in-default: local.x"),
            ("variable \"a\" {\n type = number\n default = \"x\"\n}", "wrong-type: \"x\""),
            ("variable \"a\" {\n defautl = 1\n default = 1\n}", "unsupported-argument: defautl"),
            ("variable \"a\" {\n default = 1\n}\nvariable \"a\" {\n default = 2\n}", "duplicate: \"a\""),
            ("variable \"a\" {\n default = 1\n nullable = true\n}", "unsupported-argument: nullable"),
            ("variable \"1a\" {\n default = 1\n}", "invalid-name: \"1a\""),
            (
                "variable \"a\" {\n default = 5\n validation {\n  condition = var.a < 3\n  error_message = \"Too big.\"\n }\n}",
                "validation: 5"
            ),
            (
                "variable \"a\" {\n default = 1\n validation {\n  condition = var.a < 3\n  error_message = \"too big\"\n }\n}",
                "validation-message: \"too big\""
            ),
            (
                "variable \"a\" {\n default = 1\n validation {\n  condition = local.b < 3\n  error_message = \"Too big.\"\n }\n}",
                "validation-reference: local.b"
            ),
            (
                "variable \"a\" {\n default = 1\n validation {\n  condition = true\n  error_message = \"Too big.\"\n }\n}",
                "validation-reference: true"
            ),
            ("variables {\n a = 1\n}\nvariable \"a\" {\n}", "duplicate: \"a\""),
            ("locals {\n a = 1\n}\nlocal \"a\" {\n expression = 2\n}", "duplicate: \"a\""),
            ("local \"a\" {\n sensitive = true\n}", "missing-option: local \"a\""),
            ("locals {\n a = local.b\n b = local.c\n c = local.a\n}", "cycle: local.a"),
            ("locals {\n a = local.missing\n b = local.a\n}", "unknown-local: local.missing"),
            ("locals {\n a = data.http.x.body\n}", "unknown-data-source: data.http.x.body"),
        ])
    func errors(_ text: String, _ expected: String) {
        #expect(Loaded(text + "\n" + qemuTemplate("")).errorMarks == [expected])
    }

    @Test("locals are evaluated in any order")
    func order() {
        let text = "locals {\n c = \"${local.b}c\"\n b = \"${local.a}b\"\n}\nlocal \"a\" {\n expression = \"a\"\n}\n"
        #expect(Loaded(text + qemuTemplate("vm_name = local.c")).plan.builds.first?.source.vmName == "abc")
    }

    @Test("a failed local is reported once, not again where it is used")
    func noCascade() {
        let loaded = Loaded(
            "locals {\n a = 1 + \"x\"\n b = \"${local.a}-b\"\n}\n" + qemuTemplate("vm_name = local.b\nmemory = local.a")
        )
        #expect(loaded.errors.count == 1)
    }

    @Test("a circle of locals is told as a path")
    func cycle() {
        let loaded = Loaded("locals {\n a = local.b\n b = local.a\n}\n" + qemuTemplate("vm_name = local.a"))
        #expect(loaded.errors.map(\.detail) == ["local.a → local.b → local.a"])
    }

    @Test("env works in defaults only")
    func env() {
        let text = "variable \"a\" {\n default = env(\"HOME\")\n}\n"
        let loaded = Loaded(text + qemuTemplate("vm_name = var.a")) { $0.environment = ["HOME": "h"] }
        #expect(loaded.plan.builds.first?.source.vmName == "h")
        #expect(Loaded("locals {\n a = env(\"HOME\")\n}\n" + qemuTemplate("")).errors.count == 1)
    }

    @Test("a variable without a type keeps that of its default")
    func inferredType() {
        let text = "variable \"a\" {\n default = [\"x\", \"y\"]\n}\n" + qemuTemplate("boot_command = var.a")
        #expect(
            Loaded(text) { $0.variables = [("a", "[\"p\", \"q\"]")] }.plan.builds.first?.source.boot.steps.first?
                .command == "pq")
        #expect(Loaded(text) { $0.variables = [("a", "[\"p\"]")] }.errors.map(\.id) == ["template/wrong-type"])
    }

    @Test("the leaves of sensitive values are secrets, longest first")
    func secrets() {
        let text = """
            variable "password" {
              sensitive = true
              default   = { a = "hunter2", b = ["two\\nlines", 5] }
            }
            local "token" {
              expression = "token-123456"
              sensitive  = true
            }

            """
        let secrets = Loaded(text + qemuTemplate("")).plan.secrets.map { $0.reveal() }
        #expect(secrets == ["token-123456", "two\nlines", "hunter2", "lines", "two"])
    }

    @Test("a secret is in no diagnostic, neither in words nor by its place")
    func secretsInDiagnostics() {
        let text =
            "variable \"size\" {\n  type = string\n  sensitive = true\n}\n" + qemuTemplate("disk_size = var.size")
        let loaded = Loaded(text) { $0.variables = [("size", "s3cretvalue")] }
        let renderer = DiagnosticRenderer(files: loaded.files)
        let shown = loaded.diagnostics.map(renderer.render).joined()
        #expect(loaded.errors.count == 1)
        #expect(!shown.contains("s3cretvalue"))
        let typed = Loaded("variable \"size\" {\n  type = list(string)\n  sensitive = true\n}\n" + qemuTemplate("")) {
            $0.variables = [("size", "s3cret value")]
        }
        #expect(!typed.diagnostics.map(DiagnosticRenderer(files: typed.files).render).joined().contains("s3cret"))
        #expect(typed.errors.count == 1)
    }

    @Test("a password that is also a word of the template leaves the messages readable")
    func commonPassword() {
        let text = "variable \"password\" {\n  sensitive = true\n  default = \"vagrant\"\n}\n"
        let loaded = Loaded(text + qemuTemplate("", build: "post-processor \"vagrant\" {}")) { $0.isValidation = true }
        #expect(loaded.warnings.contains { $0.summary.contains("\"vagrant\"") })
    }

    @Test("path and packer can be referred to")
    func namedValues() {
        let text = qemuTemplate(
            "vm_name = \"${path.root} ${path.cwd} ${packer.version} ${source.type}.${source.name}\"")
        #expect(Loaded(text).plan.builds.first?.source.vmName == ". /work 1.16.0 qemu.vm")
    }
}

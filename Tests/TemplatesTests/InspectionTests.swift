import Diagnostics
import Foundation
import HCL
import Templates
import Testing

@testable import ComponentModel

private func options(_ text: String, path: String = "t.pkr.hcl", variables: [(String, String)] = []) -> LoadOptions {
    LoadOptions(
        path: path, variables: variables.map { (name: $0.0, value: $0.1) }, workingDirectory: "/work",
        startTime: Date(timeIntervalSince1970: 1_709_211_845), fileSystem: MemoryFiles(files: ["/work/" + path: text]))
}

@Suite("inspect") struct InspectionTests {
    @Test("an HCL template's values and builds are laid out as Packer does")
    func hcl() {
        let report = inspectTemplate(
            options(
                #"""
                variable "z" { default = "x\"y" }
                variable "a" { default = ["l1", 2, true] }
                variable "o" { default = { k = "v", n = null } }
                variable "missing" {}
                locals { made = "${var.missing}-1" }
                source "qemu" "one" {}
                source "whatever" "two" {}
                build {
                  name = "bn"
                  description = "What it is"
                  sources = ["source.qemu.one"]
                  source "whatever.two" { name = "renamed" }
                  provisioner "shell" { inline = ["true"] }
                  provisioner "unheard-of" { name = "named" }
                  post-processor "manifest" {}
                  post-processors {
                    post-processor "manifest" { name = "m" }
                    post-processor "checksum" {}
                  }
                }
                build { sources = ["qemu.one"] }
                """#))
        #expect(report.diagnostics.isEmpty)
        #expect(
            report.text == #"""
                Packer Inspect: HCL2 mode

                > input-variables:

                var.a: "[\n  \"l1\",\n  2,\n  true,\n]"
                var.missing: "<unknown>"
                var.o: "{\n  \"k\" = \"v\"\n}"
                var.z: "x\"y"

                > local-variables:

                local.made: "<unknown>"

                > builds:

                  > bn:

                  > Description: What it is

                    sources:

                      qemu.one

                      whatever.two

                    provisioners:

                      shell
                      unheard-of.named

                    post-processors:

                      0:
                        manifest

                      1:
                        manifest.m
                        checksum

                  > <unnamed build 1>:

                    sources:

                      qemu.one

                    provisioners:

                      <no provisioner>

                    post-processors:

                      <no post-processor>


                """#)
    }

    @Test("a sensitive variable, what is made of it and text that repeats it are not shown")
    func sensitive() {
        let report = inspectTemplate(
            options(
                """
                variable "password" {
                  default   = "hunter\\"2"
                  sensitive = true
                }
                variable "number" {
                  default   = 4711
                  sensitive = true
                }
                local "key" {
                  expression = "local key"
                  sensitive  = true
                }
                locals {
                  upper  = upper(var.password)
                  object = { user = "root", password = var.password }
                  plain  = ["say hunter\\"2"]
                  long   = upper("my ${local.key}")
                }
                build {
                  name        = "of hunter\\"2"
                  description = "with ${upper(var.password)} and ${local.key}"
                  sources     = ["source.qemu.vm"]
                }
                source "qemu" "vm" {}
                """))
        #expect(report.diagnostics.isEmpty)
        for secret in ["hunter", "HUNTER", "4711", "local key", "LOCAL"] { #expect(!report.text.contains(secret)) }
        #expect(report.text.contains(#"local.object: "{\n  \"password\" = \"<sensitive>\"\n  \"user\" = \"root\"\n}""#))
        #expect(report.text.contains(#"local.plain: "[\n  \"say <sensitive>\",\n]""#))
    }

    @Test("a JSON template's variables, builders and provisioners are listed")
    func json() {
        let report = inspectTemplate(
            options(
                """
                {
                  "description": "Two\\nlines",
                  "variables": {"required": null, "longname": "it's {{user `a`}}", "a": "x", "pw": "secret"},
                  "sensitive-variables": ["pw"],
                  "builders": [{"type": "qemu", "name": "zed"}, {"type": "null"}, {"type": "file", "name": "f"}],
                  "provisioners": [{"type": "shell"}, {"type": "file"}]
                }
                """, path: "t.json"))
        #expect(report.diagnostics.isEmpty)
        #expect(
            report.text.hasPrefix(
                """
                Packer Inspect: JSON mode
                Description:

                Two
                lines

                Required variables:

                  required

                Optional variables and their defaults:

                  a        = x
                  longname = it's {{user `a`}}
                  pw       = <sensitive>

                Builders:

                  f    (file)
                  null
                  zed  (qemu)

                Provisioners:

                  shell
                  file

                """))
    }

    @Test("a template in the JSON form of HCL is read as one in HCL")
    func jsonForm() {
        let template = options(
            """
            {
              "packer": {"required_plugins": {"qemu": {"source": "github.com/hashicorp/qemu", "version": "~> 1"}}},
              "variable": {"a": {"default": 5}}, "locals": {"b": "${var.a + 1}"},
              "source": {"qemu": {"vm": {}}},
              "build": {"sources": ["qemu.vm"], "post-processors": [{"post-processor": {"manifest": {"name": "m"}}}]}
            }
            """, path: "t.pkr.json")
        let report = inspectTemplate(template)
        #expect(report.diagnostics.isEmpty)
        #expect(report.text.hasPrefix("Packer Inspect: HCL2 mode\n"))
        #expect(report.text.contains("local.b: \"6\"\n"))
        #expect(report.text.contains("      0:\n        manifest.m\n"))
        #expect(checkRequiredPlugins(template).text.hasPrefix("qemu (github.com/hashicorp/qemu): built into Ingot"))
    }

    @Test("what cannot be evaluated is unknown, with a warning")
    func tolerant() {
        let report = inspectTemplate(
            options(
                """
                variable "cpu" { default = null }
                variable "name" {
                  default = ""
                  sensitive = true
                  validation {
                    condition     = length(var.name) > 0
                    error_message = "A name is needed."
                  }
                }
                locals { url = "x/${var.cpu}" }
                build { sources = ["source.qemu.nope"] }
                """))
        #expect(!report.diagnostics.hasErrors)
        #expect(report.diagnostics.count == 3)
        #expect(report.text.contains("var.name: \"\"\n"))
        #expect(report.text.contains("local.url: \"<unknown>\"\n"))
        #expect(report.text.contains("<no source>"))
    }

    @Test("an error in the template leaves nothing to print")
    func broken() {
        let report = inspectTemplate(options("build {"))
        #expect(report.diagnostics.hasErrors)
        #expect(report.text.isEmpty)
        #expect(inspectTemplate(options("", variables: [("a", "1")])).diagnostics.hasErrors)
        #expect(inspectTemplate(options("{", path: "t.json")).diagnostics.hasErrors)
    }
}

@Suite("init and plugins") struct InspectionOfPluginsTests {
    private let template = """
        packer {
          required_plugins {
            qemu    = { source = "github.com/hashicorp/qemu", version = "~> 1" }
            machine = { source = "github.com/hashicorp/qemu", version = ">= 1.0.0" }
            ansible = { source = "github.com/hashicorp/ansible", version = ">= 1.1.0" }
            own     = { source = "example.com/us/own", version = ">= 0.1.0" }
          }
        }
        source "machine" "vm" {}
        build {
          sources = ["source.machine.vm"]
          post-processors {
            post-processor "own-upload" {}
          }
        }
        """

    @Test("each required plugin is told to be built in or what of it is missing")
    func initialise() {
        let report = checkRequiredPlugins(options(template))
        #expect(report.diagnostics.isEmpty)
        let lines = report.text.split(separator: "\n")
        #expect(
            lines.prefix(4) == [
                "qemu (github.com/hashicorp/qemu): built into Ingot: source qemu",
                "machine (github.com/hashicorp/qemu): built into Ingot: source qemu",
                "ansible (github.com/hashicorp/ansible): not built into Ingot: provisioner ansible, provisioner ansible-local",
                "own (example.com/us/own): not built into Ingot: post-processor own-upload",
            ])
        #expect(lines.last == "A build of this template cannot start: it uses post-processor own-upload.")
    }

    @Test("a template that does not parse is an error, one with bad values is none")
    func errors() {
        #expect(checkRequiredPlugins(options("source \"qemu\" {")).diagnostics.hasErrors)
        #expect(checkRequiredPlugins(options("packer { required_plugins { a = 1 } }")).diagnostics.hasErrors)
        let report = checkRequiredPlugins(options("variable \"a\" {}\nlocals { b = nope }"))
        #expect(report.diagnostics.isEmpty)
        #expect(report.text == "The template requires no plugins.\n")
    }

    @Test("required plugins are listed with their constraints, built-in components by kind")
    func lists() {
        let text = listRequiredPlugins(options(template)).text
        #expect(text.hasPrefix("qemu github.com/hashicorp/qemu \"~> 1\" built into Ingot: source qemu\n"))
        #expect(listBuiltInComponents().split(separator: "\n").contains("source qemu"))
    }
}

@Suite("console") struct InspectionByConsoleTests {
    private func text(_ answer: ConsoleSession.Answer) -> String? {
        if case .text(let text) = answer { text } else { nil }
    }

    private func ids(_ answer: ConsoleSession.Answer) -> [String] {
        if case .problems(let diagnostics, _) = answer { diagnostics.map(\.id) } else { [] }
    }

    private func bare(_ language: ConsoleSession.Language = .hcl2) -> ConsoleSession {
        ConsoleSession(options("", path: "unused"), usesTemplate: false, language: language)
    }

    @Test(
        "values are printed as Packer prints them",
        arguments: [
            (#""a\tb""#, "a\tb"),
            (
                #"[1, "a\tb\u0001\u00a0ü\\", [], {}, null]"#,
                #"""
                [
                  1,
                  "a\tb\x01\u00a0ü\\",
                  [],
                  {},
                  null,
                ]
                """#
            ),
            (
                #"{ b = { c = [true] }, "a b" = 1.50, gone = null }"#,
                #"""
                {
                  "a b" = 1.5
                  "b" = {
                    "c" = [
                      true,
                    ]
                  }
                }
                """#
            ),
            ("1 / 3", "0.3333333333333333"), ("40960", "40960"), ("12345678901234567890123", "1.2345678901234568e+22"),
            ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", "9.223372036854776e+18"),
            ("1e20", "1e+20"), ("1e6", "1000000"), ("1234567.5", "1.2345675e+06"), ("999999.5", "999999.5"),
            ("-1234567.5", "-1.2345675e+06"), ("0.1 + 0.2", "0.3"), ("10 / 3", "3.3333333333333335"),
            ("1.5e-7", "1.5e-07"), ("0.0001", "0.0001"), ("0.00001", "1e-05"), ("1e300", "1e+300"),
            ("12345678901234567890.5", "1.2345678901234567e+19"), ("\"${1234567.5}\"", "1.2345675e+06"),
            ("null", "null"), ("source.name", "<unknown>"),
            ("convert([\"b\", \"a\"], set(string))[*]", "[\n  \"a\",\n  \"b\",\n]"),
        ])
    func values(expression: String, printed: String) {
        #expect(text(bare().answer(to: expression)) == printed + "\n")
    }

    @Test("a template's values can be used, and an error does not end the session")
    func session() {
        let session = ConsoleSession(
            options("variable \"a\" { default = 1 }\nlocals { b = var.a + 1 }", variables: [("a", "4")]),
            usesTemplate: true)
        #expect(session.diagnostics.isEmpty)
        #expect(text(session.answer(to: "  local.b * 2 # twice ")) == "10\n")
        #expect(ids(session.answer(to: "local.nope")) == ["template/unknown-local"])
        #expect(!ids(session.answer(to: "upper(")).isEmpty)
        #expect(text(session.answer(to: "upper(\"x\")")) == "X\n")
        #expect(text(session.answer(to: "locals")) == "> local-variables:\n\nlocal.b: \"5\"\n\n")
        #expect(
            text(session.answer(to: "variables"))?.hasPrefix("> input-variables:\n\nvar.a: \"4\"\n\n> local") ?? false)
        #expect(text(session.answer(to: "help"))?.contains("variables") ?? false)
        if case .nothing = session.answer(to: " ") {} else { Issue.record("a blank line has an answer") }
        if case .end = session.answer(to: "exit") {} else { Issue.record("exit does not end the session") }
    }

    @Test("sensitive values are not shown, neither in results nor in errors")
    func sensitive() {
        let session = ConsoleSession(
            options("variable \"p\" {\n  default = \"hunter2\"\n  sensitive = true\n}"), usesTemplate: true)
        for line in [
            "var.p", "var", "upper(var.p)", "substr(var.p, 0, 3)", "[for c in [var.p] : c]",
            "\"hunter\" == \"x\" ? 1 : \"hunter${2}\"",
            "variables",
        ] {
            let answer = text(session.answer(to: line)) ?? ""
            #expect(answer.contains("<sensitive>"), "\(line)")
            #expect(!answer.lowercased().contains("hun"), "\(line)")
        }
        guard case .problems(let diagnostics, _) = session.answer(to: "convert(var.p, number)") else {
            Issue.record("there is no error")
            return
        }
        #expect(!diagnostics.contains { ($0.summary + $0.detail).contains("hunter2") })
    }

    @Test("a JSON template's console renders templates")
    func json() {
        let session = ConsoleSession(
            options(
                "{\"variables\": {\"a\": \"x\", \"b\": null, \"p\": \"secret\"}, \"sensitive-variables\": [\"p\"], \"builders\": []}",
                path: "t.json"), usesTemplate: true)
        #expect(session.diagnostics.filter { $0.severity == .error }.isEmpty)
        #expect(text(session.answer(to: "{{user `a`}}-{{user `p`}}-{{timestamp}}")) == "x-<sensitive>-1709211845\n")
        #expect(text(session.answer(to: "upper(1)")) == "upper(1)\n")
        #expect(text(session.answer(to: "variables")) == "a: \"x\"\np: \"<sensitive>\"\n")
        #expect(ids(session.answer(to: "{{nope}}")) == ["template/template-syntax"])
        #expect(text(bare(.json).answer(to: "{{upper `a`}}")) == "A\n")
    }

    @Test("what services give to the variables of a JSON template is not shown, nor what is made of it")
    func services() {
        struct Stores: SecretStores {
            func secret(_ query: SecretQuery) throws -> String { "s3cr3t" }
        }
        var asking = options(
            "{\"variables\": {\"a\": \"<{{vault `kv` `p`}}>\", \"b\": \"{{upper (consul_key `k`)}}\", \"c\": \"{{user `a`}}\"}}",
            path: "t.json")
        asking.secretStores = Stores()
        let session = ConsoleSession(asking, usesTemplate: true)
        #expect(
            text(session.answer(to: "variables")) == "a: \"<<sensitive>>\"\nb: \"<sensitive>\"\nc: \"<<sensitive>>\"\n")
        #expect(text(session.answer(to: "{{user `b`}} {{user `c`}}")) == "<sensitive> <<sensitive>>\n")
    }

    @Test("the variables that a template declares are told with their descriptions")
    func declared() {
        let native = declaredVariables(
            options("variable \"b\" { description = \"Of all\" }\nvariable \"a\" {}\nvariables { c = 1 }"))
        #expect(native.map(\.name) == ["a", "b", "c"] && native.map(\.description) == ["", "Of all", ""])
        #expect(
            declaredVariables(options("{\"variables\": {\"x\": null}, \"builders\": []}", path: "t.json")).map(\.name)
                == ["x"])
        #expect(declaredVariables(options("variable {")).isEmpty)
    }

    @Test("a template that is broken is told before the first line")
    func broken() {
        let session = ConsoleSession(options("variable \"a\" {"), usesTemplate: true)
        #expect(session.diagnostics.hasErrors)
        if case .end = session.answer(to: "1") {} else { Issue.record("there is something to ask") }
    }
}

import Diagnostics
import FoundationEssentials
import Scopes
import Templates
import Testing

@testable import ComponentModel

/// Templates whose builders have these options beside the needed ones.
private func qemu(_ options: String = "", _ parts: String = "") -> String {
    #"{"builders": [{"type": "qemu", "iso_url": "a.iso", "iso_checksum": "none", "ssh_username": "u"\#(options)}]\#(parts)}"#
}

@Suite("hcl2_upgrade")
struct UpgradeTests {
    private static let data = RunData(
        id: "i-1", host: "127.0.0.1", port: 2222, user: "root", password: Sensitive("pw"), connectionType: "ssh",
        runUUID: "uuid", httpIP: "10.0.2.2", httpPort: "8080", sshPublicKey: "pub", sshPrivateKey: Sensitive("key"))

    private func options(_ path: String, _ files: [String: String], _ values: [String: String] = [:]) -> LoadOptions {
        LoadOptions(
            path: path, variables: values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) },
            environment: ["HOME": "/home/x", "EMPTY": ""], workingDirectory: "/work",
            startTime: Date(timeIntervalSince1970: 1_709_211_845), fileSystem: MemoryFiles(files: files))
    }

    private func upgrade(_ json: String, hasAnnotations: Bool = false) -> RewrittenTemplate {
        upgradeTemplate(options("t.json", ["/work/t.json": json]), hasAnnotations: hasAnnotations)
    }

    /// What a plan comes down to: settings with the values of a run, and late texts rendered.
    private func description(_ plan: Plan) -> [String] {
        func text(_ value: some Any) -> String {
            var text = ""
            dump(value, to: &text)
            return text
        }
        return plan.builds.map { build in
            var lines = "\(build.sourceType).\(build.useName)\n" + text(build.source)
            let cleanup = build.errorCleanupProvisioner.map { [$0] } ?? []
            for provisioner in build.provisioners + cleanup {
                lines += "\(provisioner.type) \(text(provisioner.pauseBefore)) \(text(provisioner.timeout))"
                lines += "\(provisioner.maxRetries)\n"
                do { lines += text(try provisioner.settings(Self.data)) } catch { lines += "fails: \(error)" }
            }
            for chain in build.postProcessors {
                lines += "chain\n"
                for processor in chain {
                    lines +=
                        "\(processor.type) \(text(processor.keepInputArtifact))"
                    do { lines += text(try processor.settings(Self.data)) } catch { lines += "fails: \(error)" }
                }
            }
            let data = Self.data.templateData.merging(["Vars": "V", "Path": "P", "HTTPIP": "I", "Name": "N"]) { $1 }
            return lines.split(separator: "\n").map { line in
                // Quotes in values that are inserted here are not escaped, unlike the others.
                ((try? build.render(String(line), data: data)) ?? String(line)).replacing("\\", with: "")
            }.joined(separator: "\n")
        }
    }

    /// The difference between the plans, by the first line of it; nil if there is none.
    private func difference(_ json: String, _ values: [String: String] = [:]) throws -> String? {
        let old = Loaded(options("t.json", ["/work/t.json": json, "/work/s.sh": "x"], values))
        #expect(old.errors.map(\.summary) == [], "\(json)")
        let text = try #require(upgrade(json).text)
        let new = Loaded(options("t.pkr.hcl", ["/work/t.pkr.hcl": text, "/work/s.sh": "x"], values))
        #expect(new.errors.map { "\($0.summary): \(new.mark($0.subject))" } == [], "\(text)")
        let (before, after) = (description(old.plan), description(new.plan))
        #expect(!before.isEmpty)
        // The text of a default, as it is before it is rendered, is a secret in JSON only.
        let secrets = { (plan: Plan) in Set(plan.secrets.map { $0.reveal() }.filter { !$0.contains("{{") }) }
        if secrets(old.plan) != secrets(new.plan) { return "secrets" }
        if before == after { return nil }
        if before.count != after.count { return "\(before.count) builds, \(after.count) after\n\(text)" }
        for (one, other) in zip(before, after) {
            let lines = zip(one.split(separator: "\n"), other.split(separator: "\n"))
            if let (old, new) = lines.first(where: { $0 != $1 }) { return "\(old) -> \(new)\n\(text)" }
        }
        return "lengths\n\(text)"
    }

    @Test(
        "builders give the same plan",
        arguments: [
            qemu(),
            qemu(#", "disk_size": 20000, "memory": "0x200", "cpus": "2", "headless": "t", "boot_wait": 3000000000"#),
            qemu(#", "disk_size": "5G", "headless": 1, "vnc_use_password": "", "ssh_timeout": "5m", "vm_name": "x""#),
            qemu(#", "ssh_wait_timeout": "1m", "ssh_key_path": "", "ssh_skip_nat_mapping": true"#),
            qemu(#", "boot_command": "a,b", "cd_files": "", "floppy_content": {"c d/e": "2"}"#),
            qemu(
                #", "qemuargs": [["-cpu", "host"], "-nographic", ["-m", 512]], "qemu_img_args": {"convert": ["-o", "x"]}"#
            ),
            qemu(
                #", "boot_command": ["<esc>{{user `h`}} $${user} ${x} %{y} {{.HTTPIP}}\n\t\\ \"q\""]"#,
                #", "variables": {"h": "v"}"#),
            qemu(
                #", "vm_name": "${{user `h`}}%{{user `h`}}$"# + #"", "http_content": {"/a": "${{user `h`}}%{x}"}"#,
                #", "variables": {"h": "v"}"#),
            qemu(
                #", "vm_name": "{{build_name}}-{{build_type}}-{{timestamp}}-{{isotime `20060102`}}-{{strftime `%Y`}}""#),
            qemu(
                #", "vm_name": "{{packer_version}}{{isotime}}", "http_directory": "", "cd_content": {"p": "{{pwd}} {{template_dir}}/x"}"#
            ),
            qemu(
                #", "vm_name": "{{user `a` | upper}}{{ lower `ABC` }}{{ split `x-y` `-` 1 }}{{replace_all `a` `b` (user `a`)}}""#,
                #", "variables": {"a": "abca"}"#),
            qemu(
                #", "vm_name": "{{user `a` | clean_resource_name}}{{if eq (user `a`) `v`}}yes {{user \"a\"}}{{else}}no{{end}}""#,
                #", "variables": {"a": "v"}"#),
            qemu(
                #", "vm_name": "{{- user `a` -}}  x{{/* {{ note */}}{{`{{`}}{{printf `%s` `y`}}""#,
                #", "variables": {"a": "v"}"#),
            qemu(
                #", "headless": "{{user `b`}}", "memory": "{{user `n`}}", "cd_files": "{{user `l`}}", "floppy_dirs": ["{{user `e`}}"]"#,
                #", "variables": {"b": "t", "n": "", "l": "", "e": "s.sh"}"#),
            qemu(
                #", "headless": "{{user `b`}}", "memory": "{{user `n`}}", "boot_wait": "{{user `w`}}""#,
                #", "variables": {"b": "true", "n": "512", "w": "3s"}"#),
            qemu(#", "VM_Name": "x", "packer_debug": true, "_note": "x""#),
            #"{"builders": [{"type": "qemu", "name": "b 1", "iso_url": "a", "iso_checksum": "none", "communicator": "none"}, {"type": "qemu", "name": "a.{{user `v`}}", "iso_url": "a", "iso_md5": "00112233445566778899aabbccddeeff", "communicator": "none"}, {"type": "virtualbox-iso", "name": "v", "hard_drives": [{"a": 1}]}], "variables": {"v": "7"}}"#,
        ])
    func builders(json: String) throws {
        let difference = try difference(json)
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test(
        "variables give the same plan, at their defaults and with values of the command line",
        arguments: [
            (#"{"v": "x"}"#, [:]), (#"{"v": "x"}"#, ["v": "y"]), (#"{"v": null}"#, ["v": "y"]),
            (#"{"v": "{{env `HOME`}}/a{{env `EMPTY`}}"}"#, [:]), (#"{"v": "a${b}\"{{env `HOME`}}"}"#, [:]),
            (#"{"v": "{{user `w`}}-{{user `x`}}", "w": "{{user `x`}}", "x": "1"}"#, [:]),
            (#"{"v": "{{user `w`}}-{{user `x`}}", "w": "{{user `x`}}", "x": "1"}"#, ["w": "z"]),
            (#"{"v": "{{user `x`}}{{env `HOME`}}", "x": "1", "env_home": "y"}"#, [:]),
            (#"{"v": "{{isotime `2006`}}{{timestamp}}"}"#, [:]), (#"{"v": "{{template_dir}}{{pwd}}"}"#, [:]),
            (#"{"v": "{{user `x` | upper}}{{user `y`}}", "x": "a", "y": "{{timestamp}}"}"#, [:]),
            (#"{"w": "not v"}"#, [:]),
            (#"{"v": "{{user `a.b c`}}", "a.b c": "1", "a_b_c": "2"}"#, [:]),
        ] as [(String, [String: String])])
    func variables(variables: String, values: [String: String]) throws {
        let parts = #", "variables": \#(variables), "sensitive-variables": ["x"]"#
        let options = #", "vm_name": "n-{{user `v`}}", "boot_command": ["a{{user `v`}}"]"#
        let difference = try difference(qemu(options, parts), values)
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test(
        "provisioners and post-processors give the same plan",
        arguments: [
            #", "provisioners": [{"type": "shell", "inline": ["echo {{user `v`}}", "{{build `ID`}} {{.Host}} {{build_name}}"], "execute_command": "{{.Vars}} sudo {{.Path}} {{user `v`}}{{build `Port`}}"}]"#,
            #", "provisioners": [{"type": "shell", "script": "s.sh", "environment_vars": "A=1,B=2", "valid_exit_codes": "0", "binary": "true", "pause_before": "5s", "max_retries": "{{user `n`}}"}]"#,
            #", "provisioners": [{"type": "shell", "scripts": ["s.sh"], "only": ["qemu"], "timeout": 60000000000}, {"type": "shell-local", "inline": "a", "except": "qemu"}]"#,
            #", "provisioners": [{"type": "shell-local", "command": "x", "override": {"qemu": {"Command": "y {{user `v`}} {{build_name}}", "environment_vars": ["A={{user `v`}}"]}}}]"#,
            #", "provisioners": [{"type": "file", "source": "s.sh", "destination": "/tmp/{{user `v`}}", "generated": 0}]"#,
            #", "error-cleanup-provisioner": {"type": "shell-local", "inline": ["{{user `v`}}"], "execute_command": ["sh", "{{.Script}}"]}"#,
            #", "post-processors": ["checksum", {"type": "manifest", "filename": "{{user `v`}}", "custom_data": {"a": "{{build `Host`}}", "b": 1}, "keep_input_artifact": "true"}]"#,
            #", "post-processors": [[{"type": "checksum", "name": "c", "checksum_types": "md5,sha1", "output": "{{.BuildName}}-{{user `v`}}"}, {"type": "shell-local", "inline": ["x"], "only": ["qemu"]}], ["manifest"]]"#,
        ])
    func components(parts: String) throws {
        let difference = try difference(qemu("", parts + #", "variables": {"v": "w", "n": "2"}"#))
        #expect(difference == nil, "\(difference ?? "")")
    }

    @Test("the result is laid out as this")
    func layout() throws {
        let json = #"""
            {"_comment": "Two\nlines", "description": "A box", "min_packer_version": "1.7.0",
             "variables": {"name": "x", "iso url": null, "out": "{{user `name`}}-{{env `HOME`}}", "key": "s"},
             "sensitive-variables": ["out"],
             "builders": [{"type": "qemu", "name": "my box", "iso_url": "{{user `iso url`}}", "iso_checksum": "none",
               "ssh_username": "u", "disk_size": 20000, "vm_name": "{{user `out`}}",
               "output_directory": "o", "boot_command": ["{{ .HTTPIP }}{{ build_name }}", "{{env `X`}}"]}],
             "post-processors": [["vagrant", {"type": "manifest", "only": ["my box"]}]]}
            """#
        let expected = ##"""
            # Two
            # lines

            packer {
              required_version = ">= 1.7.0"
              required_plugins {
                qemu = {
                  source  = "github.com/hashicorp/qemu"
                  version = "~> 1"
                }
                vagrant = {
                  source  = "github.com/hashicorp/vagrant"
                  version = "~> 1"
                }
              }
            }

            variable "name" {
              type    = string
              default = "x"
            }

            # Called "iso url" in the JSON template.
            variable "iso_url" {
              type = string
            }

            variable "out" {
              type      = string
              default   = null
              sensitive = true
            }

            variable "key" {
              type    = string
              default = "s"
            }

            variable "env_home" {
              type    = string
              default = env("HOME")
            }

            local "out" {
              expression = var.out != null ? var.out : "${var.name}-${var.env_home}"
              sensitive  = true
            }

            source "qemu" "my_box" {
              iso_url          = var.iso_url
              iso_checksum     = "none"
              ssh_username     = "u"
              disk_size        = "20000M"
              vm_name          = local.out
              output_directory = "o"
              # HCL has nothing in place of {{env `X`}}
              boot_command = ["{{ .HTTPIP }}${source.name}", "{{env `X`}}"]
            }

            build {
              description = "A box"

              source "source.qemu.my_box" {
                name = "my box"
              }

              post-processors {
                post-processor "vagrant" {
                }

                post-processor "manifest" {
                  only = ["qemu.my box"]
                }
              }
            }

            """##
        let result = upgrade(json)
        #expect(result.text == expected)
        #expect(result.diagnostics.map(\.summary) == [])
        let annotated = try #require(upgrade(json, hasAnnotations: true).text)
        #expect(annotated.contains("# Sources are what builders were."))
    }

    @Test("options of other platforms are written as blocks where they are lists of objects")
    func foreign() throws {
        let text = try #require(
            upgrade(
                #"{"builders": [{"type": "proxmox", "node": "n", "disks": [{"size": "5G"}], "vga": {"type": "std"}, "tags": {"a b": 1}, "empty": []}], "provisioners": [{"type": "ansible", "only": ["proxmox"]}]}"#
            ).text)
        #expect(text.contains("source \"proxmox-iso\" \"proxmox-iso\" {"))
        #expect(text.contains("  disks {\n    size = \"5G\"\n  }\n  vga {\n    type = \"std\"\n  }\n"))
        #expect(text.contains("tags = {\n    \"a b\" = 1\n  }"))
        #expect(text.contains("only = [\"proxmox-iso.proxmox-iso\"]"))
    }

    @Test("a template with errors is not upgraded")
    func refusals() {
        for json in [
            "{", #"{"builders": [{"name": "x"}]}"#, #"{"colour": 1}"#,
            #"{"builders": [{"type": "qemu", "a": 1, "a": 2}]}"#,
        ] {
            let result = upgrade(json)
            #expect(result.text == nil && result.diagnostics.hasErrors, "\(json)")
        }
    }
}

import Diagnostics
import Foundation
import Templates
import Testing

@testable import ComponentModel
@testable import GoTemplates

/// Mutations of good templates, the same in every run. `INGOT_FUZZ_SEED` and `INGOT_FUZZ_ROUNDS` make another run, and
/// a longer one.
@Suite("hostile templates")
struct FuzzTests {
    private static let legacy = #"""
        {"min_packer_version": "1.0.0", "variables": {"iso": "{{env `HOME`}}/a.iso", "pw": "s3cret", "two": "{{user `iso`}}"},
        "sensitive-variables": ["pw"], "builders": [{"type": "qemu", "name": "a", "iso_url": "{{user `iso`}}", "iso_checksum": "none",
        "boot_command": ["<esc><wait5s>{{ .HTTPIP }}:{{ .HTTPPort }}<leftShiftOn>a<leftShiftOff>", "<f10>"], "ssh_username": "root",
        "ssh_password": "{{user `pw`}}", "disk_size": "10G", "qemuargs": [["-m", "1024"], ["-smp", "{{ isotime \"2006\" }}"]]}],
        "provisioners": [{"type": "shell", "inline": ["echo {{build `ID`}}"], "override": {"a": {"execute_command": "{{ .Vars }} {{.Path}}"}},
        "only": ["a"], "pause_before": "5s"}], "post-processors": [[{"type": "checksum", "output": "{{.BuildName}}.{{.ChecksumType}}"}], "manifest"]}
        """#
    private static let native = #"""
        packer { required_version = ">= 1.0.0" }
        variable "iso" { 
          type = string
          default = "a.iso"
          validation {
            condition = length(var.iso) > 3
            error_message = "Too short."
          }
        }
        variable "pw" { 
          default = "s3cret" 
          sensitive = true 
        }
        locals { 
          name = "vm-${upper(var.iso)}"
          list = [for i in range(3) : "d${i}"]
        }
        source "qemu" "a" {
          iso_url = var.iso
          iso_checksum = "none"
          ssh_username = "root"
          ssh_password = var.pw
          boot_command = ["<esc>{{ .HTTPIP }}<wait>", local.name]
          finish { keep = ["logs"] }
          dynamic "qemu_img_args" { 
            for_each = slice(local.list, 0, 1) 
            content { 
              create = [qemu_img_args.value] 
            }
          }
        }
        build {
          sources = ["source.qemu.a"]
          provisioner "shell" {
            inline = ["echo ${build.ID} ${source.name}"]
            only = ["qemu.a"]
            override = { a = { remote_folder = "/var/tmp" } }
          }
          post-processors {
            post-processor "proxmox-template" { vm_id = 9000 }
            post-processor "manifest" {}
          }
        }
        """#
    private static let engine = #"""
        {{ .Name }} {{- if eq .A "b" }}x{{ else if (and true (not false)) }}{{ printf "%5.2f|%q" 1.5 "y" -}} {{ end }}
        {{ split .Name "," 0 }}{{ range $i, $v := 3 }}{{ $i }}{{ end }}{{ with $x := 3 }}{{ $x | printf "%03d" }}{{ end }}
        {{/* c */}}{{ isotime "2006-01-02" }}{{ user `a` | upper | lower }}{{ replace "a" "b" -1 "aaa" }}
        {{ clean_resource_name "a b" }}{{ template_dir }}{{ build_name }}{{ len "abc" }}{{ slice "abc" 1 2 }}{{ html "<" }}
        """#
    private static let alphabet = Array("\"${}[]()`.,:?<>-\n\\ax1 #/*|'é\u{FF}\r\t0e_=".utf8)

    private static let environment = ProcessInfo.processInfo.environment
    private static func rounds(_ usual: Int) -> Int { environment["INGOT_FUZZ_ROUNDS"].flatMap(Int.init) ?? usual }

    private struct Mutations {
        private var state: UInt64
        private let seed: [UInt8]

        init(of seed: String, _ number: UInt64) {
            self.seed = Array(seed.utf8)
            state = (environment["INGOT_FUZZ_SEED"].flatMap(UInt64.init) ?? 0) &* 1000 &+ number
        }

        /// SplitMix64.
        private mutating func draw(_ bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return Int((z ^ (z >> 31)) % UInt64(max(bound, 1)))
        }

        mutating func next() -> String {
            var bytes = seed
            for _ in 0...draw(6) where !bytes.isEmpty {
                let place = draw(bytes.count)
                let letter = alphabet[draw(alphabet.count)]
                switch draw(6) {
                case 0: bytes[place] = letter
                case 1: bytes.insert(letter, at: place)
                case 2: bytes.removeSubrange(place..<min(place + 9, bytes.count))
                case 3: bytes.removeSubrange(place..<min(place + 1 + draw(200), bytes.count))
                case 4:
                    let start = draw(seed.count)
                    bytes.insert(contentsOf: seed[start..<min(start + 30, seed.count)], at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Whether the declaration of the secret came through whole; there may be other copies of its text.
    private static func declaresSecret(_ text: String) -> Bool {
        let isDeclared =
            text.contains("\"pw\": \"s3cret\"") && text.contains("\"sensitive-variables\": [\"pw\"]")
            || text.contains("variable \"pw\" { \n  default = \"s3cret\" \n  sensitive = true \n}")
        return isDeclared && text.split(separator: "s3cret").count == 2
    }

    /// How many mutations were accepted, and how many refused: a test of only one kind would test little.
    private struct Outcomes {
        var accepted = 0
        var refused = 0
        var isMixed: Bool { accepted > 0 && refused > 0 }

        mutating func count(_ isAccepted: Bool) { if isAccepted { accepted += 1 } else { refused += 1 } }
    }

    /// Loads it, and draws everything that is said about it.
    ///
    /// - Returns: Whether it has no error.
    private func exercise(_ text: String, _ name: String) -> Bool {
        let loaded = Loaded("", files: [name: text, "a.iso": "x"], path: name)
        let renderer = DiagnosticRenderer(files: loaded.files)
        for diagnostic in loaded.diagnostics {
            #expect(loaded.mark(diagnostic.subject) != "out of range", "\(text)")
            let drawn = renderer.render(diagnostic)
            if Self.declaresSecret(text) { #expect(!drawn.contains("\"s3cret\""), "\(text)\n\n\(drawn)") }
        }
        for build in loaded.plan.builds {
            for step in build.source.boot.steps {
                // An error here is as good as a text; a crash is not.
                _ = try? build.render(step.command, data: ["HTTPIP": "10.0.2.2"])
            }
        }
        return !loaded.diagnostics.hasErrors
    }

    @Test("no mutation of a JSON template makes loading it crash, hang or point outside the text")
    func legacyTemplates() {
        var mutations = Mutations(of: Self.legacy, 1)
        #expect(exercise(Self.legacy, "t.json"))
        var outcomes = Outcomes()
        for _ in 0..<Self.rounds(400) { outcomes.count(exercise(mutations.next(), "t.json")) }
        #expect(outcomes.isMixed, "\(outcomes)")
    }

    @Test("no mutation of an HCL template does either")
    func nativeTemplates() {
        var mutations = Mutations(of: Self.native, 2)
        #expect(exercise(Self.native, "t.pkr.hcl"))
        var outcomes = Outcomes()
        for _ in 0..<Self.rounds(400) { outcomes.count(exercise(mutations.next(), "t.pkr.hcl")) }
        #expect(outcomes.isMixed, "\(outcomes)")
    }

    @Test("no mutation of a Go template does either, and what renders is a template by its syntax, too")
    func engineTemplates() {
        var mutations = Mutations(of: Self.engine, 3)
        var context = TemplateContext(workingDirectory: "/work", startTime: Date(timeIntervalSince1970: 1_709_211_845))
        context.user = ["a": "b"]
        context.buildName = "vm"
        context.templateDirectory = "/work"
        let data = ["Name": "a,b", "A": "b"]
        #expect(throws: Never.self) { try renderTemplateOnce(Self.engine, data: data, context: context) }
        var outcomes = Outcomes()
        for _ in 0..<Self.rounds(3000) {
            let text = mutations.next()
            do {
                _ = try renderTemplateOnce(text, data: data, context: context)
                outcomes.count(true)
                #expect(throws: Never.self, "\(text)") { try checkTemplate(text) }
            } catch {
                outcomes.count(false)
                #expect((0...text.utf8.count).contains(error.offset ?? 0), "\(text)")
                #expect(!error.message.isEmpty)
            }
            // Rendering what was rendered ends, with a text or an error.
            _ = try? renderTemplate(text, data: data, context: context)
        }
        #expect(outcomes.isMixed, "\(outcomes)")
    }
}

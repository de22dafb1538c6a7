import Diagnostics
import Templates
import Testing

@testable import ComponentModel

@Suite("Diagnostics of JSON templates")
struct LegacyDiagnosticTests {
    private func syntax(_ text: String) -> Loaded {
        let options = LoadOptions(
            path: "t.json", workingDirectory: "/work", fileSystem: MemoryFiles(files: ["/work/t.json": text]))
        let loaded = checkSyntax(options)
        return Loaded(loaded)
    }

    @Test(
        "broken JSON is refused where it breaks",
        arguments: [
            ("", "hcl/json-syntax: "), ("{", "hcl/json-syntax: {"), ("[1, 2", "hcl/json-syntax: ["),
            ("{\"a\" 1}", "hcl/json-syntax: 1"),
            ("{a: 1}", "hcl/json-syntax: a"), ("{\"a\": tru}", "hcl/json-syntax: tru"),
            ("{\"a\": 01}", "hcl/json-syntax: 01"),
            ("{\"a\": -}", "hcl/json-syntax: -"), ("{\"a\": \"b\nc\"}", "hcl/json-syntax: \"b"),
            ("{\"a\": \"\u{1}\"}", "hcl/json-syntax: \u{1}"), ("{\"a\": \"\\q\"}", "hcl/json-syntax: \\q"),
            ("{\"a\": \"\\u12\"}", "hcl/json-syntax: \\u"), ("{} x", "hcl/json-syntax: x"),
            ("{\"a\": \"b", "hcl/json-syntax: \"b"),
            ("{\"a\": 'b'}", "hcl/json-syntax: 'b'"), ("{\"a\": \"\\", "hcl/json-syntax: \\"),
        ])
    func brokenJSON(text: String, expected: String) {
        #expect(syntax(text).errorMarks == [expected])
    }

    @Test("commas, comments and duplicates are all reported at once")
    func recovery() {
        let loaded = syntax(
            """
            {
              // old
              "builders": [{"type": "null" "name": "a",}, ],
              "variables": {"x": "1", "x": "2"}, "push": {"p": {"q": 1, "q": 2}}
            }
            """)
        #expect(
            loaded.errorMarks == [
                "hcl/json-syntax: // old", "hcl/json-syntax: \"", "hcl/json-syntax: ,", "hcl/json-syntax: ,",
                #"hcl/duplicate: "x""#,
                #"hcl/duplicate: "q""#,
            ])
        #expect(loaded.errors[4].notes.map { loaded.mark($0.range) } == [#""x""#])
    }

    @Test("a file nested without end is refused")
    func depth() {
        #expect(syntax(String(repeating: "[", count: 100_000)).errorMarks == ["hcl/json-syntax: ["])
    }

    @Test("escapes and a byte order mark are read")
    func escapes() throws {
        let loaded = legacyQemu(#", "vm_name": "\u00e9\ud83d\ude00\ud83d\/\t\"\\""#)
        #expect(loaded.plan.builds.first?.source.vmName == "é😀\u{FFFD}/\t\"\\")
        #expect(syntax("\u{FEFF}{\"builders\": []}").errorMarks == [])
    }

    @Test(
        "wrong templates are refused where they stand",
        arguments: [
            (#"[]"#, "wrong-type: []"), (#"{"builders": {}}"#, "wrong-type: {}"),
            (#"{"builders": [5]}"#, "wrong-type: 5"),
            (#"{"builders": [{"name": "x"}]}"#, "missing-type: {"),
            (#"{"builders": [{"type": "a"}, {"type": "b", "name": "a"}]}"#, #"duplicate: "a""#),
            (#"{"builders": [], "provisioner": []}"#, #"unknown-key: "provisioner""#),
            (#"{"build": {}}"#, #"unknown-key: "build""#), (#"{"description": 5}"#, "wrong-type: 5"),
            (#"{"sensitive-variables": "a"}"#, #"wrong-type: "a""#), (#"{"variables": []}"#, "wrong-type: []"),
            (#"{"post-processors": [["a", ["b"]]]}"#, #"nested-sequence: ["b"]"#),
            (#"{"provisioners": [{"type": "shell", "override": {"a": 1}}]}"#, "wrong-type: 1"),
        ])
    func wrongForm(text: String, expected: String) {
        #expect(syntax(text).errorMarks == [expected])
    }

    @Test(
        "wrong parts are refused where they stand",
        arguments: [
            (#", "min_packer_version": "9.0.0""#, #"unsupported-version: "9.0.0""#),
            (#", "min_packer_version": ">= 1""#, #"invalid-version: ">= 1""#),
            (#", "provisioners": [{"type": "shel"}]"#, #"unknown-type: "shel""#),
            (#", "provisioners": [{"type": "shell"}]"#, #"missing-option: "shell""#),
            (#", "provisioners": [{"type": "shell", "inline": ["x"], "only": ["qem"]}]"#, #"unknown-builder: "qem""#),
            (
                #", "provisioners": [{"type": "shell", "inline": ["x"], "override": {"b": {}}}]"#,
                #"unknown-builder: "b""#
            ),
            (#", "provisioners": [{"type": "shell", "inline": ["x"], "inlin": 1}]"#, #"unsupported-argument: "inlin""#),
            (#", "provisioners": [{"type": "shell", "inline": ["x"], "timeout": "x"}]"#, #"wrong-type: "x""#),
            (#", "provisioners": [{"type": "shell", "inline": ["x", "{{nosuch}}"]}]"#, "template-syntax: nosuch}}"),
            (
                #", "provisioners": [{"type": "shell", "inline": ["{{build `Zap`}}"]}]"#,
                "template-syntax: build `Zap`}}"
            ),
            (
                #", "provisioners": [{"type": "shell", "inline": ["x"], "only": ["qemu"], "except": ["qemu"]}]"#,
                #"exclusive-options: "except""#
            ),
            (#", "provisioners": [{"type": "shell", "inline": ["x"], "name": "n"}]"#, #"unsupported-argument: "name""#),
            (#", "post-processors": ["manifst"]"#, #"unknown-type: "manifst""#),
        ])
    func wrongParts(parts: String, expected: String) {
        #expect(legacyQemu("", parts).errorMarks == [expected])
    }

    @Test("builders are known by name, and a folder of JSON is told how to be given")
    func types() {
        let loaded = legacy(#"{"builders": [{"type": "quemu"}]}"#)
        #expect(loaded.errors.map(\.summary) == ["There is no builder type “quemu”"])
        #expect(loaded.errors.map(\.detail) == ["Did you mean \"qemu\"?"])
        let folder = Loaded("", files: ["d/old.json": "{}"], path: "d")
        #expect(folder.errors.map(\.detail) == ["A JSON template is given by its own path, such as d/old.json."])
    }

    @Test("several problems of one template are reported together, in the template's own words")
    func rendered() {
        let loaded = legacyQemu(
            #", "memry": 1, "cpus": "many", "disk_interface": "ide2""#, #", "variables": {"need": null}"#)
        let renderer = DiagnosticRenderer(files: loaded.files)
        #expect(
            loaded.errorMarks == [
                #"unset-variable: "need""#, #"unsupported-argument: "memry""#, #"wrong-type: "many""#,
                #"invalid-value: "ide2""#,
            ])
        let text = loaded.errors.map(renderer.render).joined()
        #expect(text.contains("Did you mean \"memory\"?"))
        #expect(text.contains("on t.json line 1, column"))
        #expect(text.contains("builder \"qemu\" has no option"))
    }

    @Test("comments inside components are passed over with a warning")
    func comments() {
        let loaded = legacyQemu(#", "_comment": "x""#)
        #expect(loaded.errors.isEmpty)
        #expect(loaded.warnings.map { loaded.mark($0.subject) } == [#""_comment""#])
    }

    @Test("no change of a few bytes stops the program")
    func mutations() {
        let text = """
            {"variables": {"a": "{{user `b`}}", "b": "{{env `E`}} {{ .Name }}"}, "sensitive-variables": ["b"], "builders": [
            {"type": "qemu", "iso_url": "{{user `a`}}", "iso_checksum_type": "md5", "iso_checksum": "x", "qemuargs": [["-m", 1]],
            "qemu_img_args": {"create": []}, "ssh_username": "\\u00e9\\ud83d\\ude00"}], "provisioners": [{"type": "shell",
            "inline": "a,b", "override": {"qemu": {"env": {"a": "{{build `ID`}}"}}}, "only": ["qemu"]}], "post-processors":
            [["manifest", {"type": "checksum", "output": "{{.BuildName}}"}], "manifest"], "min_packer_version": "1.2.3"}
            """
        var generator = Repeatable(state: 1)
        for round in 0..<600 {
            var bytes = Array(text.utf8)
            for _ in 0...(round % 3) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch round % 4 {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = Array("{}[]\",:`.0n\\ ".utf8).randomElement(using: &generator) ?? 0
                case 2: bytes.insert(Array("{}[]\",:`.0n\\ ".utf8).randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 40))
                }
            }
            let mutated = String(decoding: bytes, as: UTF8.self)
            let loaded = legacy(mutated)
            for diagnostic in loaded.diagnostics {
                #expect(loaded.mark(diagnostic.subject) != "out of range", "\(mutated)")
            }
        }
    }

    // MARK: Old spellings

    @Test(
        "old options are read as packer fix writes them, with a note at each",
        arguments: [
            (#""iso_checksum": "ABC", "iso_checksum_type": "none""#, "none"),
            (#""iso_checksum": "\#(hex)", "iso_checksum_type": "{{user `t`}}""#, "md5 \(hex)"),
            (#""iso_checksum": "md5:\#(hex)", "iso_checksum_type": "md5""#, "md5 \(hex)"),
            (#""iso_md5": "\#(hex)""#, "md5 \(hex)"),
            (#""iso_checksum_url": "http://x/SUMS", "iso_checksum_type": "sha256""#, "file http://x/SUMS"),
        ])
    func checksums(options: String, expected: String) {
        let loaded = legacy(
            """
            {"variables": {"t": "md5"},
             "builders": [{"type": "qemu", "iso_url": "a", "communicator": "none", \(options)}]}
            """)
        #expect(loaded.errors.map(\.summary) == [])
        let found =
            switch loaded.plan.builds.first?.source.input.checksum {
            case .digest(let type, let hex): "\(type) \(hex)"
            case .file(let path): "file \(path)"
            default: "none"
            }
        #expect(found == expected)
        #expect(loaded.warnings.contains { $0.id == "template/fixed-option" })
    }

    @Test(
        "renamed options keep their effect",
        arguments: [
            (#""ssh_key_path": "k""#, "k 22 2222 true false"),
            (#""ssh_skip_nat_mapping": true"#, "- 22 2222 true true"),
            (#""ssh_disable_agent": true"#, "- 22 2222 false false"),
            (#""ssh_host_port_min": 3000"#, "- 22 3000 true false"),
        ])
    func renames(option: String, expected: String) throws {
        let loaded = legacyQemu(", " + option, files: ["k": "-----BEGIN OPENSSH PRIVATE KEY-----"])
        #expect(loaded.errors.map(\.summary) == [])
        guard case .ssh(let settings)? = loaded.plan.builds.first?.source.communicator else {
            Issue.record("no SSH")
            return
        }
        #expect(
            "\(settings.privateKeyFile ?? "-") \(settings.port) \(settings.hostPorts.lowerBound) \(settings.forwardsAgent) \(settings.skipsNATMapping)"
                == expected)
        #expect(loaded.warnings.count == 1)
    }

    @Test("ssh_wait_timeout, CreateTime and the manifest's filename are old names too")
    func otherFixes() {
        let loaded = legacyQemu(
            #", "ssh_wait_timeout": "9s", "vm_name": "x-{{ .CreateTime }}""#,
            #", "post-processors": [{"type": "manifest", "filename": "m"}]"#)
        #expect(loaded.errors.map(\.summary) == [])
        #expect(loaded.plan.builds.first?.source.vmName == "x-1709211845")
        #expect(
            Set(loaded.warnings.map(\.summary)) == [
                "{{.CreateTime}} is the old name of {{timestamp}}", "ssh_wait_timeout is an old name of ssh_timeout",
                "filename is the old name of output",
            ])
        guard case .ssh(let settings)? = loaded.plan.builds.first?.source.communicator else {
            Issue.record("no SSH")
            return
        }
        #expect(settings.timeout == .seconds(9))
    }
}

/// Knuth's linear congruential generator, so that a failure comes again.
private struct Repeatable: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

private let hex = "00112233445566778899aabbccddeeff"

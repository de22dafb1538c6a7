import Diagnostics
import Scopes
import Templates
import Testing

@testable import ComponentModel

/// A JSON template in `/work/t.json`, loaded.
func legacy(
    _ text: String, files: [String: String] = [:], change: (inout LoadOptions) -> Void = { _ in }
) -> Loaded {
    Loaded("", files: files.merging(["t.json": text]) { $1 }, path: "t.json", change: change)
}

/// The same with one qemu builder that has these options (`, "NAME": VALUE`) beside the needed ones, and these other parts.
func legacyQemu(
    _ options: String = "", _ parts: String = "", files: [String: String] = [:],
    change: (inout LoadOptions) -> Void = { _ in }
) -> Loaded {
    let builder =
        #"{"type": "qemu", "iso_url": "a.iso", "iso_checksum": "md5:00112233445566778899aabbccddeeff", "ssh_username": "u""#
    return legacy(#"{"builders": [\#(builder)\#(options)}]\#(parts)}"#, files: files, change: change)
}

@Suite("JSON templates")
struct LegacyTests {
    private let data = RunData(
        id: "i-1", host: "127.0.0.1", port: 2222, user: "root", password: Sensitive("pw"), connectionType: "ssh",
        runUUID: "uuid", httpIP: "10.0.2.2", httpPort: "8080", sshPublicKey: "", sshPrivateKey: Sensitive(""))

    private let two = """
        "builders": [
          {"type": "qemu", "name": "b", "iso_url": "a", "iso_checksum": "none", "communicator": "none"},
          {"type": "qemu", "name": "a-{{user `x`}}", "iso_url": "a", "iso_checksum": "none", "communicator": "none"}
        ]
        """

    private func shellLocal(_ provisioner: PlannedProvisioner?) throws -> ShellLocalSettings {
        guard case .shellLocal(let settings)? = try provisioner?.settings(data) else {
            throw TemplateFailure("not shell-local")
        }
        return settings
    }

    @Test("a builder gives the same source as an HCL block")
    func source() throws {
        let loaded = legacyQemu(
            """
            , "disk_size": 20000, "memory": "{{user `mem`}}", "cpus": "0x2", "headless": "true", "boot_wait": "5s",
            "boot_command": ["<esc>{{user `host`}} ", "{{ .HTTPIP }}<enter>"], "qemuargs": [["-cpu", "host"], "-nographic"],
            "qemu_img_args": {"convert": ["-o", "x=y"]}, "cd_content": {"meta-data": "{{build_name}}"}, "Vm_Name": "box"
            """, #", "variables": {"mem": "1024", "host": "h"}"#)
        #expect(loaded.diagnostics.map(\.summary) == [])
        let build = try #require(loaded.plan.builds.first)
        #expect(build.name == "qemu" && build.sourceType == "qemu" && build.sourceName == "qemu")
        #expect(build.source.vmName == "box" && build.source.outputDirectory == "output-qemu")
        #expect(build.source.disk.size == 20000 << 20)
        #expect(build.source.disk.convertArguments == ["-o", "x=y"])
        #expect(build.source.machine.memory == 1024 && build.source.machine.cpus == 2)
        #expect(build.source.machine.headless)
        #expect(build.source.machine.qemuArguments.map(\.flag) == ["-cpu", "-nographic"])
        #expect(build.source.seeds.cdContent == ["meta-data": "qemu"])
        #expect(build.source.boot.wait == .seconds(5))
        let command = try #require(build.source.boot.steps.first?.command)
        #expect(command == "<esc>{{user `host`}} {{ .HTTPIP }}<enter>")
        #expect(try build.render(command, data: ["HTTPIP": "10.0.2.2"]) == "<esc>h 10.0.2.2<enter>")
    }

    @Test("builds are sorted by rendered name, and selected by exactly that name")
    func names() {
        func load(_ change: (inout LoadOptions) -> Void = { _ in }) -> Loaded {
            legacy("{\(two), \"variables\": {\"x\": \"1\"}}", change: change)
        }
        #expect(load().plan.builds.map(\.name) == ["qemu.a-1", "qemu.b"])
        #expect(load().plan.builds.map(\.source.vmName) == ["packer-a-1", "packer-b"])
        #expect(load { $0.only = ["a-1"] }.plan.builds.map(\.sourceName) == ["a-1"])
        #expect(load { $0.except = ["a-1"] }.plan.builds.map(\.sourceName) == ["b"])
        for pattern in ["a-*", "qemu.a-1"] {
            let none = load { $0.only = [pattern] }
            #expect(none.errors.map(\.id) == ["template/no-builds"])
        }
    }

    @Test("a provisioner's only, except and override go by the written names of builders")
    func provisioners() throws {
        let loaded = legacy(
            """
            {\(two), "variables": {"x": "1"}, "provisioners": [
              {"type": "shell-local", "inline": "one, two", "only": ["b"], "max_retries": "{{user `x`}}"},
              {"type": "shell-local", "inline": ["three"], "except": "b", "pause_before": "2s", "timeout": "1m",
               "override": {"a-{{user `x`}}": {"Inline": ["{{user `x`}}"]}}}
            ]}
            """)
        #expect(loaded.errors.map(\.summary) == [])
        let builds = loaded.plan.builds
        #expect(builds.map { $0.provisioners.count } == [1, 1])
        #expect(try shellLocal(builds.first?.provisioners.first).scripts == .inline(["1"]))
        #expect(builds.first?.provisioners.first?.pauseBefore == .seconds(2))
        #expect(builds.first?.provisioners.first?.timeout == nil)
        #expect(try shellLocal(builds.last?.provisioners.first).scripts == .inline(["one", " two"]))
        #expect(builds.last?.provisioners.first?.maxRetries == 1)
    }

    @Test("post-processors are words, objects and sequences of both")
    func postProcessors() throws {
        let parts = """
            , "post-processors": [
              "manifest",
              {"type": "checksum", "checksum_types": "md5,sha1", "keep_input_artifact": true},
              [{"type": "manifest", "name": "m"}, "checksum"],
              [{"type": "manifest", "only": ["qemu"]}, {"type": "checksum", "except": ["qemu"]}]
            ]
            """
        let loaded = legacyQemu("", parts)
        #expect(loaded.diagnostics.map(\.summary) == [])
        let chains = try #require(loaded.plan.builds.first?.postProcessors)
        #expect(chains.map { $0.map(\.type) } == [["manifest"], ["checksum"], ["manifest", "checksum"], ["manifest"]])
        #expect(chains[1].first?.keepInputArtifact == true)
        guard case .checksum(let settings)? = try chains[1].first?.settings(data) else {
            Issue.record("not a checksum")
            return
        }
        #expect(settings.types == ["md5", "sha1"])
        // A name on the command line takes away the rest of its sequence.
        let less = legacyQemu("", parts) { $0.except = ["m"] }
        #expect(
            less.plan.builds.first?.postProcessors.map { $0.map(\.type) } == [["manifest"], ["checksum"], ["manifest"]])
    }

    @Test("an error-cleanup-provisioner is planned, and push and comments are passed over")
    func rest() {
        let loaded = legacyQemu(
            "",
            """
            , "error-cleanup-provisioner": {"type": "shell-local", "inline": ["true"]}, "push": {"a": [1]}, "_c": "x",
            "description": "d", "min_packer_version": "1.0.0"
            """)
        #expect(loaded.diagnostics.map(\.summary) == [])
        #expect(loaded.plan.builds.first?.errorCleanupProvisioner?.type == "shell-local")
    }

    @Test("what a run knows is there when the provisioner runs")
    func runData() throws {
        let loaded = legacyQemu(
            "",
            """
            , "variables": {"v": "x"}, "provisioners": [{"type": "shell-local",
              "inline": ["{{build `ID`}} {{build `Host`}}:{{ .Port }} {{user `v`}} {{build_name}} {{build_type}}"],
              "execute_command": "sh,-c,{{.Vars}} {{.Script}} {{build `Nope`}}"}]
            """)
        #expect(loaded.errors.map(\.summary) == [])
        #expect(loaded.warnings.map(\.id) == ["template/run-field", "template/weak-list"])
        let settings = try shellLocal(loaded.plan.builds.first?.provisioners.first)
        #expect(settings.scripts == .inline(["i-1 127.0.0.1:2222 x qemu qemu"]))
        #expect(settings.executeCommand == ["sh", "-c", "{{.Vars}} {{.Script}} {{build `Nope`}}"])
    }

    @Test("sources of other platforms are skipped in one line, with what belongs to them")
    func skipped() {
        let loaded = legacy(
            """
            {"builders": [
              {"type": "virtualbox-iso", "guest_os_type": "x"}, {"type": "vmware-iso", "name": "v"},
              {"type": "qemu", "iso_url": "a", "iso_checksum": "md5:00112233445566778899aabbccddeeff", "communicator": "none"}
            ], "provisioners": [{"type": "powershell", "only": ["v"]}]}
            """)
        #expect(loaded.plan.builds.map(\.name) == ["qemu"])
        #expect(
            loaded.diagnostics.map(\.summary) == [
                "Not built, since Ingot builds only qemu yet: vmware-iso.v, virtualbox-iso"
            ])
    }

    @Test(
        "values are converted as Packer's weak decoding does",
        arguments: [
            (#""cpus": "2""#, "2 false 40960"), (#""cpus": 2.9"#, "2 false 40960"), (#""cpus": true"#, "1 false 40960"),
            (#""cpus": """#, "0 false 40960"), (#""cpus": "010""#, "8 false 40960"),
            (#""cpus": null"#, "0 false 40960"),
            (#""headless": "T""#, "0 true 40960"), (#""headless": 1"#, "0 true 40960"),
            (#""headless": """#, "0 false 40960"), (#""disk_size": "1024""#, "0 false 1024"),
            (#""disk_size": 2e3"#, "0 false 2000"), (#""disk_size": "1G""#, "0 false 1024"),
        ])
    func weak(option: String, expected: String) throws {
        let loaded = legacyQemu(", " + option)
        #expect(loaded.errors.map(\.summary) == [])
        let source = try #require(loaded.plan.builds.first?.source)
        #expect("\(source.machine.cpus) \(source.machine.headless) \(source.disk.size >> 20)" == expected)
    }

    @Test(
        "text is cut at commas where a list is wanted, and a single value is a list of one",
        arguments: [
            (#""iso_urls": "a,b""#, ["a", "b"]), (#""iso_urls": """#, []), (#""iso_urls": "a""#, ["a"]),
            (#""iso_urls": 5"#, ["5"]), (#""iso_urls": ["a,b", 1, true, null]"#, ["a,b", "1", "1", ""]),
        ])
    func lists(option: String, expected: [String]) {
        let loaded = legacy(
            #"{"builders": [{"type": "qemu", \#(option), "iso_checksum": "none", "communicator": "none"}]}"#)
        #expect(loaded.plan.builds.first?.source.input.urls == expected)
    }
}

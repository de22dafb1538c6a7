import Foundation
import Testing

@Suite("ingot's command line")
struct CommandLineTests {
    private let template = """
        variable "size" {
          default = "1,2"
        }
        source "qemu" "x" {
          iso_url      = "file:///none.iso"
          iso_checksum = "none"
          ssh_username = "u"
        }
        build {
          name    = "b"
          sources = ["source.qemu.x"]
        }

        """

    /// The records without their times.
    private func records(_ run: IngotRun) -> [String] {
        run.output.split(separator: "\n").map { line in
            #expect(line.first?.isNumber == true, "\(line)")
            return line.split(separator: ",", maxSplits: 1).last.map(String.init) ?? ""
        }
    }

    @Test("a disk becomes an archive for Proxmox, which is listed, verified and taken apart again")
    func archive() async throws {
        let bench = try Workbench()
        try bench.write(String(repeating: "disk", count: 128 << 10), to: "d.raw")
        for arguments in [
            ["convert", "d.raw", "d.vma.zst"], ["vma", "list", "d.vma.zst"], ["vma", "verify", "d.vma.zst"],
            ["vma", "extract", "d.vma.zst", "out"],
        ] {
            let run = try await RunningIngot(arguments, in: bench.path).finish()
            #expect(run.status == 0, "\(run.output)")
        }
        #expect(try bench.read("out/disk-drive-scsi0.raw") == bench.read("d.raw"))
        let again = try await bench.ingot("convert", "d.raw", "d.vma.zst")
        #expect(again.status == 1 && again.output.contains("exists already"))
        #expect(try await bench.ingot("convert", "none.raw", "x.qcow2").output.contains("No such file"))
    }

    @Test("a full disk behind standard output is told, and crashes nothing")
    func fullOutput() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for line in ["schema", "validate t.pkr.hcl", "inspect t.pkr.hcl", "-machine-readable version", "help"] {
            let run = try await command(
                "/bin/sh",
                [
                    "-c", "cd \"$1\" && PATH=\"$2\" \"$3\" \(line) 2>&1 >/dev/full", "sh", bench.path, path,
                    IngotRun.program,
                ])
            #expect(run.status == 1 && run.output.contains("could not write to standard output"), "\(line): \(run)")
        }
    }

    @Test("the version is told as Packer tells it")
    func version() async throws {
        let bench = try Workbench()
        let run = try await bench.ingot("-machine-readable", "version")
        let lines = records(run)
        #expect(lines.count == 4 && run.status == 0)
        #expect(lines[0].hasPrefix(",version,") && lines[1] == ",version-prelease,")
        #expect(lines[3].hasPrefix(",ui,say,Ingot v"))
        #expect(try await bench.ingot("-v").output.hasPrefix("Ingot v"))
    }

    @Test(
        "a release build is stripped and takes at most 60 MB",
        .enabled(if: IngotRun.program.contains("/release/")))
    func size() async throws {
        let attributes = try FileManager.default.attributesOfItem(atPath: IngotRun.program)
        let size = try #require(attributes[.size] as? Int)
        #expect(size <= 60_000_000)
        let sections = try await command("readelf", ["-S", "-W", IngotRun.program])
        #expect(sections.status == 0 && !sections.output.contains(".symtab"))
    }

    @Test("validation and inspection speak in records, wherever the flag stands")
    func templates() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        try bench.write(
            #"{"variables": {"a": "1,2", "n": null}, "builders": [{"type": "qemu", "name": "q"}]}"#, to: "t.json")
        let valid = try await bench.ingot("-machine-readable", "validate", "t.pkr.hcl")
        #expect(valid.status == 0 && records(valid).last == ",ui,say,The configuration is valid.")
        let missing = try await bench.ingot("validate", "-machine-readable", "missing.pkr.hcl")
        #expect(missing.status == 1 && records(missing).first?.hasPrefix(",ui,error,Error: There is no file") == true)
        let hcl = try await bench.ingot("inspect", "t.pkr.hcl", "-machine-readable")
        #expect(records(hcl).first?.contains(#"var.size: "1%!(PACKER_COMMA)2""#) == true, "\(hcl.output)")
        let json = records(try await bench.ingot("inspect", "-machine-readable", "t.json"))
        #expect(
            Array(json.prefix(11)) == [
                ",ui,say,Packer Inspect: JSON mode", #",ui,say,Required variables:\n"#, ",template-variable,n,,1",
                ",ui,say,  n", ",ui,say,", #",ui,say,Optional variables and their defaults:\n"#,
                ",template-variable,a,1%!(PACKER_COMMA)2,0", ",ui,say,  a = 1%!(PACKER_COMMA)2", ",ui,say,",
                #",ui,say,Builders:\n"#, ",template-builder,q,qemu",
            ])
    }

    @Test("wrong usage is a record, too, and exit code 2")
    func usage() async throws {
        let bench = try Workbench()
        let run = try await bench.ingot("-machine-readable", "valdate", "x")
        let complaint = ",ui,error,Error: ingot has no command “valdate”. Did you mean “validate”? "
        #expect(run.status == 2 && records(run).first?.hasPrefix(complaint) == true)
        let help = try await bench.ingot("help", "valdate")
        #expect(help.status == 2 && help.output.contains("Did you mean “validate”?"))
        let flag = try await bench.ingot("validate", "-syntx-only", ".")
        #expect(flag.status == 2 && flag.output.contains("Did you mean '--syntax-only'?"))
    }

    @Test("Packer's flags are accepted by validate, and a folder as the template")
    func flags() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        let run = try await bench.ingot(
            "validate", "-syntax-only=false", "-only=b.qemu.x", "-except=none", "-no-warn-undeclared-var", "-var",
            "size=3",
            "-ignore-prerelease-plugins", "-use-sequential-evaluation", ".")
        #expect(run.status == 0 && run.output.contains("The configuration is valid."), "\(run.output)")
    }

    @Test("a template can come over standard input, in HCL or as an old JSON template")
    func standardInput() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        try bench.write(#"{"builders": [{"type": "nothing-such"}]}"#, to: "t.json")
        try bench.write(
            "\"$1\" validate - < t.pkr.hcl && \"$1\" inspect - < t.pkr.hcl && ! \"$1\" validate - < t.json",
            to: "run.sh")
        let run = try await command("sh", ["-c", "cd \(bench.path) && sh run.sh \(IngotRun.program)"])
        #expect(run.status == 0 && run.output.contains("> builds:"), "\(run.output)")
        #expect(run.output.contains("nothing-such") && run.output.contains("<standard input>"), "\(run.output)")
    }

    @Test("templates and variables can come through pipes of the shell")
    func pipes() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        try bench.write(
            """
            "$1" inspect -var-file=<(echo 'size = "from HCL"') t.pkr.hcl
            "$1" inspect -var-file=<(echo '{"size": "from JSON"}') <(cat t.pkr.hcl)
            """, to: "run.sh")
        let run = try await command("bash", ["-c", "cd '\(bench.path)' && bash run.sh \(IngotRun.program)"])
        #expect(run.status == 0 && run.output.contains("from HCL") && run.output.contains("from JSON"), "\(run.output)")
    }

    @Test("bash completes commands, files and the names of builds")
    func bash() async throws {
        let bench = try Workbench()
        try bench.write(template, to: "t.pkr.hcl")
        try bench.write("", to: "a folder/x.pkrvars.hcl")
        try bench.write(
            """
            source <("$1" completion bash)
            compopt() { echo "options: $*"; }
            COMP_WORDS=("$1" build -only = '' t.pkr.hcl) COMP_CWORD=4
            _ingot && printf '%s\\n' "${COMPREPLY[@]}"
            COMP_WORDS=("$1" build -var-file = a) COMP_CWORD=4
            _ingot && printf '%s\\n' "${COMPREPLY[@]}"
            COMP_WORDS=("$1" va) COMP_CWORD=1
            _ingot && printf '%s\\n' "${COMPREPLY[@]}"

            """, to: "run.sh")
        let run = try await command("bash", ["-c", "cd '\(bench.path)' && bash run.sh \(IngotRun.program)"])
        #expect(run.output == "b.qemu.x\noptions: -o filenames\na folder\nvalidate", "\(run.output)")
    }
}

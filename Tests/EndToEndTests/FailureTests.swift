import Foundation
import Testing

@Suite("ingot explains what went wrong and leaves nothing behind", .serialized)
struct FailureTests {
    private func expectClean(_ bench: Workbench) {
        #expect(!bench.names.contains { $0.hasPrefix(".output") }, "\(bench.names)")
        #expect(machines(mentioning: bench.path).isEmpty)
    }

    @Test("a template with five mistakes is told all five, with their lines")
    func fiveMistakes() async throws {
        let bench = try Workbench()
        try bench.write(
            """
            variable "size" {
              type = strin
            }
            source "qemu" "guest" {
              iso_url      = "x.iso"
              iso_checksum = "none"
              disk_sise    = "8G"
              format       = "qcow3"
              ssh_username = vra.user
            }
            build {
              sources = ["source.qemu.gest"]
            }
            build {
              sources = ["source.qemu.guest"]
            }
            """, to: "t.pkr.hcl")
        let run = try await bench.ingot("validate", "t.pkr.hcl")
        #expect(run.status == 1)
        for text in ["line 2", "disk_size", "qcow3", "line 9", "line 12"] {
            #expect(run.output.contains(text), "no \(text) in:\n\(run.output)")
        }
    }

    @Test("a missing ISO and a wrong checksum are told before anything starts")
    func badMedium() async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(source: "  iso_url = \"no-such.iso\""), to: "missing.pkr.hcl")
        let missing = try await bench.ingot("build", "missing.pkr.hcl")
        #expect(missing.status == 1)
        #expect(missing.output.contains("no-such.iso"))
        let zeros = String(repeating: "0", count: 64)
        try bench.write(Guest.template(source: "  iso_checksum = \"sha256:\(zeros)\""), to: "wrong.pkr.hcl")
        let wrong = try await bench.ingot("build", "wrong.pkr.hcl")
        #expect(wrong.status == 1)
        #expect(wrong.output.contains(zeros))
        expectClean(bench)
    }

    @Test("an output that exists is refused without -force, and a failed build with -force leaves it alone")
    func existingOutput() async throws {
        let bench = try Workbench()
        try bench.write("precious", to: "output-guest/old")
        try bench.write(Guest.template(source: "  iso_url = \"no-such.iso\""), to: "t.pkr.hcl")
        let refused = try await bench.ingot("build", "t.pkr.hcl")
        #expect(refused.status == 1)
        #expect(refused.output.contains("output-guest"))
        let forced = try await bench.ingot("build", "-force", "t.pkr.hcl")
        #expect(forced.status == 1)
        #expect(try bench.read("output-guest/old") == "precious")
    }

    @Test("a script that exits 3 fails the build with its words, its status and a report")
    func failingScript() async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(build: shell("echo last words; exit 3")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        for text in ["last words", "exit status 3", "Last screen:", "guest is up", "Everything about this build"] {
            #expect(run.output.contains(text), "no \(text) in:\n\(run.output)")
        }
        #expect(!bench.exists("output-guest"))
        expectClean(bench)
    }

    @Test("a wrong password is told as such, and the password itself never")
    func wrongPassword() async throws {
        let bench = try Workbench()
        try bench.write(
            "variable \"secret\" {\n  type = string\n  default = \"swordfish-99\"\n  sensitive = true\n}\n"
                + Guest.template(
                    source: "  ssh_password = var.secret\n  ssh_handshake_attempts = 2\n  ssh_timeout = \"4m\""),
            to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        #expect(run.output.contains("refused the login"))
        #expect(!run.output.contains("swordfish-99"))
        #expect(try await command("grep", ["-rq", "swordfish-99", bench.path + "/state"]).status == 1)
        expectClean(bench)
    }

    @Test("a guest that powers off during provisioning ends the build at once")
    func powerOff() async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(build: shell("poweroff; sleep 600")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        #expect(run.output.contains("the machine powered itself off"))
        let folder = try #require(bench.runFolder)
        for name in ["log.txt", "events.jsonl"] {
            #expect(try bench.read(folder + "/" + name).contains("the machine powered itself off"), "\(name)")
        }
        expectClean(bench)
    }

    @Test("a guest that never answers is told after ssh_timeout, with its screen")
    func hangingGuest() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(source: "  boot_command = [\"nonsense\"]\n  ssh_timeout = \"8s\""), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        #expect(run.output.contains("timed out after 8 s while waiting for SSH"))
        #expect(run.output.contains("Last screen:"))
        expectClean(bench)
    }

    @Test("an installer that waits at a dialog ends the build, which reports the dialog and the installer's error")
    func unansweredDialog() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                parameters: "sshd=no log={{ .SyslogIP }}:{{ .SyslogPort }} dialog=Download_installer_components",
                source: "  installer_dialog_timeout = \"5s\""), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-on-error=abort", "t.pkr.hcl")
        let kept = machines(mentioning: bench.path)
        for pid in kept { kill(pid, SIGKILL) }
        #expect(run.status == 1)
        for text in [
            "the installer has shown the dialog “[!!] Download installer components” for ",
            "net-retriever: error: Bad signature on /tmp/Release.", "installer_dialog_timeout = \"0s\"",
            "keeps running",
        ] {
            #expect(run.output.contains(text), "no \(text) in:\n\(run.output)")
        }
        #expect(kept.count == 1)
    }

    @Test("a QEMU that is killed ends the wait at once")
    func killedQEMU() async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(source: "  boot_command = [\"nonsense\"]"), to: "t.pkr.hcl")
        let ingot = try RunningIngot(["build", "t.pkr.hcl"], in: bench.path)
        #expect(try await ingot.waitFor("Waiting for SSH"))
        for pid in machines(mentioning: bench.path) { kill(pid, SIGKILL) }
        let run = try await ingot.finish(minutes: 2)
        #expect(run.status == 1)
        #expect(run.output.contains("the machine"))
        expectClean(bench)
    }

    @Test("Ctrl-C and SIGTERM clean up", arguments: [(SIGINT, "Booting the machine"), (SIGTERM, "Waiting for SSH")])
    func interruption(_ signal: Int32, _ moment: String) async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(), to: "t.pkr.hcl")
        let ingot = try RunningIngot(["build", "t.pkr.hcl"], in: bench.path)
        #expect(try await ingot.waitFor(moment))
        ingot.send(signal)
        let run = try await ingot.finish(minutes: 2)
        #expect(run.status == 128 + signal)
        #expect(!bench.exists("output-guest"))
        expectClean(bench)
    }

    @Test("after kill -9 the next run removes the machine and the half output")
    func leftovers() async throws {
        let bench = try Workbench()
        try bench.write(Guest.template(), to: "t.pkr.hcl")
        let ingot = try RunningIngot(["build", "t.pkr.hcl"], in: bench.path)
        #expect(try await ingot.waitFor("Waiting for SSH"))
        ingot.send(SIGKILL)
        _ = try await ingot.finish(minutes: 1)
        #expect(!machines(mentioning: bench.path).isEmpty)
        try bench.write(Guest.template(source: "  iso_url = \"no-such.iso\""), to: "next.pkr.hcl")
        let next = try await bench.ingot("build", "next.pkr.hcl")
        #expect(next.output.contains("interrupted build left behind"))
        // The kernel needs a moment to take a killed process away.
        try await Task.sleep(for: .seconds(1))
        expectClean(bench)
    }

    @Test("wrong usage exits with 2")
    func usage() async throws {
        let bench = try Workbench()
        #expect(try await bench.ingot("build").status == 2)
        #expect(try await bench.ingot("build", "-var", "novalue", "x.pkr.hcl").status == 2)
        #expect(try await bench.ingot("build", "-on-error=ask", "x.pkr.hcl").status == 2)
        #expect(try await bench.ingot("version").status == 0)
    }
}

import Foundation
import Testing

@Suite("ingot builds on a small real guest", .serialized)
struct BuildTests {
    @Test("what is typed arrives whole, HTTP and CD seeds are seen inside, two disks are there, a qcow2 comes out")
    func everything() async throws {
        let bench = try Workbench()
        try bench.write("hello from the host", to: "http/answer")
        try bench.write(
            Guest.template(
                parameters:
                    "answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answer keys=http://{{ .HTTPIP }}:{{ .HTTPPort }}/none "
                    + "mark=aZ09_-+.,:;/~!@#%^&*()[]{}|<>?",
                source: """
                      http_directory = "http"
                      cd_label = "cidata"
                      cd_content = { "user-data" = "seed on CD" }
                      disk_additional_size = ["8M"]
                    """,
                build: shell("cat /proc/cmdline; cat /tmp/answer; ls /dev/vda /dev/vdb")
                    + shell("mount -o ro /dev/sr1 /mnt; cat /mnt/user-data; echo ran > /tmp/proof")
                        + """
                          provisioner "file" {
                            source = "/tmp/proof"
                            destination = "proof"
                            direction = "download"
                          }
                          post-processors {
                            post-processor "checksum" {
                              checksum_types = ["sha256"]
                              output = "sums"
                            }
                            post-processor "manifest" {
                              output = "manifest.json"
                            }
                          }
                          post-processor "shell-local" {
                            inline = ["echo on the host"]
                          }
                        """), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        for text in [
            "mark=aZ09_-+.,:;/~!@#%^&*()[]{}|<>?", "hello from the host", "seed on CD", "/dev/vdb", "on the host",
            "GET /answer 200", "GET /none 404",
        ] {
            #expect(run.output.contains(text), "no \(text) in:\n\(run.output)")
        }
        #expect(try bench.read("proof") == "ran\n")
        #expect(bench.exists("output-guest/packer-guest") && bench.exists("output-guest/packer-guest-1"))
        #expect(try bench.read("sums").contains("\tpacker-guest\n"))
        #expect(try bench.read("manifest.json").contains("\"artifact_id\""))
        #expect(!bench.names.contains { $0.hasPrefix(".output") })
        #expect(machines(mentioning: bench.path).isEmpty)
    }

    @Test("what provisioners put into the output directory is part of it, and a failed build leaves it as it was")
    func outputDirectory() async throws {
        let bench = try Workbench()
        func write(_ build: String) throws {
            try bench.write(
                Guest.template(
                    build: shell("echo $PACKER_BUILD_NAME >/tmp/name") + """
                          provisioner "file" {
                            source      = "/tmp/name"
                            destination = "output-guest/"
                            direction   = "download"
                          }
                          provisioner "shell-local" {
                            inline = ["ls output-guest; echo '\(build)' >output-guest/local.txt"]
                          }
                          provisioner "shell-local" {
                            inline = ["\(build)"]
                          }
                          post-processor "manifest" {
                            output = "manifest.json"
                          }
                        """), to: "t.pkr.hcl")
        }
        try write("true")
        let first = try await bench.ingot("build", "t.pkr.hcl")
        #expect(first.status == 0, "\(first.output)")
        #expect(bench.files("output-guest") == ["local.txt", "name", "packer-guest"])
        #expect(try bench.read("output-guest/name") == "guest\n" && bench.read("output-guest/local.txt") == "true\n")
        #expect(try bench.read("manifest.json").contains("output-guest/local.txt"))
        let image = try FileManager.default.attributesOfItem(atPath: bench.path + "/output-guest/packer-guest")

        try write("touch output-guest/more; false")
        let failed = try await bench.ingot("build", "-force", "t.pkr.hcl")
        #expect(failed.status == 1)
        #expect(bench.files("output-guest") == ["local.txt", "name", "packer-guest"])
        #expect(try bench.read("output-guest/local.txt") == "true\n")

        // What the first build downloaded is used again, and is in the new output as well.
        try write("touch output-guest/more")
        let forced = try await bench.ingot("build", "-force", "t.pkr.hcl")
        #expect(forced.status == 0, "\(forced.output)")
        #expect(bench.files("output-guest") == ["local.txt", "more", "name", "packer-guest"])
        let other = try FileManager.default.attributesOfItem(atPath: bench.path + "/output-guest/packer-guest")
        #expect(image[.systemFileNumber] as? Int != other[.systemFileNumber] as? Int)
        #expect(!bench.names.contains { $0.hasPrefix(".output") || $0.hasPrefix("output-guest.") })
    }

    @Test("a raw image comes out, and a guest that reboots during a provisioner is met again")
    func rawAndReboot() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                source: "  format = \"raw\"\n  disk_size = \"16M\"",
                build: shell("echo before | dd of=/dev/vda bs=512 conv=sync 2>/dev/null; sync")
                    + shell("kill -9 $PPID; sleep 5", "expect_disconnect = true")
                    + shell("head -c 6 /dev/vda")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("before"))
        let image = try #require(FileManager.default.contents(atPath: bench.path + "/output-guest/packer-guest"))
        #expect(image.count == 16 << 20)
        #expect(image.prefix(6) == Data("before".utf8))
    }

    @Test("a guest without SFTP gets its files by scp, and a key from the template logs in")
    func scp() async throws {
        let bench = try Workbench()
        let keygen = try await command("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", bench.path + "/key"])
        #expect(keygen.status == 0)
        try bench.write(try bench.read("key.pub"), to: "http/keys")
        try bench.write(
            Guest.template(
                parameters: "sftp=no keys=http://{{ .HTTPIP }}:{{ .HTTPPort }}/keys",
                source: """
                      ssh_password = ""
                      ssh_private_key_file = "key"
                      http_directory = "http"
                    """, build: shell("echo it works by scp")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("it works by scp"))
    }

    @Test("the build's own key logs in where the boot command hands it over, and is gone at the end")
    func temporaryKey() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                parameters: "key={{ .SSHPublicKey | urlquery }}",
                source: """
                      ssh_password = ""
                      ssh_clear_authorized_keys = true
                      shutdown_command = "sed 's/^/left: /' /root/.ssh/authorized_keys >/dev/ttyS0; poweroff"
                    """,
                build: shell("echo ssh-rsa own >>/root/.ssh/authorized_keys; cat /root/.ssh/authorized_keys")),
            to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("ssh-ed25519 AAAA"))
        let folder = try #require(bench.runFolder)
        let serial = try bench.read(folder + "/serial.log")
        #expect(serial.contains("left: ssh-rsa own"))
        #expect(!serial.contains("left: ssh-ed25519"))
    }

    @Test("two programs with two builds each run at once and do not get into each other's way")
    func fourAtOnce() async throws {
        let benches = try [Workbench(), Workbench()]
        var running: [RunningIngot] = []
        for bench in benches {
            try bench.write("for every guest", to: "http/answer")
            let template = try Guest.template(
                parameters: "answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answer",
                source: "  http_directory = \"http\"", build: shell("cat /tmp/answer"))
            let second = """
                  source "source.qemu.guest" {
                    name             = "second"
                    output_directory = "output-second"
                  }
                """
            try bench.write(
                template.replacing(
                    "  sources = [\"source.qemu.guest\"]", with: "  sources = [\"qemu.guest\"]\n" + second),
                to: "t.pkr.hcl")
            running.append(try RunningIngot(["build", "t.pkr.hcl"], in: bench.path))
        }
        for (bench, ingot) in zip(benches, running) {
            let run = try await ingot.finish()
            #expect(run.status == 0, "\(run.output)")
            #expect(run.output.components(separatedBy: "for every guest").count == 3)
            #expect(bench.exists("output-guest/packer-guest") && bench.exists("output-second/packer-guest"))
            #expect(machines(mentioning: bench.path).isEmpty)
        }
    }
    @Test("a guest that boots anew during a provisioner is met again")
    func reboot() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                build: shell("touch /tmp/before; reboot; sleep 100", "expect_disconnect = true")
                    + shell("test ! -e /tmp/before && echo a new start")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("a new start"))
    }

    @Test("a disk image boots by UEFI with a TPM, is enlarged, and keeps its firmware variables")
    func uefi() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                source: """
                      iso_url = "\(try Guest.disk.get())"
                      disk_image = true
                      disk_size = "100M"
                      format = "raw"
                      boot_command = []
                      memory = 512
                      efi_boot = true
                      vtpm = true
                    """, build: shell("ls -d /sys/firmware/efi; cat /sys/class/tpm/tpm0/tpm_version_major")),
            to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("guest: /sys/firmware/efi\n") && run.output.contains("guest: 2\n"))
        #expect(bench.exists("output-guest/efivars.fd"))
        let image = try #require(FileManager.default.contents(atPath: bench.path + "/output-guest/packer-guest"))
        #expect(image.count == 100 << 20)
        #expect(machines(mentioning: bench.path).isEmpty)
    }
    @Test("GRUB reads the floppy's seed, and a guest without a communicator ends the build by powering off")
    func floppy() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                source: """
                      iso_url = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso"
                      floppy_content = { "user-data" = "seed on a floppy" }
                      communicator = "none"
                      boot_wait = "10s"
                      boot_command = ["cat (fd0)/user-data<enter><wait25>halt<enter>"]
                    """), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        let folder = try #require(bench.runFolder)
        #expect(try bench.read(folder + "/screens/last.txt").contains("seed on a floppy"))
        #expect(bench.exists("output-guest/packer-guest"))
    }
}

import Foundation
import Testing

/// The guest puts a system onto its disk, with the build's key and a deleted file in it, and `finish` works on that.
@Suite("ingot finishes what it built", .serialized)
struct FinishTests {
    /// The files of a small Debian, as far as finishing looks at them.
    private static let files = [
        "etc/os-release": "ID=debian\nNAME=\"Debian\"\nVERSION_ID=\"13\"\nPRETTY_NAME=\"Debian GNU/Linux 13\"\n",
        "etc/debian_version": "13.1\n", "etc/fstab": "/dev/vda / ext4 defaults 0 1\n", "etc/hostname": "builder\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "etc/group": "root:x:0:\n",
        "etc/shadow": "root:*:1::::::\n", "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
        "etc/ssh/ssh_host_rsa_key": "x", "usr/bin/ssh-keygen": "x", "usr/lib/systemd/systemd": "x",
        "usr/lib/systemd/system/ssh.service": "[Service]\n", "root/.ssh/authorized_keys": "ssh-rsa AAAAOwn own key\n",
        "srv/left": "token = S3cretToken\n", "bin/sh": "", "dev/x": "", "proc/x": "", "var/log/syslog": "words\n",
        "var/lib/dpkg/status":
            "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n",
    ]

    /// Makes system.gz, an ext4 file system with the files, in the folder that the guest fetches from.
    private func makeSystem(in bench: Workbench) async throws {
        for (path, text) in Self.files { try bench.write(text, to: "tree/" + path) }
        let made = try await command(
            "sh",
            [
                "-c",
                "cd \(bench.path) && mkdir http && mke2fs -q -t ext4 -F -d tree root 240M && gzip -1 <root >http/system.gz",
            ])
        try #require(made.status == 0, "\(made.output)")
    }

    @Test("an image is generalised, filled, checked, listed and shrunk, and its reports lie beside it")
    func finished() async throws {
        let bench = try Workbench()
        try await makeSystem(in: bench)
        try bench.write("welcome\n", to: "motd")
        let template = try Guest.template(
            source: """
                  http_directory = "http"
                  disk_size      = "256M"
                  finish {
                    keep     = ["logs"]
                    hostname = "golden"
                    resize_to_minimum = true
                    files    = { "/etc/motd" = "motd" }
                    remove   = ["/opt/*"]
                  }
                """,
            build: shell("wget -q -O - http://$PACKER_HTTP_ADDR/system.gz | gunzip | dd of=/dev/vda bs=1M")
                + shell(
                    "mount -t ext4 /dev/vda /mnt && mkdir /mnt/opt && head -c 24000000 /dev/urandom >/mnt/opt/ballast && sync"
                )
                + "  provisioner \"shell\" {\n    inline = "
                + "[\"echo '${build.SSHPublicKey}' >>/mnt/root/.ssh/authorized_keys; umount /mnt; sync\"]\n  }\n"
                    + """
                      post-processor "manifest" {
                        output = "manifest.json"
                      }
                    """)
        try bench.write(
            "variable \"token\" {\n  default   = \"S3cretToken\"\n  sensitive = true\n}\n" + template,
            to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("left in the image: /srv/left: it contains a secret of the build"), "\(run.output)")
        #expect(run.output.contains("left in the image: /root/.ssh/authorized_keys: own key may log in as root"))
        #expect(run.output.contains("before it was finished it took"))
        let names = ["packer-guest", "packer-guest.cdx.json", "packer-guest.report.json", "packer-guest.spdx.json"]
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output-guest").sorted() == names)
        let manifest = try bench.read("manifest.json")
        for name in names { #expect(manifest.contains("output-guest/\(name)\"")) }
        #expect(try bench.read("output-guest/packer-guest.report.json").contains("Debian GNU/Linux 13"))
        for bill in [names[1], names[3]] {
            #expect(try bench.read("output-guest/" + bill).contains("pkg:deb/debian/bash@5.2-1"))
        }
        let image = bench.path + "/output-guest/packer-guest"
        let size = try #require(try FileManager.default.attributesOfItem(atPath: image)[.size] as? Int)
        #expect(size < 16 << 20, "the ballast is still in it: \(size)")

        let look = try await command(
            "sh",
            [
                "-c",
                """
                cd \(bench.path) && qemu-img info output-guest/packer-guest && qemu-img convert -O raw output-guest/packer-guest disk && e2fsck -fn disk >&2 &&
                for f in machine-id hostname motd; do echo "$f=$(debugfs -R "cat /etc/$f" disk 2>/dev/null)"; done
                debugfs -R 'cat /root/.ssh/authorized_keys' disk; debugfs -R 'ls /etc/ssh' disk
                debugfs -R 'cat /var/log/syslog' disk
                """,
            ])
        #expect(look.status == 0, "\(look.output)")
        let virtual = try #require(look.output.firstMatch(of: /virtual size: .* \(([0-9]+) bytes\)/))
        #expect(try #require(Int(virtual.1)) < 160 << 20, "the disk keeps its size: \(virtual.0)")
        for text in ["machine-id=\n", "hostname=golden\n", "motd=welcome\n", "ssh-rsa AAAAOwn own key", "words"] {
            #expect(look.output.contains(text), "no \(text) in:\n\(look.output)")
        }
        #expect(!look.output.contains("packer_") && !look.output.contains("ssh_host_rsa_key"), "\(look.output)")
        #expect(!bench.names.contains { $0.hasPrefix(".output") })
    }

    @Test("an image over a backing file still holds what the machine wrote, and nothing more than what differs")
    func backingFile() async throws {
        let bench = try Workbench()
        try await makeSystem(in: bench)
        let made = try await command(
            "sh",
            [
                "-c",
                "cd \(bench.path) && qemu-img convert -O qcow2 root base.qcow2 && xorriso -osirrox on -indev "
                    + "\(try Guest.iso.get()) -extract /linux linux -extract /initrd.gz initrd.gz",
            ])
        try #require(made.status == 0, "\(made.output)")
        try bench.write(
            Guest.template(
                source: """
                      iso_url = "base.qcow2"
                      disk_image = true
                      use_backing_file = true
                      skip_resize_disk = true
                      disk_size = "256M"
                      boot_command = []
                      qemuargs = [["-kernel", "linux"], ["-initrd", "initrd.gz"], ["-append", "quiet console=tty1"]]
                      finish {
                        inspect = false
                        check   = "off"
                        keep    = ["ssh-host-keys"]
                      }
                    """,
                build: shell("mount -t ext4 /dev/vda /mnt && echo new >/mnt/srv/new && umount /mnt && sync")),
            to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-color=false", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output-guest") == ["packer-guest"])
        let look = try await command(
            "sh",
            [
                "-c",
                """
                cd \(bench.path) && qemu-img info output-guest/packer-guest | grep backing
                qemu-img convert -O raw output-guest/packer-guest disk && e2fsck -fn disk >&2 &&
                echo "new=$(debugfs -R 'cat /srv/new' disk)" && echo "id=$(debugfs -R 'cat /etc/machine-id' disk)" &&
                debugfs -R 'ls /etc/ssh' disk
                """,
            ])
        #expect(look.status == 0, "\(look.output)")
        for text in ["base.qcow2", "new=new\n", "id=\n", "ssh_host_rsa_key"] {
            #expect(look.output.contains(text), "no \(text) in:\n\(look.output)")
        }
    }

    @Test("an image that cannot be finished is kept as it is, and the build fails with the reason")
    func unfinished() async throws {
        let bench = try Workbench()
        try bench.write(
            Guest.template(
                source: "  finish {\n  }\n", build: shell("echo kept | dd of=/dev/vda bs=512 conv=sync; sync")),
            to: "t.pkr.hcl")
        try bench.write("older", to: "output-guest/image")
        let run = try await bench.ingot("build", "-color=false", "-force", "t.pkr.hcl")
        #expect(run.status == 1, "\(run.output)")
        #expect(run.output.contains("no known operating system"), "\(run.output)")
        #expect(run.output.contains("The image is kept unfinished in output-guest.unfinished."), "\(run.output)")
        #expect(try bench.read("output-guest/image") == "older")
        let made = try FileManager.default.contentsOfDirectory(atPath: bench.path + "/output-guest.unfinished")
        #expect(made == ["packer-guest"])
        let look = try await command(
            "sh",
            [
                "-c",
                "cd \(bench.path) && qemu-img check -q output-guest.unfinished/packer-guest && "
                    + "qemu-img dd -O raw bs=512 count=1 if=output-guest.unfinished/packer-guest of=sector && head -c 4 sector",
            ])
        #expect(look.output.contains("kept"), "\(look.output)")
        #expect(!bench.names.contains { $0.hasPrefix(".output") })
    }
}

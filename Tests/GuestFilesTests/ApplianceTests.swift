import CGuestfs
import Foundation
import GuestFiles
import Scopes
import Testing

/// Emulation works everywhere, and a start of the appliance is what takes the time here.
let settings = ApplianceSettings(isAccelerated: false)

@Suite("Disks in libguestfs's appliance", .serialized)
struct ApplianceTests {
    @Test("a Debian is generalised, filled, checked, listed and shrunk in one start")
    func debian() async throws {
        let scratch = try Scratch()
        let disk = try await scratch.linuxDisk("debian", FabricatedDebian.files, ballast: 60)
        let before = try scratch.space(of: disk)
        #expect(before > 50 << 20)
        let result = try await finish(
            [disk],
            FinishOptions(
                generalisation: Generalisation(
                    removedKeys: [FabricatedDebian.buildKey], removedPaths: ["/opt/own/remove*"]),
                injection: Injection(
                    files: [
                        .init(path: "/srv/new/secret", content: .bytes(Array("x\0y".utf8)), mode: 0o640),
                        .init(path: "/opt/own/given", content: .bytes(Array("S3cretToken".utf8))),
                    ],
                    firstBootScripts: ["#!/bin/sh\ntrue\n"], hostName: .set("golden"),
                    authorizedKeys: [("jo", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINew new")],
                    cloudInitDatasources: ["NoCloud", "None"]),
                shrinking: Shrinking(),
                check: LeftoverCheck(
                    secrets: [Sensitive("S3cretToken")], permittedKeys: [FabricatedDebian.ownKey]),
                inspects: true),
            settings)

        #expect(result.journal.warnings.isEmpty)
        #expect(result.journal.notes.contains { $0.contains("ingot-ssh-host-keys") })
        let system = try #require(result.report?.systems.first)
        #expect(system.system.family == .debian)
        #expect(system.system.version == "13.1")
        #expect(system.kernels == ["6.12.1-amd64"])
        #expect(system.packages.map(\.name) == ["bash", "openssh-server"])
        let users = [
            UserReport(name: "root", password: .set, authorizedKeys: []),
            UserReport(name: "jo", password: .empty, authorizedKeys: ["jo@example.org", "new"]),
        ]
        #expect(system.users == users)
        #expect(result.report?.disks.first?.partitionTable == "msdos")
        let swap = try #require(result.report?.fileSystems.first { $0.kind == "swap" })
        #expect(swap.label == "old-swap")

        let kinds = Set(result.findings.map { "\($0.kind.rawValue) \($0.path)" })
        #expect(
            kinds == [
                "secret /home/jo/notes", "secret /opt/own/large", "readable-private-key /etc/ssl/own.key",
                "empty-password /etc/shadow",
                "authorized-key /home/jo/.ssh/authorized_keys",
            ])

        #expect(try scratch.space(of: disk) < 20 << 20)

        // What is on the disk now, as the file system's own tools see it.
        let tree = try await scratch.extract(disk)
        func text(_ path: String) -> String? { try? String(contentsOfFile: tree + path, encoding: .utf8) }
        func isThere(_ path: String) -> Bool {
            var status = stat()
            return lstat(tree + path, &status) == 0
        }
        func status(_ path: String) throws -> stat {
            var status = stat()
            try #require(lstat(tree + path, &status) == 0)
            return status
        }
        for path in [
            "/var/lib/dbus/machine-id", "/etc/ssh/ssh_host_ed25519_key",
            "/etc/dropbear/dropbear_rsa_host_key", "/root/.ssh/authorized_keys",
            "/root/.bash_history", "/var/log/syslog.1", "/var/log/journal/0123",
            "/var/lib/dhcp/dhclient.eth0.leases", "/var/lib/systemd/random-seed", "/var/lib/cloud/instance",
            "/var/cache/apt/archives/bash_5_amd64.deb", "/var/lib/apt/lists/deb.debian.org_x_Packages",
            "/opt/own/remove-me", "/tmp/left",
        ] { #expect(!isThere(path), "\(path)") }
        for path in ["/opt/own/keep", "/etc/ssh/sshd_config", "/home/jo/notes", "/var/lib/cloud", "/tmp"] {
            #expect(isThere(path), "\(path)")
        }
        #expect(text("/etc/machine-id") == "")
        #expect(text("/var/log/syslog") == "")
        #expect(text("/etc/hostname") == "golden\n")
        #expect(text("/etc/hosts") == "127.0.0.1\tlocalhost\n127.0.1.1\tgolden\n")
        #expect(text("/srv/new/secret") == "x\0y")
        #expect(try status("/srv/new/secret").st_mode & 0o7777 == 0o640)
        #expect(try status("/srv/new/secret").st_gid == 0)
        #expect(try status("/home/jo/.ssh/authorized_keys").st_uid == 1000)
        #expect(try status("/home/jo/.ssh/authorized_keys").st_mode & 0o7777 == 0o600)
        #expect(text("/usr/local/lib/ingot-first-boot/000") == "#!/bin/sh\ntrue\n")
        for unit in ["ingot-first-boot.service", "ingot-ssh-host-keys.service", "ingot-dropbear-host-keys.service"] {
            let link = tree + "/etc/systemd/system/multi-user.target.wants/" + unit
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "/etc/systemd/system/" + unit)
        }
        #expect(try status("/swapfile").st_size == 900_000)
        #expect(text("/etc/cloud/cloud.cfg.d/99_ingot_datasource.cfg") == "datasource_list: [ NoCloud, None ]\n")
        #expect(try String(contentsOfFile: tree + "/swap.blkid", encoding: .utf8).contains("LABEL=old-swap"))
        #expect(
            try String(contentsOfFile: tree + "/swap.blkid", encoding: .utf8)
                .contains("UUID=11111111-2222-3333-4444-555555555555"))
    }

    @Test("two disks, LVM with an Alpine on it, and links that point out of the guest")
    func alpineOnLVM() async throws {
        let scratch = try Scratch()
        let disks = [
            try await scratch.emptyDisk("first", megabytes: 100), try await scratch.emptyDisk("second", megabytes: 100),
        ]
        let outcome = try await Appliance.with(disks, settings) { guest -> FinishResult in
            let api = guest.api
            try guest.done(api.part_disk(guest.handle, "/dev/sda", "gpt"))
            try guest.done(api.part_disk(guest.handle, "/dev/sdb", "gpt"))
            for partition in ["/dev/sda1", "/dev/sdb1"] { try guest.done(api.pvcreate(guest.handle, partition)) }
            try guest.withTexts(["/dev/sda1", "/dev/sdb1"]) { list in
                try guest.done(api.vgcreate(guest.handle, "vg", list))
            }
            // Larger than either disk.
            try guest.done(api.lvcreate(guest.handle, "root", "vg", 120))
            try guest.done(api.mkfs(guest.handle, "ext4", "/dev/vg/root"))
            try guest.mount("/dev/vg/root", at: "/", isReadOnly: false)
            for folder in [
                "/etc/ssh", "/bin", "/sbin", "/lib/apk/db", "/srv/log", "/root", "/var/cache/apk", "/mnt/logs",
                "/etc/dropbear", "/etc/init.d", "/usr/sbin",
            ] {
                try guest.makeFolders(folder)
            }
            for (path, text) in [
                (
                    "/etc/os-release",
                    "ID=alpine\nNAME=\"Alpine Linux\"\nVERSION_ID=3.20.1\nPRETTY_NAME=\"Alpine Linux v3.20\"\n"
                ),
                ("/etc/alpine-release", "3.20.1\n"),
                // The second one is no file system.
                ("/etc/fstab", "/dev/vg/root / ext4 defaults 0 1\n/dev/sda1 /data ext4 defaults 0 1\n"),
                ("/etc/hostname", "builder\n"),
                ("/etc/hosts", "127.0.1.1 builder\n" + String(repeating: "# a long list\n", count: 300_000)),
                ("/usr/sbin/sshd", "x"), ("/usr/sbin/dropbear", "x"), ("/etc/init.d/dropbear", "chown -R x\n"),
                ("/etc/dropbear/dropbear_rsa_host_key", "x"), ("/srv/log/messages", "x"),

                ("/lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n\n"),
                ("/etc/passwd", "root:x:0:0::/root:/bin/ash\n"),
                ("/etc/ssh/ssh_host_rsa_key", "x"), ("/var/cache/apk/a.apk", "x"), ("/root/.ash_history", "x"),
                ("/sbin/openrc-run", "x"), ("/usr-bin-ssh-keygen", "x"), ("/mnt/logs/victim", "x"), ("/mnt/keep", "x"),
            ] { try guest.write(text, to: path) }
            try guest.makeFolders("/usr/bin")
            try guest.write("x", to: "/usr/bin/ssh-keygen")
            // To the guest these point to its own /mnt; they must not reach the appliance's tree.
            try guest.link("/tmp", to: "/mnt/logs")
            try guest.link("/var/log", to: "/srv/log")
            try guest.link("/etc/machine-id", to: "/mnt/keep")
            try guest.unmountAll()
            let found = try guest.findSystems()
            #expect(found.count == 1)
            let system = try #require(found.first)
            #expect(system.system.family == .alpine)
            var result = FinishResult()
            var problems: [String] = []
            let points = try guest.mount(system, isReadOnly: false) { problems.append($0) }
            #expect(points.map(\.path) == ["/"])
            #expect(problems.count == 1 && problems.first?.hasPrefix("/data (/dev/sda1)") == true, "\(problems)")
            try guest.generalise(system.system, Generalisation(removedPaths: ["relative"]), &result.journal)
            #expect(try guest.exists("/etc/ssh/ssh_host_rsa_key"))
            #expect(try guest.exists("/etc/dropbear/dropbear_rsa_host_key"))
            #expect(try guest.contents("/srv/log/messages") == "")
            #expect(try guest.contents("/mnt/keep") == "x")
            #expect(try !guest.exists("/mnt/logs/victim"))
            #expect(try !guest.exists("/var/cache/apk/a.apk"))
            #expect(try !guest.exists("/root/.ash_history"))
            try guest.inject(
                system.system, Injection(firstBootScripts: ["#!/bin/sh\n"], hostName: .set("golden")), &result.journal)
            #expect(try guest.contents("/etc/hostname") == "golden\n")
            #expect(try guest.contents("/etc/hosts")?.hasPrefix("127.0.1.1 builder\n") == true)
            #expect(try guest.isLink("/etc/runlevels/default/ingot-first-boot"))
            #expect(try guest.packages(of: system).map(\.name) == ["musl"])
            try guest.unmountAll()
            try guest.shrink(found, guest.fileSystems(), Shrinking(), room: 0, &result.journal)
            return result
        }
        let warnings = outcome.journal.warnings
        #expect(warnings.count == 5, "\(warnings)")
        // Nothing would make host keys there, and the list of hosts would lose its end.
        for words in [
            "OpenSSH's host keys were kept", "Dropbear's host keys were kept", "relative was not removed",
            "/etc/hosts is longer than 4 MiB", "/data (/dev/sda1) could not be mounted",
        ] { #expect(warnings.contains { $0.contains(words) }, "\(words)") }
    }

    @Test("disks whose last file system is an ext4 get as small as it can be, others keep their size and say why")
    func minimum() async throws {
        let scratch = try Scratch()
        let tree = scratch.folder + "/tree"
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try Data(repeating: 65, count: 40 << 20).write(to: URL(fileURLWithPath: tree + "/large"))
        let disks = ["large", "whole", "swap"].map {
            GuestDisk(path: "\(scratch.folder)/\($0).raw", format: "raw")
        }
        let table = "label: gpt\\nstart=2048, size=2048\\nstart=4096, size=1222656\\n"
        try await scratch.run(
            "sh", "-ec",
            """
            cd \(scratch.folder)
            truncate -s 600M large.raw; truncate -s 500M whole.raw; truncate -s 64M swap.raw
            printf '\(table)' | sfdisk -q large.raw
            mke2fs -q -t ext4 -F -E offset=2097152 -d tree large.raw 611328k
            mke2fs -q -t ext4 -F whole.raw
            printf 'label: dos\\nstart=2048, type=82\\n' | sfdisk -q swap.raw
            truncate -s 63M area; mkswap -q area; dd if=area of=swap.raw bs=1M seek=1 conv=notrunc status=none
            """)
        let options = FinishOptions(shrinking: Shrinking(resizesToMinimum: true))
        let result = try await finish(disks, options, settings)
        #expect(result.diskSizes.count == 3)
        let sizes = result.diskSizes.map { ($0 ?? 0) >> 20 }
        // 40 MiB of content, 64 to start with, and what the file system itself takes.
        #expect((105...200).contains(sizes[0]) && (65...160).contains(sizes[1]) && sizes[2] == 0, "\(sizes)")
        #expect(result.journal.warnings.count == 1)
        #expect(
            result.journal.warnings.first?.contains("/dev/sdc keeps its size: its last partition contains swap") == true
        )
        for (disk, size) in zip(disks, result.diskSizes) {
            guard let size else { continue }
            try await scratch.run("qemu-img", "resize", "-q", "-f", "raw", "--shrink", disk.path, String(size))
        }
        let raw = disks[0].path
        try await scratch.run("sh", "-c", "sfdisk --verify \(raw) 2>&1 | grep -q 'No errors detected'")
        try await scratch.run("dd", "if=\(raw)", "of=\(raw).2", "bs=1M", "skip=2", "status=none")
        try await scratch.run("e2fsck", "-fn", raw + ".2")
        try await scratch.run("sh", "-c", "debugfs -R 'stat /large' \(raw).2 2>&1 | grep -q 'Size: 41943040'")
        try await scratch.run("e2fsck", "-fn", disks[1].path)
    }

    @Test("encrypted disks and a hibernated Windows are reported and not changed")
    func withoutSystem() async throws {
        let scratch = try Scratch()
        // cryptsetup needs no appliance to write a header.
        let locked = GuestDisk(path: scratch.folder + "/locked.raw", format: "raw")
        try await scratch.run("qemu-img", "create", "-q", "-f", "raw", locked.path, "64M")
        try await scratch.run(
            "sh", "-c",
            "echo pass | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
                + locked.path)
        let hibernated = GuestDisk(path: scratch.folder + "/hibernated.raw", format: "raw")
        try await scratch.run("qemu-img", "create", "-q", "-f", "raw", hibernated.path, "32M")
        try await scratch.run(
            "sh", "-c",
            "mkntfs -F -Q -q -s 512 -p 0 \(hibernated.path) 2>&1; "
                + "{ printf hibr; head -c 8188 /dev/zero; } >\(scratch.folder)/hiberfil && "
                + "ntfscp -f -q \(hibernated.path) \(scratch.folder)/hiberfil hiberfil.sys")
        let before = try Data(contentsOf: URL(filePath: hibernated.path))
        let result = try await finish(
            [locked, hibernated], FinishOptions(shrinking: Shrinking(), inspects: true), settings)
        #expect(result.report?.fileSystems.map(\.kind).sorted() == ["crypto_LUKS", "ntfs"])
        #expect(result.report?.systems.isEmpty == true)
        #expect(result.journal.warnings.contains { $0.contains("is encrypted, and its passphrase is not known") })
        #expect(result.journal.warnings.contains { $0.contains("hibernated") }, "\(result.journal.warnings)")
        #expect(try Data(contentsOf: URL(filePath: hibernated.path)) == before)
    }
}

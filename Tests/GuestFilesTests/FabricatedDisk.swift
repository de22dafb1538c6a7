import Foundation
import GuestFiles
import Processes
import Scopes
import Testing

/// Disks made on this host, without a machine or an appliance.
final class Scratch: Sendable {
    let folder: String

    init() throws {
        var template = Array("\(NSTemporaryDirectory())/guest-files-XXXXXX".utf8CString)
        folder = try template.withUnsafeMutableBufferPointer { buffer in
            String(cString: try #require(buffer.baseAddress.flatMap { mkdtemp($0) }))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func run(_ program: String, _ arguments: String...) async throws {
        let output = OutputText()
        let exit = try await runProcess(program, arguments) { output.add($0.text) }
        if !exit.isSuccess {
            throw BuildError("run \(program)", because: "\(exit)\n" + output.lines.joined(separator: "\n"))
        }
    }

    func emptyDisk(_ name: String, megabytes: Int) async throws -> GuestDisk {
        let disk = GuestDisk(path: "\(folder)/\(name).qcow2", format: "qcow2")
        try await run("qemu-img", "create", "-q", "-f", "qcow2", disk.path, "\(megabytes)M")
        return disk
    }

    /// A qcow2 disk with an MBR, an ext4 root made of `files`, and a swap partition.
    ///
    /// - Parameter ballast: Megabytes of a deleted file that still lie in the root's free blocks.
    func linuxDisk(_ name: String, _ files: [(path: String, text: String)], ballast: Int) async throws -> GuestDisk {
        let tree = "\(folder)/\(name)"
        for file in files {
            let path = tree + file.path
            try FileManager.default.createDirectory(
                atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), withIntermediateDirectories: true)
            try file.text.write(toFile: path, atomically: false, encoding: .utf8)
        }
        for folder in ["bin", "dev", "proc", "tmp", "var/log"] {
            try FileManager.default.createDirectory(atPath: "\(tree)/\(folder)", withIntermediateDirectories: true)
        }
        let raw = "\(folder)/\(name).raw"
        #expect(FileManager.default.createFile(atPath: raw, contents: nil))
        #expect(truncate(raw, 160 << 20) == 0)
        // The ballast is written first; the file system made over it without discarding leaves it in its free blocks.
        let noise = Data((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
        let file = try #require(FileHandle(forWritingAtPath: raw))
        try file.seek(toOffset: 64 << 20)
        for _ in 0..<ballast { try file.write(contentsOf: noise) }
        try file.close()
        let table = "\(folder)/\(name).table"
        try "label: dos\nstart=2048, size=292864, type=83, bootable\nstart=294912, size=32768, type=82\n".write(
            toFile: table, atomically: false, encoding: .utf8)
        try await run("sh", "-c", "sfdisk -q \(raw) <\(table)")
        try await run(
            "mke2fs", "-q", "-t", "ext4", "-F", "-E", "offset=1048576,nodiscard", "-d", tree, raw, "146432k")
        let swap = "\(folder)/\(name).swap"
        #expect(FileManager.default.createFile(atPath: swap, contents: nil))
        #expect(truncate(swap, 16 << 20) == 0)
        try await run("mkswap", "-q", "-L", "old-swap", "-U", "11111111-2222-3333-4444-555555555555", swap)
        try await run("dd", "if=\(swap)", "of=\(raw)", "bs=512", "seek=294912", "conv=notrunc", "status=none")
        let disk = GuestDisk(path: "\(folder)/\(name).qcow2", format: "qcow2")
        try await run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk.path)
        try FileManager.default.removeItem(atPath: raw)
        return disk
    }

    /// Checks the file system of a disk made by `linuxDisk`, and copies it to a folder.
    func extract(_ disk: GuestDisk) async throws -> String {
        let raw = disk.path + ".raw"
        let tree = disk.path + ".tree"
        try await run("qemu-img", "convert", "-O", "raw", disk.path, raw)
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        try await run("sh", "-c", "dd if=\(raw) of=\(raw).root bs=1M skip=1 count=143 status=none")
        try await run("e2fsck", "-fn", raw + ".root")
        try await run("debugfs", "-R", "rdump / \(tree)", raw + ".root")
        try await run("sh", "-c", "blkid -p -o export -O \(294912 * 512) \(raw) > \(tree)/swap.blkid")
        return tree
    }

    /// Bytes that a disk's file takes on this host.
    func space(of disk: GuestDisk) throws -> Int {
        var status = stat()
        try #require(stat(disk.path, &status) == 0)
        return Int(status.st_blocks) * 512
    }
}

/// The layout of a small Debian, as much of it as finishing looks at.
enum FabricatedDebian {
    static let buildKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBuildBuildBuildBuild ingot build"
    static let ownKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOwnOwnOwnOwnOwnOwn jo@example.org"

    static let files: [(path: String, text: String)] = [
        ("/usr/lib/os-release", osRelease), ("/etc/os-release", osRelease), ("/etc/debian_version", "13.1\n"),
        ("/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n"), ("/etc/hostname", "builder\n"),
        ("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tbuilder\n"),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\njo:x:1000:1000::/home/jo:/bin/bash\n"),
        ("/etc/group", "root:x:0:\njo:x:1000:\n"), ("/etc/shadow", "root:$y$j9T$abc:1::::::\njo::1::::::\n"),
        ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("/etc/ssh/ssh_host_ed25519_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
        ("/etc/ssh/ssh_host_ed25519_key.pub", "ssh-ed25519 AAAA\n"), ("/etc/ssh/sshd_config", "Port 22\n"),
        ("/usr/sbin/sshd", "#!"), ("/usr/sbin/dropbear", "#!"), ("/usr/bin/dropbearkey", "#!"),
        ("/usr/lib/systemd/system/dropbear.service", "[Service]\nExecStart=/usr/sbin/dropbear -EF\n"),
        ("/etc/dropbear/dropbear_rsa_host_key", "x"),
        // A secret at the end of what is too large to be searched whole.
        ("/opt/own/large", String(repeating: "large ", count: 600_000) + "S3cretToken"),
        ("/usr/bin/ssh-keygen", "#!"), ("/usr/lib/systemd/systemd", "#!"),
        ("/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n"),
        ("/root/.ssh/authorized_keys", buildKey + "\n"), ("/root/.bash_history", "secret things\n"),
        ("/home/jo/.ssh/authorized_keys", "\(ownKey)\n\(buildKey)\n"), ("/home/jo/notes", "token=S3cretToken\n"),
        ("/var/log/syslog", "words\n"), ("/var/log/syslog.1", "old words\n"), ("/var/log/apt/history.log", "x\n"),
        ("/var/log/journal/0123/system.journal", "x"), ("/var/lib/dhcp/dhclient.eth0.leases", "lease {}\n"),
        ("/var/lib/systemd/random-seed", "x"), ("/var/lib/cloud/instance/user-data.txt", "x"),
        ("/var/cache/apt/archives/bash_5_amd64.deb", "x"), ("/var/lib/apt/lists/deb.debian.org_x_Packages", "x"),
        ("/var/lib/dpkg/status", BillOfMaterialsTests.dpkgStatus), ("/opt/own/remove-me", "x"), ("/opt/own/keep", "x"),
        ("/etc/ssl/own.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"), ("/tmp/left", "x"),
        ("/lib/modules/6.12.1-amd64/modules.dep", ""), ("/swapfile", String(repeating: "old swap ", count: 100_000)),
        ("/etc/cloud/cloud.cfg", ""),
    ]
    private static let osRelease = """
        PRETTY_NAME="Debian GNU/Linux 13 (trixie)"
        NAME="Debian GNU/Linux"
        VERSION_ID="13"
        ID=debian

        """
}

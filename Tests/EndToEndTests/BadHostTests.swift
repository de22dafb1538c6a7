import Foundation
import Testing

@Suite("ingot on a host that fails it", .serialized)
struct BadHostTests {
    @Test("a file system that fills up while the disk is compacted costs the compaction, not the image")
    func fullDuringCompaction() async throws {
        let bench = try Workbench()
        let small = try SmallFileSystem(at: bench.path + "/small", mebibytes: 48)
        try bench.write(
            Guest.template(
                source: "  output_directory = \"small/output\"",
                build: shell(
                    "dd if=/dev/urandom of=/dev/vda bs=1M count=28 && printf whole | dd of=/dev/vda conv=notrunc")
            ), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-no-checkpoints", "t.pkr.hcl")
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("the image stays as large as it is") && run.output.contains("no room"))
        let names = try FileManager.default.contentsOfDirectory(atPath: small.path)
        #expect(names == ["output"])
        let image = small.path + "/output/packer-guest"
        let raw = try await command("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", image, bench.path + "/raw"])
        #expect(raw.status == 0, "\(raw.output)")
        let disk = try #require(FileHandle(forReadingAtPath: bench.path + "/raw"))
        #expect(try disk.read(upToCount: 5) == Data("whole".utf8))
    }

    @Test("a file system that fills up while the guest writes ends the build at once, with the reason")
    func fullWhileRunning() async throws {
        let bench = try Workbench()
        let small = try SmallFileSystem(at: bench.path + "/small", mebibytes: 16)
        try bench.write(
            Guest.template(
                source: "  output_directory = \"small/output\"",
                build: shell("dd if=/dev/urandom of=/dev/vda bs=1M count=40; sync; sleep 600")), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "-no-checkpoints", "t.pkr.hcl")
        #expect(run.status == 1)
        #expect(run.output.contains("no room is left where its disk image is"), "\(run.output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: small.path) == [])
        #expect(machines(mentioning: bench.path).isEmpty)
    }

    @Test("what the guest asked for in vain is told when the wait for SSH ends")
    func missingAnswerFile() async throws {
        let bench = try Workbench()
        try bench.write("x", to: "http/other")
        try bench.write(
            Guest.template(
                parameters: "sshd=no answer=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg",
                source: "  http_directory = \"http\"\n  ssh_timeout = \"25s\""), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        let report = run.output.components(separatedBy: "errored after").last ?? ""
        #expect(report.contains("GET /preseed.cfg 404"), "\(run.output)")
        #expect(report.contains("no answer file"), "the screen is missing in:\n\(run.output)")
    }

    @Test("files that cannot be read are told before anything starts")
    func unreadableFiles() async throws {
        let bench = try Workbench()
        try bench.write("no key", to: "key")
        try bench.write("", to: "folder/file")
        try bench.write(
            Guest.template(
                source: "  ssh_password = \"\"\n  ssh_private_key_file = \"key\"",
                build: "  provisioner \"shell\" {\n    script = \"folder\"\n  }"), to: "t.pkr.hcl")
        let run = try await bench.ingot("build", "t.pkr.hcl")
        #expect(run.status == 1)
        #expect(run.output.contains("“folder”, given by script, is a folder"), "\(run.output)")
        #expect(run.output.contains("“key”, given by ssh_private_key_file, is not a private key"), "\(run.output)")
        #expect(!run.output.contains("Booting"))
    }
}

/// A file system in memory, unmounted with the object. Mounting needs root.
private final class SmallFileSystem {
    let path: String

    init(at path: String, mebibytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}

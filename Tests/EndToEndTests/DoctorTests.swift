import Foundation
import Testing

@Suite("ingot doctor", .serialized)
struct DoctorTests {
    @Test("a host that can build gets a machine that is started, frozen and restored")
    func goodHost() async throws {
        let bench = try Workbench()
        let run = try await bench.ingot("doctor", environment: ["INGOT_CHECKPOINTS": bench.path + "/kept"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains(/ok +machine +starts with/), "\(run.output)")
        #expect(run.output.contains(/ok +checkpoints +a machine was frozen and restored/), "\(run.output)")
        #expect(run.output.contains(/ok +room for checkpoints .*\/kept\n/), "\(run.output)")
    }

    @Test("programs that are missing are named with what they are for, and libvirt is not blamed for QEMU")
    func missingPrograms() async throws {
        let bench = try Workbench()
        let run = try await bench.ingot(
            "doctor", environment: ["PATH": bench.path, "INGOT_CHECKPOINTS": "/proc/store"])
        #expect(run.status == 1)
        #expect(run.output.contains(/missing +QEMU .*\n +→ .*qemu/), "\(run.output)")
        #expect(run.output.contains(/ok +libvirt/), "\(run.output)")
        #expect(run.output.contains(/missing +qemu-img .*every disk image/), "\(run.output)")
        #expect(run.output.contains(/warning +ssh .*ingot shell.*\n +→ .*openssh/), "\(run.output)")
        #expect(run.output.contains(/warning +room for checkpoints .*\n +→ .*\/proc\/store/), "\(run.output)")
    }

    @Test(
        "a part of libvirt that is missing is named by what it costs, with the package that brings it",
        arguments: [
            ("storage-file", "checkpoints", "missing storage backend"),
            ("connection-driver", "libvirt", "no connection driver"),
        ])
    func missingParts(folder: String, subject: String, words: String) async throws {
        let path = try #require(
            ["/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"].map { "\($0)/libvirt/\(folder)" }
                .first(where: FileManager.default.fileExists))
        // In a name space of its own, which needs root, an empty folder hides the part.
        let run = try await command(
            "unshare", ["-m", "sh", "-c", "mount -t tmpfs none \(path) && exec \(IngotRun.program) doctor"])
        let line = run.output.split(separator: "\n").first { $0.contains(words) } ?? ""
        #expect(line.contains(" \(subject) ") && !line.hasPrefix("ok"), "\(run.output)")
        #expect(run.output.contains(/→ .*(libvirt-daemon|pacman -S libvirt)/), "\(run.output)")
    }
}

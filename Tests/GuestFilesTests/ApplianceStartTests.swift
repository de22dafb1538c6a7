import Foundation
import GuestFiles
import Scopes
import Testing

/// Of the same suite, since its tests may not run at once.
extension ApplianceTests {
    @Test("the error for a damaged image is QEMU's message")
    func damaged() async throws {
        let scratch = try Scratch()
        let disk = GuestDisk(path: scratch.folder + "/damaged.qcow2", format: "qcow2")
        try Data(repeating: 7, count: 1 << 20).write(to: URL(fileURLWithPath: disk.path))
        await #expect {
            try await finish([disk], FinishOptions(inspects: true), settings)
        } throws: { error in
            "\(error)".contains("not in qcow2 format") && "\(error)".contains("qemu-img check")
        }
        await #expect {
            try await finish(
                [GuestDisk(path: "/nowhere/x.raw", format: "raw")], FinishOptions(inspects: true), settings)
        } throws: { error in
            "\(error)".contains("No such file")
        }
    }

    @Test("without an appliance the error says what to install")
    func noAppliance() async throws {
        let scratch = try Scratch()
        let disk = try await scratch.emptyDisk("empty", megabytes: 1)
        var settings = settings
        settings.searchPath = scratch.folder
        await #expect {
            try await finish([disk], FinishOptions(inspects: true), settings)
        } throws: { error in
            "\(error)".contains("LIBGUESTFS_PATH")
        }
    }

    @Test(
        "without room for the appliance the error says where room is missing",
        .enabled(if: getuid() == 0, "needs to mount"))
    func noRoom() async throws {
        let scratch = try Scratch()
        let disk = try await scratch.emptyDisk("empty", megabytes: 1)
        let small = scratch.folder + "/small"
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        try await scratch.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small)
        var settings = settings
        settings.cacheFolder = small
        let outcome = await result { try await finish([disk], FinishOptions(inspects: true), settings) }
        try await scratch.run("umount", small)
        #expect(throws: BuildError.self) { try outcome.get() }
        if case .failure(let error) = outcome { #expect("\(error)".contains("Free some space"), "\(error)") }
    }

    @Test("cancelling and a deadline end the appliance at once and leave nothing behind")
    func cancellation() async throws {
        let scratch = try Scratch()
        let disk = try await scratch.emptyDisk("empty", megabytes: 1)
        var settings = settings
        settings.temporaryFolder = scratch.folder
        let work = Task { [settings] in try await finish([disk], FinishOptions(inspects: true), settings) }
        try await Task.sleep(for: .seconds(3))
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
        settings.startLimit = .seconds(2)
        let hurried = settings
        await #expect(throws: TimedOut.self) { _ = try await finish([disk], FinishOptions(inspects: true), hurried) }
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.folder)
        #expect(left == ["empty.qcow2"])
        #expect(try processes(naming: scratch.folder).isEmpty)
    }

    @Test("cancelling an appliance that waits for another to start leaves that one alone")
    func twoAppliances() async throws {
        let scratch = try Scratch()
        let disks = [
            try await scratch.emptyDisk("first", megabytes: 1), try await scratch.emptyDisk("second", megabytes: 1),
        ]
        // It stands for the one that the first appliance may be building with.
        let supermin = scratch.folder + "/supermin"
        try await scratch.run("cp", "/bin/sleep", supermin)
        let other = Task { try await scratch.run(supermin, "60") }
        let first = Task { try await finish([disks[0]], FinishOptions(inspects: true), settings) }
        try await Task.sleep(for: .seconds(1))
        let second = Task { try await finish([disks[1]], FinishOptions(inspects: true), settings) }
        try await Task.sleep(for: .seconds(2))
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(try processes(naming: supermin).count == 1)
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        other.cancel()
        _ = await other.result
    }

    private func processes(naming folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil, let words = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            return String(decoding: words, as: UTF8.self).contains(folder)
        }
    }
}

private func result<Value>(_ body: () async throws -> Value) async -> Result<Value, any Error> {
    do { return .success(try await body()) } catch { return .failure(error) }
}

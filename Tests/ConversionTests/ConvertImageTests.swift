import Conversion
import DiskImages
import Foundation
import Scopes
import Synchronization
import Testing
import VMA

private func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "ingot-convert-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }  // What is left of a test's folder harms nobody.
    return try await body(path)
}

/// What converting says, empty when it succeeds.
private func refusal(_ conversion: ConvertImage) async -> String {
    do {
        _ = try await conversion.run { _, _ in }
        return ""
    } catch { return "\(error)" }
}

/// A raw disk of 4 MiB with something at both ends.
private func makeRaw(_ path: String) throws -> Data {
    var data = Data(count: 4 << 20)
    for index in 0..<100_000 { data[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 9) }
    data[data.count - 1] = 1
    try data.write(to: URL(filePath: path))
    return data
}

@Suite struct ConvertImageTests {
    @Test("an input that is cut off, empty, or not what its name says is refused")
    func implausible() async throws {
        try await withScratch { folder in
            _ = try makeRaw(folder + "/in.raw")
            #expect(await refusal(ConvertImage(input: folder + "/in.raw", output: folder + "/a.qcow2")) == "")
            let whole = try Data(contentsOf: URL(filePath: folder + "/a.qcow2"))
            try whole.prefix(whole.count - 128 * 1024).write(to: URL(filePath: folder + "/cut.qcow2"))
            try Data().write(to: URL(filePath: folder + "/empty.raw"))
            try Data(repeating: 7, count: 4096).write(to: URL(filePath: folder + "/script.qcow2"))
            for (name, reason) in [
                ("cut.qcow2", "check the disk"), ("empty.raw", "the input is empty"),
                ("script.qcow2", "content is not qcow2"),
            ] {
                let words = await refusal(ConvertImage(input: "\(folder)/\(name)", output: folder + "/out.raw"))
                #expect(words.contains(reason), "\(words)")
                #expect(!FileManager.default.fileExists(atPath: folder + "/out.raw"))
            }
        }
    }

    @Test(
        "raw into every format and back gives the same bytes",
        arguments: ["a.qcow2", "a.vmdk", "a.vdi", "a.vhdx", "a.vhd", "a.vma", "a.vma.zst", "a.img"])
    func roundTrip(name: String) async throws {
        try await withScratch { folder in
            let data = try makeRaw(folder + "/in.raw")
            let phases = Mutex<[ConvertImage.Phase: Double]>([:])
            let there = try await ConvertImage(input: folder + "/in.raw", output: "\(folder)/\(name)").run {
                phase, part in phases.withLock { $0[phase] = part }
            }
            #expect(
                there.inputFormat == .raw && there.size == 4 << 20 && there.outputFormat == ImageFormat(ending: name))
            if !["a.vdi", "a.vhdx"].contains(name) { #expect(there.occupied < 1 << 20) }
            #expect(phases.withLock { $0[.writing] == 1 && $0[.verifying] == 1 })
            let back = try await ConvertImage(input: "\(folder)/\(name)", output: folder + "/back.raw").run { _, _ in }
            #expect(back.inputFormat == ImageFormat(ending: name) && back.outputFormat == .raw)
            #expect(back.verifying > .zero)
            let isSame = FileManager.default.contents(atPath: folder + "/back.raw")?.prefix(data.count) == data
            #expect(isSame)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.sorted() == [name, "back.raw", "in.raw"].sorted())
        }
    }

    @Test("a compressed qcow2 goes into an archive with its machine, and the archive's disk into a compressed qcow2")
    func compressed() async throws {
        try await withScratch { folder in
            let data = try makeRaw(folder + "/in.raw")
            var first = ConvertImage(input: folder + "/in.raw", output: folder + "/a.qcow2")
            first.isCompressed = true
            first.compressionType = "zstd"
            _ = try await first.run { _, _ in }
            var second = ConvertImage(input: folder + "/a.qcow2", output: folder + "/web.vma.zst")
            second.device = "drive-virtio0"
            _ = try await second.run { _, _ in }
            let header = try await listArchive(folder + "/web.vma.zst")
            #expect(header.devices.map(\.name) == ["drive-virtio0"])
            let config = String(decoding: header.configs.first?.content ?? Data(), as: UTF8.self)
            #expect(config.contains("name: web\n") && config.contains("size=4M\n") && config.contains("virtio0: "))
            #expect(restoreProblems(header.configs, devices: ["drive-virtio0"]).isEmpty)
            var third = ConvertImage(input: folder + "/web.vma.zst", output: folder + "/b.qcow2")
            third.isCompressed = true
            _ = try await third.run { _, _ in }
            _ = try await ConvertImage(input: folder + "/b.qcow2", output: folder + "/b.raw").run { _, _ in }
            let isSame = FileManager.default.contents(atPath: folder + "/b.raw") == data
            #expect(isSame)
        }
    }

    @Test("an overlay is copied with what lies under it, and that is said", arguments: ["o.qcow2", "o.vma"])
    func overlay(name: String) async throws {
        try await withScratch { folder in
            let data = try makeRaw(folder + "/base.raw")
            try await QemuImg().create(
                folder + "/top.qcow2", format: "qcow2", size: nil, backing: (folder + "/base.raw", "raw"))
            let outcome = try await ConvertImage(input: folder + "/top.qcow2", output: "\(folder)/\(name)").run {
                _, _ in
            }
            #expect(outcome.backingFile == folder + "/base.raw")
            _ = try await ConvertImage(input: "\(folder)/\(name)", output: folder + "/out.raw").run { _, _ in }
            let isSame = FileManager.default.contents(atPath: folder + "/out.raw") == data
            #expect(isSame)
        }
    }

    @Test("an output that exists stays, unless it may be replaced")
    func existing() async throws {
        try await withScratch { folder in
            _ = try makeRaw(folder + "/in.raw")
            try Data("former".utf8).write(to: URL(filePath: folder + "/out.qcow2"))
            var conversion = ConvertImage(input: folder + "/in.raw", output: folder + "/out.qcow2")
            #expect(await refusal(conversion).contains("Add --force"))
            #expect(FileManager.default.contents(atPath: folder + "/out.qcow2") == Data("former".utf8))
            conversion.replaces = true
            #expect(await refusal(conversion) == "")
            conversion.output = folder + "/in.raw"
            #expect(await refusal(conversion).contains("same file"))
            conversion.output = folder + "/folder.raw"
            mkdir(conversion.output, 0o755)
            #expect(await refusal(conversion).contains("is not a regular file"))
        }
    }

    @Test("what cannot be done is refused with what to do instead")
    func refusals() async throws {
        try await withScratch { folder in
            _ = try makeRaw(folder + "/in.raw")
            func attempt(_ output: String, _ change: (inout ConvertImage) -> Void) async -> String {
                var conversion = ConvertImage(input: folder + "/in.raw", output: "\(folder)/\(output)")
                change(&conversion)
                return await refusal(conversion)
            }
            #expect(await attempt("x.iso") { _ in }.contains("give --format"))
            #expect(await attempt("x.raw") { $0.isCompressed = true }.contains("cannot be compressed"))
            #expect(await attempt("x.vma") { $0.isCompressed = true }.contains("Name it .vma.zst"))
            #expect(await attempt("x.qcow2") { $0.compressionType = "zstd" }.contains("Add --compress"))
            #expect(await attempt("x.qcow2") { $0.level = 3 }.contains("only archives take"))
            #expect(await attempt("x") { $0.outputFormat = .gzip }.contains("cannot be written"))
            #expect(await attempt("x.raw") { $0.input = folder + "/none" }.contains("No such file"))
            #expect(await attempt("x.raw") { $0.inputFormat = .qcow2 }.contains("not in qcow2 format"))
            let archive = folder + "/two.vma"
            let disk = try RawDisk(folder + "/in.raw")
            try await CreateArchive(configs: [], disks: [("a", disk), ("b", disk)], compression: .none)
                .write(to: archive)
            let several = await attempt("x.raw") { $0.input = archive }
            #expect(several.contains("contains a, b") && several.contains("--device"))
            #expect(await attempt("x.raw") { ($0.input, $0.device) = (archive, "c") }.contains("contains a, b"))
            #expect(await attempt("x.raw") { ($0.input, $0.device) = (archive, "b") } == "")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["in.raw", "two.vma", "x.raw"])
        }
    }

    @Test("a copy that differs from its input is not kept")
    func unfaithful() async throws {
        try await withScratch { folder in
            _ = try makeRaw(folder + "/in.raw")
            let script = """
                #!/bin/sh
                case "$1" in
                compare) exit 1;;
                *) exec qemu-img "$@";;
                esac
                """
            try Data(script.utf8).write(to: URL(filePath: folder + "/stand-in"))
            chmod(folder + "/stand-in", 0o755)
            var conversion = ConvertImage(input: folder + "/in.raw", output: folder + "/out.qcow2")
            conversion.qemuImg = QemuImg(binary: folder + "/stand-in")
            #expect(await refusal(conversion).contains("they differ"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["in.raw", "stand-in"])
        }
    }
}

import DiskImages
import Foundation
import Processes
import Scopes
import Testing

private func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "ingot-content-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }  // What is left of a test's folder harms nobody.
    return try await body(path)
}

private func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

private func run(_ script: String, in folder: String) async throws {
    let exit = try await runProcess("sh", ["-ec", script], workingDirectory: folder) { line in
        if line.isError { print(line.text) }
    }
    try #require(exit.isSuccess, "\(script)")
}

/// A sparse raw disk of 6 MiB and 1.5 KiB: noise, text and stored zeroes, with holes between.
private func makeDisk(_ path: String) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 6 << 20 | 1536)
    var state: UInt64 = 1
    for index in 0..<300_000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        bytes[70_000 + index] = UInt8(truncatingIfNeeded: state >> 33)
        bytes[(3 << 20) + index] = UInt8(truncatingIfNeeded: index >> 6)
    }
    bytes[bytes.count - 1] = 9
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(file) }
    #expect(ftruncate(file, off_t(bytes.count)) == 0)
    for range in [65536..<458_752, 3 << 20..<(3 << 20) + 1_000_000, bytes.count - 1024..<bytes.count] {
        let written = bytes[range].withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(range.lowerBound)) }
        #expect(written == range.count)
    }
    return bytes
}

/// A failed expectation would print all of the bytes.
private func isSame(_ first: [UInt8], _ second: [UInt8]) -> Bool { first == second }

/// All of a disk, by its data ranges alone, in steps that fit no cluster.
private func read(_ disk: any DiskContent, step: UInt64 = 777_216) throws -> [UInt8] {
    var result = [UInt8](repeating: 0, count: Int(disk.size))
    var position: UInt64 = 0
    while position < disk.size {
        let end = min(position + step, disk.size)
        guard let data = try disk.data(in: position..<end) else {
            position = end
            continue
        }
        #expect(data.lowerBound >= position && data.upperBound <= end && !data.isEmpty)
        try result.withUnsafeMutableBytes {
            try disk.read(
                at: data.lowerBound,
                into: UnsafeMutableRawBufferPointer(rebasing: $0[Int(data.lowerBound)..<Int(data.upperBound)]))
        }
        position = data.upperBound
    }
    return result
}

@Suite struct ContentTests {
    @Test("a raw disk's holes are known, and its size is whole sectors")
    func raw() async throws {
        try await withScratch { folder in
            let bytes = try makeDisk(folder + "/raw")
            let disk = try RawDisk(folder + "/raw")
            #expect(disk.size == UInt64(bytes.count))
            #expect(isSame(try read(disk), bytes))
            #expect(try disk.data(in: 1 << 20..<2 << 20) == nil)
            try Data([1, 2, 3]).write(to: URL(filePath: folder + "/odd"))
            let odd = try RawDisk(folder + "/odd")
            #expect(odd.size == 512)
            #expect(isSame(try read(odd), [1, 2, 3] + [UInt8](repeating: 0, count: 509)))
            #expect(await message { _ = try RawDisk(folder) }.contains("folder"))
            #expect(await message { _ = try RawDisk(folder + "/none") }.contains("No such file"))
            #expect(await message { _ = try RawDisk("/dev/null") }.contains("neither a file nor a block device"))
        }
    }

    @Test("a disk that got shorter while it was read is an error, not zeroes")
    func shrunk() async throws {
        try await withScratch { folder in
            _ = try makeDisk(folder + "/raw")
            let disk = try RawDisk(folder + "/raw")
            #expect(truncate(folder + "/raw", 4096) == 0)
            var buffer = [UInt8](repeating: 0, count: 8192)
            let said = await message { try buffer.withUnsafeMutableBytes { try disk.read(at: 65536, into: $0) } }
            #expect(said.contains("it got shorter"))
        }
    }

    @Test("an image that a machine writes to is refused")
    func locked() async throws {
        try await withScratch { folder in
            try await run("qemu-img create -q -f raw raw 1M", in: folder)
            let script =
                "import fcntl,os,struct,sys\nf=os.open(sys.argv[1],os.O_RDWR)\n"
                + "fcntl.fcntl(f,37,struct.pack('hhqqi',fcntl.F_RDLCK,0,101,1,0))\nprint('held',flush=True)\n"
                + "import time;time.sleep(60)"
            let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await runProcess("python3", ["-c", script, folder + "/raw"]) { _ in continuation.yield() }
            }
            for await _ in stream { break }
            #expect(await message { _ = try RawDisk(folder + "/raw") }.contains("open for writing"))
            holder.cancel()
            _ = await holder.result
            #expect(await message { _ = try RawDisk(folder + "/raw") } == "")
        }
    }

    @Test(
        "a qcow2 image of any kind is read as qemu-img reads it, and its holes are known",
        arguments: [
            "", "-c", "-o compat=0.10", "-c -o compat=0.10", "-o cluster_size=512", "-c -o cluster_size=4096",
            "-o cluster_size=2M", "-c -o cluster_size=2M", "-c -o compression_type=zstd", "-o lazy_refcounts=on",
            "-c -o compression_type=zstd,cluster_size=4096", "-S 0",
        ])
    func qcow2(options: String) async throws {
        try await withScratch { folder in
            let bytes = try makeDisk(folder + "/raw")
            try await run("qemu-img convert -f raw -O qcow2 \(options) raw q", in: folder)
            let disk = try #require(try Qcow2Disk.open(folder + "/q"))
            #expect(disk.size == UInt64(bytes.count))
            #expect(isSame(try read(disk), bytes))
            #expect(isSame(try read(disk, step: 512 * 3), bytes))
            if options != "-S 0", !options.contains("2M") { #expect(try disk.data(in: 1 << 20..<2 << 20) == nil) }
        }
    }

    @Test("zeroed, discarded, set-aside and snapshotted clusters are read as a guest reads them")
    func qcow2States() async throws {
        try await withScratch { folder in
            try await run(
                """
                qemu-img create -q -f qcow2 -o preallocation=metadata q 8M
                qemu-io -f qcow2 -c 'write -P 7 1M 300k' -c 'write -P 8 3M 64k' q >/dev/null
                qemu-img snapshot -c before q
                qemu-io -f qcow2 -c 'write -z 1M 64k' -c 'discard 3M 64k' -c 'write -P 9 5M 1k' q >/dev/null
                qemu-img convert -f qcow2 -O raw q raw
                """, in: folder)
            let disk = try #require(try Qcow2Disk.open(folder + "/q"))
            let expected = try #require(FileManager.default.contents(atPath: folder + "/raw").map { Array($0) })
            #expect(isSame(try read(disk), expected))
            // Space that is only set aside is a hole.
            #expect(try disk.data(in: 6 << 20..<8 << 20) == nil)
        }
    }

    @Test("images that only qemu-img reads are left to it, and come as a temporary raw disk")
    func unsupported() async throws {
        try await withScratch { folder in
            let bytes = try makeDisk(folder + "/raw")
            try await run(
                """
                qemu-img create -q -f qcow2 -b raw -F raw overlay
                qemu-img convert -f raw -O qcow2 -o extended_l2=on raw extended
                qemu-img convert -f raw -O qcow2 -o data_file=data raw external
                qemu-img convert -f raw -O vmdk raw vmdk
                """, in: folder)
            for name in ["overlay", "extended", "external"] {
                #expect(try Qcow2Disk.open("\(folder)/\(name)") == nil, "\(name)")
            }
            for (name, format) in [("overlay", ImageFormat.qcow2), ("vmdk", .vmdk)] {
                let opened = try await OpenedDisk.open("\(folder)/\(name)", format: format, temporaryIn: folder)
                #expect(isSame(Array(try read(opened.content).prefix(bytes.count)), bytes))
                let temporary = try #require(opened.temporary)
                opened.remove()
                #expect(!FileManager.default.fileExists(atPath: temporary))
            }
        }
    }

    @Test("a damaged qcow2 image is refused or read, never a crash")
    func damagedQcow2() async throws {
        try await withScratch { folder in
            _ = try makeDisk(folder + "/raw")
            try await run(
                "qemu-img convert -c -f raw -O qcow2 raw c; qemu-img convert -f raw -O qcow2 raw p", in: folder)
            var random = SystemRandomNumberGenerator()
            var refused = 0
            for name in ["c", "p"] {
                let good = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)").map { Array($0) })
                let first = Int(good[40..<48].reduce(0) { $0 << 8 | UInt64($1) })
                let second = Int(good[first..<first + 8].reduce(0) { $0 << 8 | UInt64($1) } & 0xFF_FFFF_FFFF)
                let places =
                    Array(0..<112) + Array(first..<first + 8) + Array(second..<second + 96)
                    + Array(stride(from: 0, to: good.count, by: good.count / 40))
                for place in places {
                    var bad = good
                    bad[place] ^= UInt8.random(in: 1...255, using: &random)
                    try Data(bad).write(to: URL(filePath: folder + "/bad"))
                    let said = await message {
                        guard let disk = try Qcow2Disk.open(folder + "/bad"), disk.size <= 1 << 30 else { return }
                        _ = try read(disk)
                    }
                    if !said.isEmpty { refused += 1 }
                }
                try Data(good.prefix(good.count / 2)).write(to: URL(filePath: folder + "/bad"))
                let cut = await message {
                    if let disk = try Qcow2Disk.open(folder + "/bad") { _ = try read(disk) }
                }
                #expect(cut.contains("it ends before") || cut.contains("damaged"), "\(cut)")
            }
            #expect(refused > 20)
        }
    }

    @Test("every format is known by its content, and an output's by its name")
    func formats() async throws {
        try await withScratch { folder in
            for format in [ImageFormat.raw, .qcow2, .vmdk, .vdi, .vhdx, .vpc, .qed, .parallels] {
                try await run("qemu-img create -q -f \(format.rawValue) disk 4M", in: folder)
                #expect(try ImageFormat(ofFile: folder + "/disk") == format)
                unlink(folder + "/disk")
            }
            try await run("qemu-img create -q -f vpc -o subformat=fixed,force_size=on fixed.vhd 4M", in: folder)
            #expect(try ImageFormat(ofFile: folder + "/fixed.vhd") == .vpc)
            try Data().write(to: URL(filePath: folder + "/empty"))
            #expect(try ImageFormat(ofFile: folder + "/empty") == .raw)
            try await run("echo hello | gzip > gz; echo hello | zstd -q > zst", in: folder)
            #expect(try ImageFormat(ofFile: folder + "/gz") == .gzip)
            #expect(try ImageFormat(ofFile: folder + "/zst") == .zstd)
        }
        #expect(ImageFormat(ending: "a/b.QCOW2") == .qcow2 && ImageFormat(ending: "x.img") == .raw)
        #expect(ImageFormat(ending: "x.vma.zst") == .vma && ImageFormat(ending: "x.vhd") == .vpc)
        #expect(ImageFormat(ending: "x.tar.zst") == nil && ImageFormat(ending: "qcow2.d/x") == nil)
    }

    @Test("two images with the same content compare as equal, and others do not")
    func compare() async throws {
        try await withScratch { folder in
            _ = try makeDisk(folder + "/raw")
            try await run(
                """
                qemu-img convert -f raw -O qcow2 raw same; cp same other
                qemu-io -f qcow2 -c 'write -P 1 2M 512' other >/dev/null
                """, in: folder)
            let qemuImg = QemuImg()
            try await qemuImg.compare(
                folder + "/raw", format: "raw", with: folder + "/same", secondFormat: "qcow2")
            let differ = await message {
                try await qemuImg.compare(
                    folder + "/raw", format: "raw", with: folder + "/other", secondFormat: "qcow2")
            }
            #expect(differ.contains("they differ"))
            let wrong = await message {
                try await qemuImg.compare(
                    folder + "/raw", format: "qcow2", with: folder + "/other", secondFormat: "qcow2")
            }
            #expect(wrong.contains("not in qcow2 format"))
        }
    }
}

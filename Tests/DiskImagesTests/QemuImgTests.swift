import DiskImages
import Foundation
import Scopes
import Synchronization
import Testing

private let mebibyte: Int64 = 1 << 20

private func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "ingot-disk-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

private func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

/// A raw disk of 8 MiB with something in its first and fifth.
private func makeRaw(_ path: String) throws -> Data {
    var data = Data(count: 8 << 20)
    for index in 0..<(1 << 20) {
        data[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 9)
        data[(5 << 20) + index] = UInt8(truncatingIfNeeded: index >> 4)
    }
    try data.write(to: URL(filePath: path))
    return data
}

/// A program that stands in for qemu-img where a real one cannot be made to fail.
private func standIn(_ folder: String, _ script: String) throws -> QemuImg {
    let path = folder + "/stand-in"
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return QemuImg(binary: path)
}

@Suite struct QemuImgTests {
    private let qemuImg = QemuImg()

    @Test("a disk is made with its format and size, grows, and is found whole")
    func createAndResize() async throws {
        try await withScratch { folder in
            let disk = folder + "/disk"
            try await qemuImg.create(disk, format: "qcow2", size: 4 * mebibyte, arguments: ["-o", "cluster_size=4096"])
            try await qemuImg.resize(disk, format: "qcow2", size: 6 * mebibyte)
            let info = try await qemuImg.info(disk)
            #expect(info.format == "qcow2" && info.virtualSize == 6 * mebibyte && info.backingFile == nil)
            try await qemuImg.check(disk, format: "qcow2")
            try await qemuImg.flush(disk)
            let shrunk = await message { try await qemuImg.resize(disk, format: "qcow2", size: mebibyte) }
            #expect(shrunk.contains("can only grow"))
        }
    }

    @Test("an overlay names its backing image and takes its size")
    func overlay() async throws {
        try await withScratch { folder in
            try await qemuImg.create(folder + "/base", format: "qcow2", size: 3 * mebibyte)
            try await qemuImg.create(
                folder + "/top", format: "qcow2", size: nil, backing: (folder + "/base", "qcow2"))
            let info = try await qemuImg.info(folder + "/top")
            #expect(info.virtualSize == 3 * mebibyte)
            #expect(info.backingFile == folder + "/base" && info.backingFormat == "qcow2")
        }
    }

    @Test("raw to compressed qcow2 and back gives the same bytes, with progress up to the end")
    func roundTrip() async throws {
        try await withScratch { folder in
            let data = try makeRaw(folder + "/raw")
            let progress = Mutex<[Double]>([])
            try await qemuImg.convert(
                folder + "/raw", sourceFormat: "raw", to: folder + "/small", format: "qcow2", isCompressed: true
            ) { fraction in progress.withLock { $0.append(fraction) } }
            try await qemuImg.convert(folder + "/small", sourceFormat: "qcow2", to: folder + "/back", format: "raw") {
                _ in
            }
            let back = try Data(contentsOf: URL(filePath: folder + "/back"))
            #expect(back == data)
            let seen = progress.withLock { $0 }
            #expect(seen.last == 1 && seen == seen.sorted())
            #expect(try await qemuImg.info(folder + "/small").actualSize < 2 * mebibyte)
            try await qemuImg.check(folder + "/small", format: "qcow2")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["back", "raw", "small"])
        }
    }

    @Test("a raw disk that claims to be a qcow2 over a host file is taken as raw when the caller says so")
    func disguisedDisk() async throws {
        try await withScratch { folder in
            let secret = folder + "/secret"
            _ = try makeRaw(secret)
            let disk = folder + "/disk"
            try await qemuImg.create(disk, format: "qcow2", size: nil, backing: (secret, "raw"))
            #expect(try await qemuImg.info(disk, format: "raw").backingFile == nil)
            try await qemuImg.convert(disk, sourceFormat: "raw", to: folder + "/out", format: "raw") { _ in }
            let (written, read) = (
                FileManager.default.contents(atPath: folder + "/out"), FileManager.default.contents(atPath: disk)
            )
            #expect(written?.prefix(4096) == read?.prefix(4096))
        }
    }

    @Test("an input that is not an image, or is not there, fails with a reason and leaves the former output alone")
    func failures() async throws {
        try await withScratch { folder in
            try Data("not a disk".utf8).write(to: URL(filePath: folder + "/text"))
            try Data("former".utf8).write(to: URL(filePath: folder + "/out"))
            let wrong = await message {
                try await qemuImg.convert(folder + "/text", sourceFormat: "qcow2", to: folder + "/out", format: "raw") {
                    _ in
                }
            }
            #expect(wrong.contains("Image is not in qcow2 format") && wrong.contains("leave the format out"))
            let missing = await message {
                try await qemuImg.convert(folder + "/none", to: folder + "/out", format: "raw") { _ in }
            }
            #expect(missing.contains("\(folder)/none") && missing.contains("No such file"))
            #expect(FileManager.default.contents(atPath: folder + "/out") == Data("former".utf8))
            #expect(!FileManager.default.fileExists(atPath: folder + "/out.partial"))
            let damaged = folder + "/damaged"
            try await qemuImg.create(damaged, format: "qcow2", size: mebibyte)
            let handle = try FileHandle(forUpdating: URL(filePath: damaged))
            // The first refcount block's address, of the table at cluster 1.
            try handle.seek(toOffset: 65536)
            try handle.write(contentsOf: Data([0, 0, 0, 0, 0, 0, 0, 1]))
            try handle.close()
            #expect(await message { try await qemuImg.check(damaged, format: "qcow2") } != "")
        }
    }

    @Test("a full disk is told as such, with the folder, and the partial output is removed")
    func noRoom() async throws {
        try await withScratch { folder in
            let full = try standIn(
                folder,
                """
                for last; do :; done
                echo half > "$last"
                echo 'qemu-img: error while writing at byte 0: No space left on device' >&2
                exit 1
                """)
            _ = try makeRaw(folder + "/raw")
            let text = await message {
                try await full.convert(folder + "/raw", sourceFormat: "raw", to: folder + "/out", format: "raw") { _ in
                }
            }
            #expect(text.contains("no room on \(folder)"))
            #expect(!FileManager.default.fileExists(atPath: folder + "/out.partial"))
        }
    }

    @Test("an image that is still locked is tried again")
    func locked() async throws {
        try await withScratch { folder in
            let image = try standIn(
                folder,
                """
                for last; do :; done
                if mkdir "\(folder)/tried" 2>/dev/null; then
                    echo 'qemu-img: Could not open: Failed to get "write" lock' >&2
                    exit 1
                fi
                echo done > "$last"
                """)
            _ = try makeRaw(folder + "/raw")
            try await image.convert(folder + "/raw", sourceFormat: "raw", to: folder + "/out", format: "raw") { _ in }
            #expect(FileManager.default.contents(atPath: folder + "/out") == Data("done\n".utf8))
        }
    }

    @Test("cancelling a conversion ends qemu-img and removes the partial output")
    func cancellation() async throws {
        try await withScratch { folder in
            let slow = try standIn(
                folder,
                """
                [ "$1" = convert ] || exec qemu-img "$@"
                for last; do :; done
                echo half > "$last"
                printf '    (10.00/100%%)\\r'
                sleep 300
                """)
            _ = try makeRaw(folder + "/raw")
            let (progress, continuation) = AsyncStream.makeStream(of: Double.self)
            let task = Task {
                defer { continuation.finish() }
                try await slow.convert(folder + "/raw", to: folder + "/out", format: "raw") { continuation.yield($0) }
            }
            for await fraction in progress {
                #expect(fraction == 0.1)
                break
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!FileManager.default.fileExists(atPath: folder + "/out.partial"))
        }
    }
}

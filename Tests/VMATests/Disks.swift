import DiskImages
import Foundation
import Synchronization
import VMA

/// A folder of the test's own, removed after it.
func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "ingot-vma-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }  // What is left of a test's folder harms nobody.
    return try await body(path)
}

func message(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

/// Numbers that are the same in every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) &* 0xBF58_476D_1CE4_E5B9
    }
}

/// A disk in memory with holes that fail to be read.
final class TestDisk: DiskContent {
    let bytes: [UInt8]
    let holes: [Range<UInt64>]
    let onRead: @Sendable (UInt64) throws -> Void
    let wasHoleRead = Mutex(false)

    var size: UInt64 { UInt64(bytes.count) }

    /// - Parameter parts: What is written, by its offset.
    init(
        size: Int, parts: [(offset: Int, bytes: [UInt8])],
        onRead: @escaping @Sendable (UInt64) throws -> Void = { _ in }
    ) {
        var bytes = [UInt8](repeating: 0, count: size)
        var holes: [Range<UInt64>] = []
        var end = 0
        for part in parts.sorted(by: { $0.offset < $1.offset }) {
            bytes.replaceSubrange(part.offset..<part.offset + part.bytes.count, with: part.bytes)
            // Whole blocks only, as file systems have them.
            let start = part.offset / 4096 * 4096
            if start > end { holes.append(UInt64(end)..<UInt64(start)) }
            end = max(end, min((part.offset + part.bytes.count + 4095) / 4096 * 4096, size))
        }
        if end < size { holes.append(UInt64(end)..<UInt64(size)) }
        self.bytes = bytes
        self.holes = holes
        self.onRead = onRead
    }

    func data(in range: Range<UInt64>) -> Range<UInt64>? {
        var start = range.lowerBound
        for hole in holes where hole.contains(start) { start = hole.upperBound }
        guard start < range.upperBound, start < size else { return nil }
        let next = holes.map(\.lowerBound).filter { $0 > start }.min() ?? size
        return start..<min(next, range.upperBound)
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        try onRead(offset)
        let range = offset..<offset + UInt64(buffer.count)
        if holes.contains(where: { $0.overlaps(range) }) { wasHoleRead.withLock { $0 = true } }
        buffer.copyBytes(from: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    /// Noise at some places, single bytes at others, and stored zeroes.
    static func sample(size: Int, seed: UInt64, parts: Int = 6) -> TestDisk {
        var random = Seeded(state: seed)
        var all: [(Int, [UInt8])] = []
        for part in 0..<parts {
            let offset = Int.random(in: 0..<size, using: &random)
            let length = min(part % 3 == 0 ? 1 : Int.random(in: 1...300_000, using: &random), size - offset)
            let zeroes = part % 3 == 1
            all.append(
                (offset, (0..<length).map { _ in zeroes ? 0 : UInt8.random(in: 1...255, using: &random) }))
        }
        // The disk's last byte, wherever it lies in its block.
        all.append((size - 1, [7]))
        return TestDisk(size: size, parts: all)
    }
}

let machine = ArchiveConfig(
    name: "qemu-server.conf", content: Data("name: test\n#qmdump#map:scsi0:drive-scsi0::raw:\n".utf8))

/// Whether a file holds just these bytes; a failed expectation would print all of them.
func holds(_ path: String, _ bytes: [UInt8]?) -> Bool {
    let found = contents(path)
    return found != nil && found == bytes
}

func contents(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

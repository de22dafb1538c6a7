import Foundation
import Testing

@Suite("ingot does without a checkpoint that is of no use", .serialized)
struct CheckpointDamageTests {
    @Test("a file of a checkpoint that is not as it was is told, and its stage is run again")
    func damage() async throws {
        let bench = try CheckpointBench()
        func write(_ third: String) throws {
            try bench.write(bench.stage(1, "one"), bench.stage(2, "two"), bench.stage(3, third))
        }
        try write("three")
        try await bench.build()
        var turn = 0
        for (stage, file, damage, reason) in Self.damages {
            turn += 1
            let title = "provisioner \(stage): shell"
            // The newest: an older one of the same stage has been replaced.
            let all = try await bench.checkpoints().filter { $0.stage == title && $0.damage.isEmpty }
            let folder = "\(bench.store)/\(try #require(all.last).id)"
            try damage.apply(to: folder + "/" + file)
            try write("turn-\(turn)")
            let run = try await bench.build()
            #expect(run.output.contains(reason), "\(damage) of \(file) after \(stage):\n\(run.output)")
            // What is damaged is run again, and nothing that comes before it.
            #expect(run.output.contains("ran 1 1") == (stage == 1), "\(damage) of \(file):\n\(run.output)")
            #expect(run.output.contains("ran 12 12") && run.output.contains("ran 123 123"))
            let image = try await ImageContent(bench.path + "/" + bench.image)
            #expect([image[1], image[2], image[3], image[40]] == ["one", "two", "turn-\(turn)", "123"])
        }
        try await bench.expectClean()
        let left = try await bench.checkpoints().filter { !$0.damage.isEmpty }
        #expect(left.isEmpty, "\(left)")
    }

    private static let damages: [(stage: Int, file: String, damage: Damage, reason: String)] = [
        (2, "memory.zst", .flipped, "is damaged: "),
        (2, "disk-0", .flipped, "the content of disk-0 changed"),
        (1, "disk-0", .flipped, "the content of disk-0 changed"),
        (2, "memory.zst", .truncated, "its checkpoint is damaged: memory.zst has "),
        (2, "disk-1", .removed, "its checkpoint is damaged: disk-1 is missing"),
        (2, "checkpoint.json", .truncated, "provisioner 2: shell runs: "),
        (2, "disk-0", .written, "its checkpoint is damaged: disk-0 was modified"),
    ]
}

/// What may happen to a file.
private enum Damage {
    /// Another byte in its middle, with the time as it was: as a medium loses it.
    case flipped
    case truncated, removed, written

    func apply(to path: String) throws {
        switch self {
        case .removed: try FileManager.default.removeItem(atPath: path)
        case .truncated: #expect(truncate(path, off_t(try size(path) / 2)) == 0)
        case .written: try change(path)
        case .flipped:
            var status = stat()
            #expect(stat(path, &status) == 0)
            try change(path)
            #expect(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
        }
    }

    private func size(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }

    private func change(_ path: String) throws {
        chmod(path, 0o600)
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let middle = UInt64(try size(path) / 2)
        try file.seek(toOffset: middle)
        let byte = try file.read(upToCount: 1)?.first ?? 0
        try file.seek(toOffset: middle)
        try file.write(contentsOf: Data([~byte]))
        try file.close()
    }
}

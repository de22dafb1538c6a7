import Foundation
import GuestFiles
import Testing

@Suite("Partition tables")
struct PartitionTableTests {
    @Test("a disk with a GPT that ends earlier is whole to sfdisk", arguments: [100, 37])
    func gpt(megabytes: Int64) async throws {
        let scratch = try Scratch()
        let disk = try await disk(scratch, "label: gpt\nstart=2048, size=2048\nstart=4096, size=192512\n")
        let table = try #require(PartitionTable(try start(of: disk)))
        #expect(table.shortened(partition: 7, end: megabytes << 20) == nil)
        #expect(table.shortened(partition: 2, end: 1 << 20) == nil)
        let (edits, size) = try #require(table.shortened(partition: 2, end: megabytes << 20))
        #expect(size == (megabytes + 1) << 20)
        try write(edits, to: disk, size: size)
        // It complains about checksums, a missing copy of the table, and partitions behind the disk's end.
        try await scratch.run("sh", "-c", "sfdisk --verify \(disk) 2>&1 | grep -q 'No errors detected'")
        try await scratch.run("sh", "-c", "sfdisk -d \(disk) | grep -q 'size= *\(megabytes * 2048 - 4096),'")
        try await scratch.run("sh", "-c", "! sfdisk -l \(disk) 2>&1 | grep -i 'corrupt\\|mismatch\\|not on the end'")
    }

    @Test("a disk with an MBR that ends earlier is whole to sfdisk; a logical partition is left alone")
    func mbr() async throws {
        let scratch = try Scratch()
        let disk = try await disk(
            scratch, "label: dos\nstart=2048, size=20480\nstart=22528, size=180000, type=5\nstart=24576, size=100000\n")
        let table = try #require(PartitionTable(try start(of: disk)))
        #expect(table.shortened(partition: 5, end: 50 << 20) == nil)
        let (edits, size) = try #require(table.shortened(partition: 1, end: 8 << 20))
        #expect(size == 8 << 20)
        try write(edits, to: disk, size: nil)
        try await scratch.run("sh", "-c", "sfdisk -d \(disk) | grep -q 'start= *2048, size= *14336,'")
    }

    @Test("other data, or a damaged table, is not read as a table")
    func damaged() throws {
        #expect(PartitionTable([]) == nil)
        #expect(PartitionTable([UInt8](repeating: 0, count: 17408)) == nil)
        var sectors = [UInt8](repeating: 0, count: 17408)
        (sectors[510], sectors[511], sectors[450]) = (0x55, 0xaa, 0xee)
        #expect(PartitionTable(sectors) == nil)
        sectors.replaceSubrange(512..<520, with: "EFI PART".utf8)
        #expect(PartitionTable(sectors) == nil)
        // Numbers as large as they get must be refused, not trap.
        for offset in 524..<604 { sectors[offset] = 0xff }
        #expect(PartitionTable(sectors) == nil)
    }

    private func disk(_ scratch: Scratch, _ table: String) async throws -> String {
        let disk = scratch.folder + "/disk.raw"
        #expect(FileManager.default.createFile(atPath: disk, contents: nil))
        #expect(truncate(disk, 128 << 20) == 0)
        try table.write(toFile: disk + ".table", atomically: false, encoding: .utf8)
        try await scratch.run("sh", "-c", "sfdisk -q \(disk) <\(disk).table")
        return disk
    }

    private func start(of disk: String) throws -> [UInt8] {
        let file = try #require(FileHandle(forReadingAtPath: disk))
        return [UInt8](try #require(try file.read(upToCount: PartitionTable.wantedBytes)))
    }

    private func write(_ edits: [PartitionTable.Edit], to disk: String, size: Int64?) throws {
        let file = try #require(FileHandle(forWritingAtPath: disk))
        for edit in edits {
            try file.seek(toOffset: UInt64(edit.offset))
            try file.write(contentsOf: edit.bytes)
        }
        if let size { #expect(truncate(disk, Int(size)) == 0) }
    }
}

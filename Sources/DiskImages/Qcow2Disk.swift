import Foundation
import Scopes
import Synchronization

/// A qcow2 image without a backing file: plain and compressed clusters, without encryption or an external data file.
///
/// It exists so that copying needs neither a temporary raw image nor the reading of what an image does not store.
package final class Qcow2Disk: DiskContent {
    package let size: UInt64
    private let file: RawDisk
    private let header: Qcow2Header
    private let firstLevel: [UInt64]
    /// Second-level tables read last, newest at the end. A table of 2 MiB clusters has 2 MiB.
    private let tables = Mutex<[(offset: UInt64, entries: [UInt64])]>([])
    private let tablesKept = 8

    /// Where a cluster's content is.
    private enum Place {
        case nowhere
        case file(UInt64)
        case compressed(offset: UInt64, length: Int)
    }

    /// Nil for an image that only qemu-img can read: one with a backing file, encryption or features of its own.
    package static func open(_ path: String) throws -> Qcow2Disk? {
        do {
            return try Qcow2Disk(path)
        } catch is Qcow2Header.Unsupported {
            return nil
        } catch is Qcow2Header.Corrupt {
            throw QemuImg.corrupt(path, "read the disk image \(path)")
        } catch let error as Reason {
            throw BuildError("read the disk image \(path)", because: error.text)
        }
    }

    private init(_ path: String) throws {
        let file = try RawDisk(path)
        var start = [UInt8](repeating: 0, count: Int(min(file.fileSize, 512)))
        try start.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        self.file = file
        header = try Qcow2Header(start)
        size = header.size
        firstLevel = try Self.table(file, header.tableOffset, header.tableLength)
    }

    private static func table(_ file: RawDisk, _ offset: UInt64, _ count: Int) throws -> [UInt64] {
        guard offset <= file.fileSize, file.fileSize - offset >= UInt64(count) * 8 else {
            throw Reason(text: "it ends before its table at byte \(offset)")
        }
        var entries = [UInt64](repeating: 0, count: count)
        try entries.withUnsafeMutableBytes { try file.read(at: offset, into: $0) }
        for index in entries.indices { entries[index] = UInt64(bigEndian: entries[index]) }
        return entries
    }

    /// Nil where the whole table is missing, so that none of its clusters exists.
    private func secondLevel(of cluster: UInt64) throws -> [UInt64]? {
        let index = Int(cluster / header.entriesPerTable)
        let offset = firstLevel[index] & offsetMask
        guard offset != 0 else { return nil }
        let known = tables.withLock { tables in tables.last { $0.offset == offset }?.entries }
        if let known { return known }
        guard offset % header.clusterSize == 0 else { throw damage("a second-level table lies at \(offset)") }
        let entries: [UInt64]
        do {
            entries = try Self.table(file, offset, Int(header.entriesPerTable))
        } catch let error as Reason {
            throw damage(error.text)
        }
        tables.withLock { tables in
            if tables.count >= tablesKept { tables.removeFirst() }
            tables.append((offset, entries))
        }
        return entries
    }

    private let offsetMask: UInt64 = 0x00FF_FFFF_FFFF_FE00

    private func place(_ entry: UInt64) throws -> Place {
        if entry >> 62 & 1 == 1 {
            let offsetBits = 62 - (header.clusterBits - 8)
            let offset = entry & ((1 << offsetBits) - 1)
            let sectors = entry >> offsetBits & ((1 << (header.clusterBits - 8)) - 1)
            let length = (sectors + 1) * 512 - offset % 512
            guard offset < file.fileSize else { throw damage("it ends before a cluster at byte \(offset)") }
            return .compressed(offset: offset, length: Int(min(length, file.fileSize - offset)))
        }
        if header.hasZeroFlag, entry & 1 == 1 { return .nowhere }
        let offset = entry & offsetMask
        guard offset != 0 else { return .nowhere }
        guard offset % header.clusterSize == 0 else { throw damage("a cluster lies at byte \(offset)") }
        guard offset < file.fileSize else { throw damage("it ends before a cluster at byte \(offset)") }
        return .file(offset)
    }

    package func data(in range: Range<UInt64>) throws -> Range<UInt64>? {
        let end = min(range.upperBound, size)
        var position = range.lowerBound
        while position < end {
            let cluster = position >> header.clusterBits
            guard let entries = try secondLevel(of: cluster) else {
                let next = (cluster / header.entriesPerTable + 1) * header.entriesPerTable
                position = next << header.clusterBits
                continue
            }
            switch try place(entries[Int(cluster % header.entriesPerTable)]) {
            case .nowhere: position = (cluster + 1) << header.clusterBits
            case .compressed: return position..<min((cluster + 1) << header.clusterBits, end)
            case .file(let offset):
                // An image with space set aside has clusters that are holes of the file.
                let inside = position & (header.clusterSize - 1)
                let length = try run(from: cluster, offset, entries, until: end) - inside
                let start = offset + inside
                if let found = try file.data(in: start..<start + length) {
                    let first = position + (found.lowerBound - start)
                    guard first < end else { return nil }
                    return first..<min(position + (found.upperBound - start), end)
                }
                position += length
            }
        }
        return nil
    }

    /// Bytes that lie one after the other in the file, from a cluster's start.
    private func run(from cluster: UInt64, _ offset: UInt64, _ entries: [UInt64], until end: UInt64) throws -> UInt64 {
        var count: UInt64 = 1
        while (cluster + count) << header.clusterBits < end, (cluster + count) % header.entriesPerTable != 0,
            case .file(let next) = try place(entries[Int((cluster + count) % header.entriesPerTable)]),
            next == offset + count << header.clusterBits
        { count += 1 }
        return count << header.clusterBits
    }

    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        let decompressor = ClusterDecompressor(isZstd: header.isZstd, clusterSize: Int(header.clusterSize))
        let end = offset + UInt64(buffer.count)
        var position = offset
        while position < end {
            let cluster = position >> header.clusterBits
            let inside = position & (header.clusterSize - 1)
            var length = min(header.clusterSize - inside, end - position)
            let start = Int(position - offset)
            let entries = try secondLevel(of: cluster)
            switch try entries.map({ try place($0[Int(cluster % header.entriesPerTable)]) }) ?? .nowhere {
            case .nowhere:
                UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + Int(length)])
                    .initializeMemory(as: UInt8.self, repeating: 0)
            case .file(let first):
                length = min(try run(from: cluster, first, entries ?? [], until: end) - inside, end - position)
                try file.read(
                    at: first + inside,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + Int(length)]))
            case .compressed(let first, let size):
                let packed = decompressor.input(size)
                try file.read(at: first, into: packed)
                let bytes: UnsafeRawBufferPointer
                do { bytes = try decompressor.decompress(UnsafeRawBufferPointer(packed)) } catch let error as Reason {
                    throw damage("the cluster at byte \(first) of the file: \(error.text)")
                }
                UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + Int(length)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(inside)..<Int(inside + length)]))
            }
            position += length
        }
    }

    private func damage(_ reason: String) -> BuildError {
        BuildError("read the disk image \(file.path)", because: reason, hint: "qemu-img check shows the damage.")
    }
}

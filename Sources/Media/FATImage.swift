import Foundation
import Scopes

/// A 1.44 MB floppy's bytes in the making: FAT12, 2880 sectors of 512 bytes, one sector a cluster, as in Microsoft's
/// description of the FAT file system, version 1.03.
struct FATImage {
    private static let sector = 512
    private static let sectors = 2880
    private static let tableSectors = 9
    private static let rootEntries = 224
    private static let rootStart = (1 + 2 * tableSectors) * sector
    private static let dataStart = rootStart + rootEntries * 32
    private static let clusters = (sectors * sector - dataStart) / sector
    private static let endOfChain = 0xFFF

    private(set) var bytes: [UInt8]
    private var table = [0xFF0, 0xFFF]
    private let operation: String
    /// Eleven bytes; nil: none.
    private let label: [UInt8]?
    private let now = FATTime(Int64(time(nil)))

    init(label: String, _ operation: String) throws {
        self.operation = operation
        let capitals = Array(label.uppercased().utf8)
        guard capitals.count <= 11, capitals.allSatisfy({ ShortName.isAllowed($0) || $0 == 0x20 }) else {
            throw BuildError(
                operation, because: "the label “\(label)” does not fit",
                hint: "A floppy's label has at most 11 ASCII letters, digits and signs such as - and _.")
        }
        self.label = capitals.isEmpty ? nil : capitals + Array(repeating: 0x20, count: 11 - capitals.count)
        bytes = Array(repeating: 0, count: Self.sectors * Self.sector)
    }

    /// - Throws: `BuildError` with both sizes when it will not fit.
    func checkSize(of root: [String: FileTree.Node]) throws {
        let needed = Self.clustersNeeded(root)
        let rootEntries = 1 + root.keys.reduce(0) { $0 + Self.entries(of: $1) }
        guard needed <= Self.clusters else {
            throw BuildError(
                operation,
                because: "its files need \(needed * Self.sector) bytes, a floppy holds \(Self.clusters * Self.sector)",
                hint: "Put large files on a CD (cd_files) or serve them over HTTP (http_directory).")
        }
        guard rootEntries <= Self.rootEntries else {
            throw BuildError(
                operation, because: "its root folder needs \(rootEntries) entries, a floppy has \(Self.rootEntries)",
                hint: "Put files into folders (floppy_dirs), or give them shorter names.")
        }
    }

    private static func clustersNeeded(_ folder: [String: FileTree.Node]) -> Int {
        folder.values.reduce(0) { sum, node in
            switch node {
            case .file(_, let size, _): sum + Int(min(size, Int64(Int32.max)) + Int64(sector) - 1) / sector
            case .text(let text): sum + (text.count + sector - 1) / sector
            case .folder(let inner):
                sum + clustersNeeded(inner) + (64 + 32 * inner.keys.reduce(0) { $0 + entries(of: $1) } + sector - 1)
                    / sector
            }
        }
    }

    /// Directory entries of a name: its short form and pieces of 13 of its long form.
    private static func entries(of name: String) -> Int { 1 + (name.utf16.count + 12) / 13 }

    /// Lays out everything. `checkSize` goes before it.
    mutating func write(_ root: [String: FileTree.Node]) async throws {
        var directory = DirectoryEntries()
        if let label { directory.addLabel(label, now) }
        try await fill(&directory, with: root, parent: 0)
        guard directory.bytes.count <= Self.rootEntries * 32 else { throw full() }
        place(directory.bytes, at: Self.rootStart)
        writeBootSector()
        writeTables()
    }

    private mutating func fill(
        _ directory: inout DirectoryEntries, with children: [String: FileTree.Node], parent: Int
    ) async throws {
        for (name, node) in children.sorted(by: { $0.key < $1.key }) {
            switch node {
            case .text(let text):
                let first = try store(text)
                try directory.add(name, first: first, size: text.count, isFolder: false, now, operation)
            case .file(let path, _, let modified):
                let file = try InputFile(path, operation)
                guard file.size <= Int64(Self.clusters * Self.sector) else { throw full() }
                var content: [UInt8] = []
                try await file.forEachPiece { content.append(contentsOf: $0) }
                let first = try store(content)
                try directory.add(
                    name, first: first, size: content.count, isFolder: false, FATTime(modified), operation)
            case .folder(let inner):
                // Its clusters come first, so that its entries can name them.
                let count =
                    (64 + 32 * inner.keys.reduce(0) { $0 + Self.entries(of: $1) } + Self.sector - 1) / Self.sector
                let first = try allocate(count)
                var folder = DirectoryEntries()
                folder.addDots(first: first, parent: parent, now)
                try await fill(&folder, with: inner, parent: first)
                guard folder.bytes.count <= count * Self.sector else { throw full() }
                place(folder.bytes, at: Self.offset(of: first))
                try directory.add(name, first: first, size: 0, isFolder: true, now, operation)
            }
        }
    }

    private mutating func store(_ content: [UInt8]) throws -> Int {
        if content.isEmpty { return 0 }
        let first = try allocate((content.count + Self.sector - 1) / Self.sector)
        place(content, at: Self.offset(of: first))
        return first
    }

    /// Clusters are given out in order, so a chain lies in one piece.
    private mutating func allocate(_ count: Int) throws -> Int {
        let first = table.count
        guard count > 0, first + count <= Self.clusters + 2 else { throw full() }
        for next in 1..<count + 1 { table.append(next == count ? Self.endOfChain : first + next) }
        return first
    }

    private static func offset(of cluster: Int) -> Int { dataStart + (cluster - 2) * sector }

    private mutating func place(_ content: [UInt8], at offset: Int) {
        bytes.replaceSubrange(offset..<offset + content.count, with: content)
    }

    private func full() -> BuildError {
        BuildError(operation, because: "its files grew while they were read and do not fit on a floppy any more")
    }

    private mutating func writeBootSector() {
        // A jump to itself: the floppy is not for booting.
        var boot: [UInt8] = [0xEB, 0xFE, 0x90] + Array("MSWIN4.1".utf8)
        boot += [0x00, 0x02, 1, 1, 0, 2]
        boot += littleEndian(Self.rootEntries, 2) + littleEndian(Self.sectors, 2) + [0xF0]
        boot += littleEndian(Self.tableSectors, 2) + littleEndian(18, 2) + littleEndian(2, 2)
        boot += littleEndian(0, 4) + littleEndian(0, 4) + [0, 0, 0x29]
        boot += littleEndian(Int(UInt32.random(in: 1 ... .max)), 4) + (label ?? Array("NO NAME    ".utf8))
        boot += Array("FAT12   ".utf8)
        place(boot, at: 0)
        place([0x55, 0xAA], at: 510)
    }

    /// Two 12-bit entries share three bytes.
    private mutating func writeTables() {
        var packed: [UInt8] = []
        for index in stride(from: 0, to: table.count, by: 2) {
            let (even, odd) = (table[index], index + 1 < table.count ? table[index + 1] : 0)
            packed += [UInt8(even & 0xFF), UInt8(even >> 8 | (odd & 0xF) << 4), UInt8(odd >> 4)]
        }
        for copy in 0..<2 { place(packed, at: (1 + copy * Self.tableSectors) * Self.sector) }
    }
}

func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

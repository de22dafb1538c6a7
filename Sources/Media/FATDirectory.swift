import Foundation
import Scopes

/// The entries of one FAT folder.
struct DirectoryEntries {
    private(set) var bytes: [UInt8] = []
    private var shortNames: Set<[UInt8]> = []
    private var longNames: Set<String> = []

    mutating func addLabel(_ label: [UInt8], _ time: FATTime) {
        append(label, attributes: 0x08, time, first: 0, size: 0)
    }

    mutating func addDots(first: Int, parent: Int, _ time: FATTime) {
        for (dots, cluster) in [(".", first), ("..", parent)] {
            let name = Array(dots.utf8) + Array(repeating: 0x20, count: 11 - dots.utf8.count)
            append(name, attributes: 0x10, time, first: cluster, size: 0)
        }
    }

    /// - Throws: `BuildError` for a name that FAT has no way to write.
    mutating func add(
        _ name: String, first: Int, size: Int, isFolder: Bool, _ time: FATTime, _ operation: String
    ) throws {
        let units = Array(name.utf16)
        let isWritable = name.unicodeScalars.allSatisfy {
            $0.value >= 0x20 && !"\"*:<>?\\|/".unicodeScalars.contains($0)
        }
        guard isWritable, !units.isEmpty, units.count <= 255, name.last != ".", name.last != " " else {
            throw BuildError(
                operation, because: "a floppy cannot have a file named “\(name)”",
                hint: "Names have no \" * : < > ? \\ | and at most 255 characters.")
        }
        guard longNames.insert(name.lowercased()).inserted else {
            throw BuildError(
                operation, because: "two files are named “\(name)”",
                hint: "File names on a floppy are case-insensitive.")
        }
        let short = ShortName(name, taken: shortNames)
        shortNames.insert(short.bytes)
        if short.needsLongName { appendLong(units, checksum: short.checksum) }
        append(short.bytes, attributes: isFolder ? 0x10 : 0x20, time, first: first, size: size)
    }

    /// The long name's pieces, last one first.
    private mutating func appendLong(_ units: [UInt16], checksum: UInt8) {
        let pieces = (units.count + 12) / 13
        for piece in stride(from: pieces, to: 0, by: -1) {
            let places = (0..<13).map { index in
                let at = (piece - 1) * 13 + index
                let unit: UInt16 = at < units.count ? units[at] : at == units.count ? 0 : 0xFFFF
                return [UInt8(unit & 0xFF), UInt8(unit >> 8)]
            }
            bytes.append(UInt8(piece) | (piece == pieces ? 0x40 : 0))
            bytes += places[0..<5].joined()
            bytes += [0x0F, 0, checksum]
            bytes += places[5..<11].joined()
            bytes += [0, 0]
            bytes += places[11..<13].joined()
        }
    }

    private mutating func append(_ name: [UInt8], attributes: UInt8, _ time: FATTime, first: Int, size: Int) {
        bytes += name
        bytes += [attributes, 0, 0]
        bytes += littleEndian(time.time, 2) + littleEndian(time.date, 2) + littleEndian(time.date, 2) + [0, 0]
        bytes +=
            littleEndian(time.time, 2) + littleEndian(time.date, 2) + littleEndian(first, 2) + littleEndian(size, 4)
    }
}

/// The 8.3 form of a name, unique in its folder.
struct ShortName {
    /// Eight and three, filled with spaces.
    private(set) var bytes: [UInt8]
    /// The short form is not the whole truth.
    private(set) var needsLongName: Bool

    init(_ name: String, taken: Set<[UInt8]>) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: true)
        let hasExtension = parts.count > 1
        let ending = hasExtension ? Self.clean(String(parts[parts.count - 1])) : []
        let stem = Self.clean((hasExtension ? parts.dropLast() : parts[...]).joined())
        let plain = Self.padded(stem, 8) + Self.padded(ending, 3)
        let written =
            String(decoding: stem, as: UTF8.self) + (hasExtension ? "." + String(decoding: ending, as: UTF8.self) : "")
        needsLongName = written != name || stem.isEmpty || stem.count > 8 || ending.count > 3
        bytes = plain
        guard
            written.lowercased() != name.lowercased() || stem.isEmpty || stem.count > 8 || ending.count > 3
                || taken.contains(plain)
        else { return }
        needsLongName = true
        // At most 224 entries in the root and 2847 clusters: a free number is found long before the end.
        for number in 1..<1_000_000 {
            let tail = Array("~\(number)".utf8)
            bytes = Self.padded(stem.prefix(8 - tail.count) + tail, 8) + Self.padded(ending, 3)
            if !taken.contains(bytes) { return }
        }
    }

    /// As each piece of the long name carries it.
    var checksum: UInt8 { bytes.reduce(0) { ($0 >> 1 | $0 << 7) &+ $1 } }

    static func isAllowed(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || "!#$%&'()-@^_`{}~".utf8.contains(byte)
    }

    private static func clean(_ text: String) -> [UInt8] {
        text.uppercased().unicodeScalars.compactMap { scalar in
            if scalar == " " { return nil }
            guard let byte = UInt8(exactly: scalar.value), isAllowed(byte) else { return UInt8(ascii: "_") }
            return byte
        }
    }

    private static func padded(_ text: some Collection<UInt8>, _ width: Int) -> [UInt8] {
        let cut = Array(text.prefix(width))
        return cut + Array(repeating: 0x20, count: width - cut.count)
    }
}

/// A local time as FAT writes it: two seconds fine, from 1980 to 2107.
struct FATTime {
    var time: Int
    var date: Int

    init(_ seconds: Int64) {
        var moment = time_t(seconds)
        var parts = tm()
        localtime_r(&moment, &parts)
        time = Int(parts.tm_hour) << 11 | Int(parts.tm_min) << 5 | Int(min(parts.tm_sec, 59)) / 2
        let year = min(max(Int(parts.tm_year) - 80, 0), 127)
        date = year << 9 | (Int(parts.tm_mon) + 1) << 5 | Int(parts.tm_mday)
    }
}

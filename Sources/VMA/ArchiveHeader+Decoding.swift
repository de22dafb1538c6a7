import Foundation

/// An archive that is not as the format demands.
package struct ArchiveDamage: Error, CustomStringConvertible, Sendable {
    package var reason: String
    /// Where in the unpacked archive the damaged part begins.
    package var offset: UInt64

    package var description: String { "it is damaged: at byte \(offset), \(reason)" }
}

extension ArchiveHeader {
    /// The length of a header, from its fixed part.
    static func length(_ bytes: UnsafeRawBufferPointer) throws -> Int {
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
            if !condition { throw ArchiveDamage(reason: reason(), offset: 0) }
        }
        try require(bytes.prefix(4).elementsEqual(VMAFormat.magic), "there is no VMA header")
        try require(bytes.number(at: 4, UInt32.self) == 1, "the version is \(bytes.number(at: 4, UInt32.self)), not 1")
        let length = Int(bytes.number(at: 56, UInt32.self))
        try require(
            length > VMAFormat.fixedHeader && length % 512 == 0 && length <= VMAFormat.largestHeader,
            "the header claims to have \(length) bytes")
        return length
    }

    /// Reads a header strictly.
    ///
    /// - Parameter bytes: As many as `length` says.
    init(_ bytes: UnsafeRawBufferPointer) throws {
        func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
            if !condition { throw ArchiveDamage(reason: reason(), offset: 0) }
        }
        try require(try Self.length(bytes) == bytes.count, "the header's length is another one")
        try require(bytes[32..<48].elementsEqual(checksum(bytes, at: 32)), "the header's checksum is wrong")
        try require(
            bytes[60..<2044].allSatisfy { $0 == 0 } && bytes[4092..<4096].allSatisfy { $0 == 0 },
            "reserved bytes of the header are not zero")

        let start = Int(bytes.number(at: 48, UInt32.self))
        let size = Int(bytes.number(at: 52, UInt32.self))
        try require(
            start == VMAFormat.fixedHeader && size >= 1 && size <= bytes.count - start,
            "the blobs, \(size) bytes from \(start), are not in the header")
        let blobs = try Self.blobs(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
        try require(bytes[(start + size)...].allSatisfy { $0 == 0 }, "the header's padding is not zero")

        func blob(_ pointer: UInt32, _ what: String) throws -> ArraySlice<UInt8> {
            guard let blob = blobs[pointer] else {
                throw ArchiveDamage(reason: "the pointer \(pointer) of \(what) leads to nothing", offset: 0)
            }
            return blob
        }
        func text(_ pointer: UInt32, _ what: String) throws -> String {
            let bytes = try blob(pointer, what)
            try require(bytes.last == 0, "the name of \(what) has no end")
            let name = String(decoding: bytes.dropLast(), as: UTF8.self)
            try require(isUsableName(name), "the name of \(what) is \(name.prefix(200).debugDescription)")
            return name
        }
        uuid = UUID(bytes: bytes[8..<24])
        time = Int64(bitPattern: bytes.number(at: 24, UInt64.self))
        configs = []
        devices = []
        var names = Set<String>()
        for index in 0..<VMAFormat.entries {
            let (name, content) = (
                bytes.number(at: 2044 + 4 * index, UInt32.self), bytes.number(at: 3068 + 4 * index, UInt32.self)
            )
            if name == 0 && content == 0 { continue }
            try require(name != 0 && content != 0, "file \(index) has only a name or only content")
            let config = ArchiveConfig(
                name: try text(name, "file \(index)"), content: Data(try blob(content, "file \(index)")))
            try require(names.insert(config.name).inserted, "the file \(config.name) is there twice")
            configs.append(config)
        }
        for index in 0..<VMAFormat.entries {
            let entry = UnsafeRawBufferPointer(rebasing: bytes[4096 + 32 * index..<4096 + 32 * index + 32])
            if isZeroEntry(entry) { continue }
            let what = "disk \(index)"
            try require(VMAFormat.deviceNumbers.contains(index), "there is a \(what); they go from 1 to 254")
            let (pointer, size) = (entry.number(at: 0, UInt32.self), entry.number(at: 8, UInt64.self))
            try require(
                entry.number(at: 4, UInt32.self) == 0 && entry[16...].allSatisfy { $0 == 0 },
                "reserved bytes of \(what) are not zero")
            try require(pointer != 0, "\(what) has no name")
            let name = try text(pointer, what)
            // Other writers leave such entries; they are not disks.
            if size == 0 { continue }
            try require(size % 512 == 0 && size <= VMAFormat.largestDevice, "\(name) claims to have \(size) bytes")
            let device = ArchiveDevice(number: index, name: name, size: size)
            try require(names.insert(device.fileName).inserted, "the disk \(name) is there twice")
            devices.append(device)
        }
    }

    /// The blobs by their pointers. The first lies at 1, and they follow one another.
    private static func blobs(_ bytes: UnsafeRawBufferPointer) throws -> [UInt32: ArraySlice<UInt8>] {
        let all = Array(bytes)
        var result: [UInt32: ArraySlice<UInt8>] = [:]
        var offset = 1
        while offset + 2 <= all.count {
            let length = Int(all[offset]) | Int(all[offset + 1]) << 8
            guard length <= all.count - offset - 2 else {
                throw ArchiveDamage(reason: "the blob at \(offset) is longer than the room for blobs", offset: 0)
            }
            result[UInt32(offset)] = all[offset + 2..<offset + 2 + length]
            offset += 2 + length
        }
        return result
    }
}

private func isZeroEntry(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.allSatisfy { $0 == 0 } }

extension ArchiveDevice {
    /// The name of the raw disk that extracting makes.
    package var fileName: String { "disk-\(name).raw" }
}

extension UnsafeRawBufferPointer {
    /// A big-endian number. The caller knows that the bytes are there.
    func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        Number(bigEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}

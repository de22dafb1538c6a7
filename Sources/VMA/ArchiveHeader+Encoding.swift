import Crypto
import Foundation
import Scopes

extension ArchiveHeader {
    /// The bytes in front of the extents.
    ///
    /// - Throws: `BuildError` for what the format, or Proxmox VE's own tools, cannot hold.
    func encoded() throws -> [UInt8] {
        let operation = "write the archive's header"
        var blobs: [UInt8] = [0]  // So that 0 can mean "none".
        func add(_ bytes: [UInt8], _ what: String) throws -> UInt32 {
            guard bytes.count <= 65535 else {
                throw BuildError(operation, because: "\(what) has \(bytes.count) bytes; an archive holds at most 65535")
            }
            let pointer = UInt32(blobs.count)
            // The only little-endian field of the format.
            blobs += [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8)] + bytes
            return pointer
        }
        var fileNames = Set<String>()
        func name(_ name: String, extractedAs fileName: String) throws -> [UInt8] {
            guard isUsableName(name) else {
                throw BuildError(
                    operation, because: "\(name.debugDescription) is not a usable name",
                    hint: "Use letters, digits, dots, dashes and underscores.")
            }
            guard fileNames.insert(fileName).inserted else {
                throw BuildError(operation, because: "\(name) is there twice")
            }
            return Array(name.utf8) + [0]
        }

        var bytes = [UInt8](repeating: 0, count: VMAFormat.fixedHeader)
        bytes.replaceSubrange(0..<4, with: VMAFormat.magic)
        bytes.put(UInt32(1), at: 4)
        bytes.replaceSubrange(8..<24, with: uuid.bytes)
        bytes.put(UInt64(bitPattern: time), at: 24)
        guard configs.count <= VMAFormat.entries else {
            throw BuildError(operation, because: "\(configs.count) files are more than 256")
        }
        for (index, config) in configs.enumerated() {
            bytes.put(try add(try name(config.name, extractedAs: config.name), config.name), at: 2044 + 4 * index)
            bytes.put(try add(Array(config.content), config.name), at: 3068 + 4 * index)
        }
        var numbers = Set<Int>()
        for device in devices {
            guard VMAFormat.deviceNumbers.contains(device.number), numbers.insert(device.number).inserted else {
                throw BuildError(operation, because: "an archive holds at most 254 disks")
            }
            guard device.name != VMAFormat.memoryDevice else {
                throw BuildError(operation, because: "the name vmstate is for a machine's memory")
            }
            guard device.size > 0, device.size % 512 == 0, device.size <= VMAFormat.largestDevice else {
                throw BuildError(
                    operation, because: "\(device.name) has \(device.size) bytes",
                    hint: "A disk needs a multiple of 512 bytes, at most 256 TiB.")
            }
            let offset = 4096 + 32 * device.number
            bytes.put(try add(try name(device.name, extractedAs: device.fileName), device.name), at: offset)
            bytes.put(device.size, at: offset + 8)
        }
        bytes.put(UInt32(VMAFormat.fixedHeader), at: 48)
        bytes.put(UInt32(blobs.count), at: 52)
        bytes += blobs
        bytes += [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
        guard bytes.count <= VMAFormat.largestHeader else {
            throw BuildError(operation, because: "its files are too large together; there is room for 500 KiB")
        }
        bytes.put(UInt32(bytes.count), at: 56)
        bytes.replaceSubrange(32..<48, with: bytes.withUnsafeBytes { checksum($0, at: 32) })
        return bytes
    }
}

/// MD5 over the bytes, with the 16 bytes at `offset`, where the checksum itself is, as zeroes.
func checksum(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> [UInt8] {
    var digest = Insecure.MD5()
    digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[..<offset]))
    digest.update(data: [UInt8](repeating: 0, count: 16))
    digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes[(offset + 16)...]))
    return Array(digest.finalize())
}

extension UUID {
    var bytes: [UInt8] { withUnsafeBytes(of: uuid) { Array($0) } }

    /// - Parameter bytes: 16.
    init(bytes: some Collection<UInt8>) {
        var value = uuid_t(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: bytes) }
        self.init(uuid: value)
    }
}

extension [UInt8] {
    /// Writes a number, big endian.
    mutating func put(_ number: some FixedWidthInteger, at offset: Int) {
        Swift.withUnsafeBytes(of: number.bigEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
    }
}

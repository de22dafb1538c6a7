import CZlib
import CZstd
import DiskImages
import Foundation
import Scopes

/// The unpacked bytes of an archive, in order: plain, or compressed with zstd or gzip, which its first bytes decide.
///
/// Memory is bounded: a zstd window of at most 128 MiB, as the zstd program has it by default. Used by one thread.
final class ArchiveInput {
    private let path: String
    private let flag: CancellationFlag
    private let descriptor: Int32
    private let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
    /// What of `packed` is not used yet.
    private var unread = 0..<0
    private var isAtEnd = false
    private var unpacker = Unpacker.none
    /// Whether the unpacker is in the middle of a frame.
    private var isInside = false
    /// Bytes of the file that were read, and all of them: the progress.
    private var fileOffset: UInt64 = 0
    private let fileSize: UInt64
    /// Bytes that were given out.
    private(set) var offset: UInt64 = 0

    private enum Unpacker {
        case none
        case zstd(OpaquePointer)
        case gzip(UnsafeMutablePointer<z_stream>)
    }

    var progress: Double { fileSize == 0 ? 0 : min(Double(fileOffset) / Double(fileSize), 1) }

    init(_ path: String, _ flag: CancellationFlag) throws {
        self.path = path
        self.flag = flag
        let operation = "read the archive \(path)"
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BuildError(operation, because: String(cString: strerror(errno))) }
        var status = stat()
        fileSize = fstat(descriptor, &status) == 0 ? UInt64(max(status.st_size, 0)) : 0
        if status.st_mode & S_IFMT == S_IFDIR { throw BuildError(operation, because: "it is a folder") }
        try chooseUnpacker(operation)
    }

    deinit {
        switch unpacker {
        case .none: break
        case .zstd(let context): ZSTD_freeDCtx(context)
        case .gzip(let stream):
            inflateEnd(stream)
            stream.deallocate()
        }
        packed.deallocate()
        close(descriptor)
    }

    private func chooseUnpacker(_ operation: String) throws {
        while unread.count < 4, !isAtEnd { try refill() }
        let start = packed[unread].prefix(4)
        let noMemory = BuildError(operation, because: "there is not enough memory to decompress it")
        if start.elementsEqual([0x28, 0xB5, 0x2F, 0xFD]) || isSkippable(start) {
            guard let context = ZSTD_createDCtx() else { throw noMemory }
            unpacker = .zstd(context)
        } else if start.starts(with: [0x1F, 0x8B]) {
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // 15 bits of window; 16 more: with gzip's header.
            guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                stream.deallocate()
                throw noMemory
            }
            unpacker = .gzip(stream)
        } else if start.elementsEqual([0x89, 0x4C, 0x5A, 0x4F]) {
            throw BuildError(
                operation, because: "it is packed by lzop", hint: "Unpack it first: lzop -d \(path)")
        } else if start.starts(with: Array("BZh".utf8)) {
            throw BuildError(
                operation, because: "it is packed by bzip2", hint: "Unpack it first: bunzip2 -k \(path)")
        } else if !start.elementsEqual(VMAFormat.magic) {
            throw BuildError(
                operation, because: "it is not a VMA archive: its first bytes are of something else")
        }
    }

    /// zstd's frames without content have sixteen marks.
    private func isSkippable(_ bytes: Slice<UnsafeMutableRawBufferPointer>) -> Bool {
        bytes.count == 4 && bytes.first.map { $0 & 0xF0 == 0x50 } == true
            && bytes.dropFirst().elementsEqual([0x2A, 0x4D, 0x18])
    }

    /// Reads more of the file behind what is not used yet.
    private func refill() throws {
        try flag.check()
        if unread.isEmpty { unread = 0..<0 }
        if unread.lowerBound > 0, let base = packed.baseAddress {
            memmove(base, base + unread.lowerBound, unread.count)
            unread = 0..<unread.count
        }
        guard unread.upperBound < packed.count, let base = packed.baseAddress else { return }
        while true {
            let count = Foundation.read(descriptor, base + unread.upperBound, packed.count - unread.upperBound)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw BuildError("read the archive \(path)", because: String(cString: strerror(errno)))
            }
            isAtEnd = count == 0
            unread = unread.lowerBound..<unread.upperBound + count
            fileOffset += UInt64(count)
            return
        }
    }

    /// Fills the buffer, and gives how many bytes there were: less than asked for only at the archive's end.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < buffer.count {
            if unread.isEmpty, !isAtEnd { try refill() }
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let before = unread.count
            let count = try unpack(into: rest)
            done += count
            guard count == 0, unread.count == before, isAtEnd else { continue }
            if isInside { throw damage("the packed stream ends too early") }
            break
        }
        offset += UInt64(done)
        return done
    }

    /// Unpacks as much as there is, and gives the bytes written.
    private func unpack(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let source = packed.baseAddress.map { $0 + unread.lowerBound }
        switch unpacker {
        case .none:
            let count = min(unread.count, buffer.count)
            if let source, let target = buffer.baseAddress { memcpy(target, source, count) }
            use(count)
            return count
        case .zstd(let context):
            // At the file's end it may still hold content back.
            if unread.isEmpty && !isInside { return 0 }
            var input = ZSTD_inBuffer(src: source, size: unread.count, pos: 0)
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let status = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(status) == 0 else {
                throw damage("zstd: \(String(cString: ZSTD_getErrorName(status)))")
            }
            isInside = status != 0
            use(input.pos)
            return output.pos
        case .gzip(let stream):
            if unread.isEmpty && !isInside { return 0 }
            let room = min(buffer.count, 1 << 30)
            stream.pointee.next_in = source?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(unread.count)
            stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room)
            let status = inflate(stream, Z_NO_FLUSH)
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
                throw damage("gzip: \(stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)")")
            }
            isInside = status != Z_STREAM_END
            if status == Z_STREAM_END { inflateReset(stream) }
            use(unread.count - Int(stream.pointee.avail_in))
            return room - Int(stream.pointee.avail_out)
        }
    }

    private func use(_ count: Int) { unread = unread.lowerBound + count..<unread.upperBound }

    private func damage(_ reason: String) -> ArchiveDamage { ArchiveDamage(reason: reason, offset: offset) }
}

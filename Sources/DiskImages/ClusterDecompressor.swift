import CZlib
import CZstd
import Foundation
import Scopes

/// Unpacks the compressed clusters of a qcow2 image: deflate without a header, or a zstd frame.
///
/// What follows the packed bytes in their last sector belongs to others, so both are read as streams.
final class ClusterDecompressor {
    private let isZstd: Bool
    private let clusterSize: Int
    private lazy var packed = UnsafeMutableRawBufferPointer.allocate(byteCount: clusterSize * 2 + 1024, alignment: 16)
    private lazy var cluster = UnsafeMutableRawBufferPointer.allocate(byteCount: clusterSize, alignment: 16)
    private var context: OpaquePointer?
    private var isUsed = false

    init(isZstd: Bool, clusterSize: Int) {
        self.isZstd = isZstd
        self.clusterSize = clusterSize
    }

    deinit {
        guard isUsed else { return }
        packed.deallocate()
        cluster.deallocate()
        ZSTD_freeDCtx(context)
    }

    /// Room for the packed bytes of a cluster, at most twice a cluster's size, as the format bounds them.
    func input(_ count: Int) -> UnsafeMutableRawBufferPointer {
        isUsed = true
        return UnsafeMutableRawBufferPointer(rebasing: packed[..<min(count, packed.count)])
    }

    /// The cluster's bytes, valid until the next call.
    func decompress(_ bytes: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        isUsed = true
        try isZstd ? unpackZstd(bytes) : inflate(bytes)
        return UnsafeRawBufferPointer(cluster)
    }

    private func inflate(_ bytes: UnsafeRawBufferPointer) throws {
        var stream = z_stream()
        // A negative window: no header. 12 bits are what QEMU writes.
        guard inflateInit2_(&stream, -12, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Reason(text: "not enough memory to unpack it")
        }
        defer { inflateEnd(&stream) }
        stream.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(bytes.count)
        stream.next_out = cluster.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(cluster.count)
        let status = CZlib.inflate(&stream, Z_FINISH)
        guard stream.avail_out == 0, status == Z_STREAM_END || status == Z_BUF_ERROR || status == Z_OK else {
            throw Reason(text: "its compressed bytes are damaged")
        }
    }

    private func unpackZstd(_ bytes: UnsafeRawBufferPointer) throws {
        if context == nil { context = ZSTD_createDCtx() }
        guard context != nil else { throw Reason(text: "not enough memory to unpack it") }
        ZSTD_DCtx_reset(context, ZSTD_reset_session_only)
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        var output = ZSTD_outBuffer(dst: cluster.baseAddress, size: cluster.count, pos: 0)
        while output.pos < output.size {
            let before = (input.pos, output.pos)
            let status = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(status) == 0, (input.pos, output.pos) != before else {
                throw Reason(text: "its compressed bytes are damaged")
            }
        }
    }
}

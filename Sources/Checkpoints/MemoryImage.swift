import CZstd
import Files
import Foundation
import Scopes

/// Packs a raw memory image with zstd: level 1, with a checksum of the content.
///
/// Not flushed to the medium. On failure nothing is left at `target`.
///
/// - Returns: The size of the raw image in bytes.
func packMemory(_ source: String, to target: String, _ flag: CancellationFlag) throws -> Int64 {
    let operation = "compress the machine's memory \(source)"
    let folder = URL(filePath: target).deletingLastPathComponent().path
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard input >= 0 else { throw systemFailure(operation) }
    defer { close(input) }
    guard let context = ZSTD_createCCtx() else { throw BuildError(operation, because: "there is not enough memory") }
    defer { ZSTD_freeCCtx(context) }
    let settings = [(ZSTD_c_compressionLevel, Int32(1)), (ZSTD_c_checksumFlag, 1)]
    for (parameter, value) in settings { try check(ZSTD_CCtx_setParameter(context, parameter, value), operation) }
    return try withNewFile(target, operation) { output in
        let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
        defer { packed.deallocate() }
        func pack(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws {
            var piece = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            while true {
                var produced = ZSTD_outBuffer(dst: packed.baseAddress, size: packed.count, pos: 0)
                let rest = try check(
                    ZSTD_compressStream2(context, &produced, &piece, isLast ? ZSTD_e_end : ZSTD_e_continue), operation)
                try writeAll(UnsafeRawBufferPointer(rebasing: packed[..<produced.pos]), to: output) {
                    systemFailure(operation, in: folder)
                }
                if isLast ? rest == 0 : piece.pos == piece.size { return }
            }
        }
        let size = try readPieces(input, flag, operation) { try pack($0, isLast: false) }
        try pack(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
        return size
    }
}

/// Damage of a packed image.
struct PackedDamage: Error { var reason: String }

/// Unpacks a memory image; runs of zeros become holes.
///
/// On failure nothing is left at `target`.
///
/// - Parameter size: The size of the raw image; no more is ever written.
/// - Throws: `PackedDamage`, `BuildError`, `CancellationError`.
func unpackMemory(_ source: String, to target: String, size: Int64, _ flag: CancellationFlag) throws {
    let operation = "unpack the machine's memory to \(target)"
    let folder = URL(filePath: target).deletingLastPathComponent().path
    let input = open(source, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard input >= 0 else { throw PackedDamage(reason: String(cString: strerror(errno))) }
    defer { close(input) }
    guard let context = ZSTD_createDCtx() else { throw BuildError(operation, because: "there is not enough memory") }
    defer { ZSTD_freeDCtx(context) }
    try withNewFile(target, operation) { output in
        let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 4096)
        defer { raw.deallocate() }
        var written: Int64 = 0
        var isInside = true
        _ = try readPieces(input, flag, operation) { bytes in
            var piece = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var produced = ZSTD_outBuffer(dst: raw.baseAddress, size: raw.count, pos: 0)
            repeat {
                produced.pos = 0
                let status = ZSTD_decompressStream(context, &produced, &piece)
                guard ZSTD_isError(status) == 0 else {
                    throw PackedDamage(reason: String(cString: ZSTD_getErrorName(status)))
                }
                isInside = status != 0
                guard Int64(produced.pos) <= size - written else { throw PackedDamage(reason: "it is too long") }
                try writeSparse(UnsafeRawBufferPointer(rebasing: raw[..<produced.pos]), to: output) {
                    systemFailure(operation, in: folder)
                }
                written += Int64(produced.pos)
                // After a full buffer the context may hold more content; at the end of a frame a call would begin a new one.
            } while piece.pos < piece.size || isInside && produced.pos == produced.size
        }
        guard !isInside, written == size else { throw PackedDamage(reason: "it is incomplete") }
        guard ftruncate(output, off_t(size)) == 0 else { throw systemFailure(operation, in: folder) }
    }
}

/// Creates a file for `body`, and removes it if `body` fails.
private func withNewFile<Value>(_ path: String, _ operation: String, _ body: (Int32) throws -> Value) throws -> Value {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw systemFailure(operation) }
    defer { close(descriptor) }
    do { return try body(descriptor) } catch {
        unlink(path)
        throw error
    }
}

/// Writes at the file's position, skipping whole blocks of zeros.
private func writeSparse(_ bytes: UnsafeRawBufferPointer, to output: Int32, failure: () -> BuildError) throws {
    let block = 64 << 10
    var start = 0
    while start < bytes.count {
        let end = min(start + block, bytes.count)
        let piece = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        if isZero(piece) {
            guard lseek(output, off_t(piece.count), SEEK_CUR) >= 0 else { throw failure() }
        } else {
            try writeAll(piece, to: output, failure: failure)
        }
        start = end
    }
}

private func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, let first = bytes.first, first == 0 else { return bytes.isEmpty }
    // Each byte equals the one before it.
    return memcmp(base, base + 1, bytes.count - 1) == 0
}

@discardableResult
private func check(_ result: Int, _ operation: String) throws -> Int {
    guard ZSTD_isError(result) == 0 else {
        throw BuildError(operation, because: String(cString: ZSTD_getErrorName(result)))
    }
    return result
}

import CZstd
import Foundation
import Scopes

/// How an archive's stream is packed.
package enum ArchiveCompression: Sendable, Hashable {
    case none
    /// - Parameters:
    ///   - level: 1 to 22; zstd's own is 3.
    ///   - threads: nil: one for each processor, at most 32.
    case zstd(level: Int = 3, threads: Int? = nil)
}

/// Packs a stream with zstd, on several threads where the library has them.
///
/// The frame carries a checksum of all of the content, which the archive itself lacks.
final class ZstdPacker {
    private let context: OpaquePointer
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)

    /// Whether the library was built with threads.
    static var hasThreads: Bool { ZSTD_cParam_getBounds(ZSTD_c_nbWorkers).upperBound > 0 }

    init(level: Int, threads: Int?) throws {
        let operation = "compress with zstd"
        let levels = Int(ZSTD_minCLevel())...Int(ZSTD_maxCLevel())
        guard levels.contains(level) else {
            throw BuildError(
                operation, because: "there is no level \(level)", hint: "Levels go from 1 to \(levels.upperBound).")
        }
        guard let context = ZSTD_createCCtx() else {
            throw BuildError(operation, because: "there is not enough memory")
        }
        self.context = context
        let processors = ProcessInfo.processInfo.activeProcessorCount
        let workers = min(max(threads ?? processors, 1), 32)
        var settings = [(ZSTD_c_compressionLevel, Int32(level)), (ZSTD_c_checksumFlag, 1)]
        if Self.hasThreads { settings.append((ZSTD_c_nbWorkers, Int32(workers))) }
        for (parameter, value) in settings {
            try check(ZSTD_CCtx_setParameter(context, parameter, value))
        }
    }

    deinit {
        ZSTD_freeCCtx(context)
        output.deallocate()
    }

    /// Takes bytes and hands on what is packed so far.
    func pack(_ bytes: UnsafeRawBufferPointer, isLast: Bool, write: (UnsafeRawBufferPointer) throws -> Void) throws {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            var produced = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
            let remaining = try check(
                ZSTD_compressStream2(context, &produced, &input, isLast ? ZSTD_e_end : ZSTD_e_continue))
            if produced.pos > 0 { try write(UnsafeRawBufferPointer(rebasing: output[..<produced.pos])) }
            if isLast ? remaining == 0 : input.pos == input.size { return }
        }
    }

    @discardableResult
    private func check(_ result: Int) throws -> Int {
        guard ZSTD_isError(result) == 0 else {
            throw BuildError("compress with zstd", because: String(cString: ZSTD_getErrorName(result)))
        }
        return result
    }
}

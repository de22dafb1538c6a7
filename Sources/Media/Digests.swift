import Crypto
import Foundation
import Scopes

/// The kinds of digest that checksums come in.
package enum DigestAlgorithm: String, Sendable, CaseIterable {
    case md5, sha1, sha224, sha256, sha384, sha512

    /// Hex digits of a digest.
    package var digits: Int {
        switch self {
        case .md5: 32
        case .sha1: 40
        case .sha224: 56
        case .sha256: 64
        case .sha384: 96
        case .sha512: 128
        }
    }

    /// The kind whose digests have so many hex digits.
    package init?(digits: Int) {
        guard let found = Self.allCases.first(where: { $0.digits == digits }) else { return nil }
        self = found
    }
}

/// A digest in the making.
struct RunningDigest {
    private var function: any HashFunction
    private var own: SHA224?

    init(_ algorithm: DigestAlgorithm) {
        own = algorithm == .sha224 ? SHA224() : nil
        function =
            switch algorithm {
            case .md5: Insecure.MD5()
            case .sha1: Insecure.SHA1()
            case .sha224, .sha256: SHA256()
            case .sha384: SHA384()
            case .sha512: SHA512()
            }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if own == nil { function.update(bufferPointer: bytes) } else { own?.update(bytes) }
    }

    /// In lower-case hex.
    func hex() -> String {
        if let own { return own.hex() }
        return function.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// Digests of files.
package enum FileDigest {
    /// The digest in lower-case hex.
    ///
    /// - Parameter algorithm: `md5`, `sha1`, `sha224`, `sha256`, `sha384` or `sha512`.
    package static func hex(of path: String, algorithm: String) async throws -> String {
        guard let known = DigestAlgorithm(rawValue: algorithm.lowercased()) else {
            throw BuildError(
                "compute the checksum of \(path)", because: "the checksum type “\(algorithm)” is unknown",
                hint: "Known types: \(DigestAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return try await hex(of: path, known)
    }

    /// The digest in lower-case hex; cancellation is answered between pieces of 1 MiB.
    @concurrent
    package static func hex(of path: String, _ algorithm: DigestAlgorithm) async throws -> String {
        let file = try InputFile(path, "compute the checksum of \(path)")
        var digest = RunningDigest(algorithm)
        try await file.forEachPiece { digest.update($0) }
        return digest.hex()
    }
}

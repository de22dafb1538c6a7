import Foundation
import Scopes

/// What `qemu-img info` knows of an image.
package struct DiskImageInfo: Sendable, Hashable {
    /// `qcow2`, `raw`, `vmdk`…
    package var format: String
    /// Bytes that the guest sees.
    package var virtualSize: Int64
    /// Bytes that the file occupies.
    package var actualSize: Int64
    /// The path of the image that this one is an overlay of; nil: none.
    package var backingFile: String?
    package var backingFormat: String?
    /// QEMU found damage in it and has not written to it since.
    package var isCorrupt = false
}

extension DiskImageInfo: Decodable {
    private enum CodingKeys: String, CodingKey {
        case format
        case virtualSize = "virtual-size"
        case actualSize = "actual-size"
        case backingFile = "full-backing-filename"
        case backingFormat = "backing-filename-format"
        case specific = "format-specific"
    }

    private struct Specific: Decodable {
        struct Data: Decodable { var corrupt: Bool? }
        var data: Data?
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        format = try values.decode(String.self, forKey: .format)
        virtualSize = try values.decode(Int64.self, forKey: .virtualSize)
        actualSize = try values.decodeIfPresent(Int64.self, forKey: .actualSize) ?? 0
        backingFile = try values.decodeIfPresent(String.self, forKey: .backingFile)
        backingFormat = try values.decodeIfPresent(String.self, forKey: .backingFormat)
        isCorrupt = try values.decodeIfPresent(Specific.self, forKey: .specific)?.data?.corrupt ?? false
    }
}

extension QemuImg {
    /// Reads an image's header.
    ///
    /// - Parameter format: nil lets qemu-img look. Never leave it nil for a disk that a guest wrote as raw: its first bytes
    ///   are the guest's own and can claim to be another format with a backing file of this host.
    package func info(_ path: String, format: String? = nil) async throws -> DiskImageInfo {
        try await info(path, format: format, waitsForLock: false)
    }

    func info(_ path: String, format: String?, waitsForLock: Bool) async throws -> DiskImageInfo {
        let operation = "read the disk image \(path)"
        try requireFile(path, operation)
        let words = ["info", "--output=json"] + (format.map { ["-f", $0] } ?? []) + ["--", path]
        let output = try await waitsForLock ? textOnceUnlocked(operation, words) : text(operation, words)
        do {
            return try JSONDecoder().decode(DiskImageInfo.self, from: Data(output.utf8))
        } catch {
            throw BuildError(operation, because: "qemu-img's answer is not understood: \(output.prefix(200))")
        }
    }
}

import Foundation
import Scopes

/// One file of an image that consists of several.
package struct ImageLayer: Sendable {
    package var path: String
    package var info: DiskImageInfo
}

extension QemuImg {
    /// More layers than images are ever made of; qemu-img opens all of them at once.
    private static let mostLayers = 500

    /// The files that an image consists of: the image itself, then its backing file, that file's own, and so on.
    ///
    /// - Parameters:
    ///   - format: The image's own; nil lets qemu-img look (see `info`).
    ///   - waitsForLock: Whether to wait for an image that is still locked for a moment after its machine's end.
    /// - Throws: `BuildError` where a backing file is missing, where the files back each other in a circle, and where one is marked as
    ///   corrupt: qemu-img would open files without end, or copy damage unnoticed.
    package func layers(
        of path: String, format: String? = nil, waitsForLock: Bool = false
    ) async throws -> [ImageLayer] {
        let operation = "read the disk image \(path)"
        var layers: [ImageLayer] = []
        var seen: Set<FileIdentity> = []
        var next: (path: String, format: String?)? = (path, format)
        while let file = next {
            guard let identity = FileIdentity(file.path) else {
                if layers.isEmpty { try requireFile(path, operation) }
                throw BuildError(
                    operation, because: "the backing file \(file.path) of \(layers.last?.path ?? path) is missing",
                    hint: "Put it there, or name another one: qemu-img rebase -u -b FILE -F FORMAT IMAGE")
            }
            guard seen.insert(identity).inserted else {
                let start = layers.firstIndex { FileIdentity($0.path) == identity } ?? 0
                throw circle(layers[start...].map(\.path) + [file.path], operation)
            }
            guard layers.count < Self.mostLayers else {
                throw BuildError(
                    operation, because: "it has more than \(Self.mostLayers) layers",
                    hint: "Merge some of them with qemu-img commit or qemu-img rebase.")
            }
            let info = try await info(file.path, format: file.format, waitsForLock: waitsForLock)
            if info.isCorrupt { throw Self.corrupt(file.path, operation) }
            layers.append(ImageLayer(path: file.path, info: info))
            next = info.backingFile.map { ($0, info.backingFormat) }
            // Such as nbd://host or json:{…}: no file, so qemu-img deals with it.
            if let backing = info.backingFile, backing.prefix(while: { $0 != "/" }).contains(":"),
                access(backing, F_OK) != 0
            {
                next = nil
            }
        }
        return layers
    }

    private func circle(_ paths: [String], _ operation: String) -> BuildError {
        let shown = paths.count > 10 ? paths.prefix(5) + ["…"] + paths.suffix(3) : paths[...]
        return BuildError(
            operation, because: "its backing files form a circle: \(shown.joined(separator: " → "))",
            hint: "Give one of them its right backing file: qemu-img rebase -u -b FILE -F FORMAT IMAGE")
    }

    /// The same words wherever such an image is met.
    static func corrupt(_ path: String, _ operation: String) -> BuildError {
        BuildError(
            operation, because: "\(path) is marked as corrupt",
            hint: "Repair it, then look whether its content is right: qemu-img check -r all \(path)")
    }
}

/// A file, whatever it is called.
private struct FileIdentity: Hashable {
    var device: UInt64
    var node: UInt64

    /// nil if there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        node = UInt64(status.st_ino)
    }
}

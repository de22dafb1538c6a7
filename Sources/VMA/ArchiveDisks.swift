package import DiskImages
import Foundation

/// Writes an archive of disk images of any format.
///
/// Raw and qcow2 images are read as they are; others become sparse raw files beside the archive for a while.
///
/// - Parameters:
///   - format: The disks' format; nil: as the content of each says.
///   - onProgress: What is being done, and the part of it that is done.
/// - Returns: The archive's size in bytes.
package func archiveDisks(
    _ disks: [(name: String, path: String)], format: ImageFormat?, configs: [ArchiveConfig],
    compression: ArchiveCompression, to path: String, onProgress: @escaping @Sendable (String, Double) -> Void
) async throws -> UInt64 {
    let parent = URL(filePath: path).deletingLastPathComponent().path
    var opened: [(name: String, disk: OpenedDisk)] = []
    defer { for row in opened { row.disk.remove() } }
    for (name, disk) in disks {
        let format = try format ?? ImageFormat(ofFile: disk)
        opened.append(
            (
                name,
                try await OpenedDisk.open(disk, format: format, temporaryIn: parent.isEmpty ? "." : parent) {
                    onProgress("unpacking \(name)", $0)
                }
            ))
    }
    return try await CreateArchive(
        configs: configs, disks: opened.map { ($0.name, $0.disk.content) }, compression: compression
    ).write(to: path) { onProgress("writing", $0) }
}

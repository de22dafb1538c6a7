package import DiskImages
package import Foundation
import Scopes

/// Writes a VMA archive: files such as `qemu-server.conf`, and disks.
package struct CreateArchive: Sendable {
    package var configs: [ArchiveConfig]
    /// In the order of their numbers in the archive.
    package var disks: [(name: String, content: any DiskContent)]
    package var compression: ArchiveCompression
    package var uuid: UUID
    /// Seconds since 1970.
    package var time: Int64

    package init(
        configs: [ArchiveConfig], disks: [(name: String, content: any DiskContent)],
        compression: ArchiveCompression = .zstd(), uuid: UUID = UUID(),
        time: Int64 = Int64(Date().timeIntervalSince1970)
    ) {
        self.configs = configs
        self.disks = disks
        self.compression = compression
        self.uuid = uuid
        self.time = time
    }

    /// Writes the archive; it appears whole or not at all.
    ///
    /// Memory stays below 4 MiB for each extent under way (two for each reading thread), and what zstd takes.
    ///
    /// - Parameter onProgress: The part that is done, 0 to 1, never falling; called on another thread.
    /// - Returns: The archive's size in bytes.
    @discardableResult
    package func write(
        to path: String, onProgress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws -> UInt64 {
        let header = ArchiveHeader(
            uuid: uuid, time: time, configs: configs,
            devices: disks.enumerated().map {
                ArchiveDevice(number: $0.offset + 1, name: $0.element.name, size: $0.element.content.size)
            })
        let start = try header.encoded()
        let plan = ExtentPlan(disks.enumerated().map { ($0.offset + 1, $0.element.content) }, uuid: uuid)
        let compression = compression
        return try await onOwnThread("archive writer") { flag in
            let output = try ArchiveOutput(path, compression: compression)
            try start.withUnsafeBytes { try output.write($0) }
            // Reading is the smaller part but for compressed images; more threads would only take the packer's time.
            let readers = ExtentReaders(plan, threads: min(max(ProcessInfo.processInfo.activeProcessorCount, 1), 4))
            defer { readers.stop() }
            var progress = ProgressSteps(onProgress)
            var done: UInt64 = 0
            while let extent = try readers.next() {
                try flag.check()
                try output.write(extent.filled)
                readers.recycle(extent)
                done += 1
                progress.reached(Double(done) / Double(max(plan.extents, 1)) * 0.999)
            }
            try flag.check()
            try output.finish()
            progress.reached(1)
            return output.bytesWritten
        }
    }
}

/// Tells progress a thousand times at most.
struct ProgressSteps {
    private let report: @Sendable (Double) -> Void
    private var last = -1.0

    init(_ report: @escaping @Sendable (Double) -> Void) { self.report = report }

    mutating func reached(_ part: Double) {
        guard part >= last + 0.001 || part >= 1 && last < 1 else { return }
        last = part
        report(min(part, 1))
    }
}

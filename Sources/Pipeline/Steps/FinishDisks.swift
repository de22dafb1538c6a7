import DiskImages
import Foundation
import Scopes
import Templates

/// Compacts and compresses the main disk as the template asks, and brings every disk safely to the medium.
struct FinishDisks: Sendable {
    let source: QemuSource
    let reporter: Reporter
    private let qemuImg = QemuImg()

    func run(_ disks: Disks) async throws {
        let disk = source.disk
        if let main = disks.paths.first, !disk.skipsCompaction || disk.compresses {
            let compacted = main + ".convert"
            try await qemuImg.convert(
                main, sourceFormat: disks.format, to: compacted, format: disks.format,
                isCompressed: disk.compresses, arguments: disk.convertArguments
            ) { [reporter] in
                reporter.report(.progress(fraction: $0), disk.compresses ? "compressing" : "compacting")
            }
            guard rename(compacted, main) == 0 else { throw systemFailure("replace the disk by its compact copy") }
        }
        // The machine may have run with cache=unsafe: nothing is known to be on the medium before this.
        for path in disks.paths { try await qemuImg.flush(path) }
    }
}

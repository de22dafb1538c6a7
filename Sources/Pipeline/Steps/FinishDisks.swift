import DiskImages
import Dispatch
import Foundation
import Scopes
import Templates

/// Compacts and compresses the main disk as the template asks, and brings every disk safely to the medium.
struct FinishDisks: Sendable {
    let source: QemuSource
    let reporter: Reporter
    private let qemuImg = QemuImg()

    func run(_ disks: Disks) async throws {
        if let main = disks.paths.first, !source.disk.skipsCompaction || source.disk.compresses {
            do { try await compact(main, disks.format) } catch let error where !(error is CancellationError) {
                // An hour's work is not thrown away for want of room: the disk is whole, only larger.
                try Task.checkCancellation()
                reporter.warn("the image stays as large as it is: \(error)")
            }
        }
        // The machine may have run with cache=unsafe: nothing is known to be on the medium before this.
        for path in disks.paths { try await qemuImg.flush(path) }
    }

    private func compact(_ main: String, _ format: String) async throws {
        let isCompressed = source.disk.compresses
        let compacted = main + ".convert"
        try await qemuImg.convert(
            main, sourceFormat: format, to: compacted, format: format, isCompressed: isCompressed,
            arguments: source.disk.convertArguments
        ) { [reporter] in
            reporter.report(.progress(fraction: $0), isCompressed ? "compressing" : "compacting")
        }
        // To free the blocks of what a guest wrote for an hour takes seconds. Nobody has to wait for them.
        let old = open(main, O_RDONLY | O_CLOEXEC)
        defer { if old >= 0 { DispatchQueue.global(qos: .utility).async { close(old) } } }
        guard rename(compacted, main) == 0 else { throw systemFailure("replace the disk by its compact copy") }
    }
}

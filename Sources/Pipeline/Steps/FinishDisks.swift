import ComponentModel
import DiskImages
import Dispatch
import Files
import Foundation
import Scopes
import Templates

/// Compacts and compresses the disks as the template asks, and brings every one safely to the medium.
struct FinishDisks: Sendable {
    let source: QemuSource
    /// What the machine started from: the base of images that only hold what differs from it.
    let medium: String
    let reporter: Reporter
    private let qemuImg = QemuImg()

    init(source: QemuSource, medium: String, reporter: Reporter) {
        self.source = source
        self.medium = medium
        self.reporter = reporter
    }

    /// - Parameters:
    ///   - disks: The machine's; they may have layers that checkpoints share.
    ///   - images: Where they go, often the same files.
    ///   - finished: What finishing the guest gave; nil where the template does not ask for it.
    /// - Returns: What the build fails with once the image is in its place; nil where nothing is wrong.
    func run(
        _ disks: Disks, into images: Disks, _ finished: Result<FinishedGuest, any Error>?, _ workspace: Workspace
    ) async throws -> Shortcoming? {
        var shortcoming: Shortcoming?
        var isReplaced = false
        do {
            if let guest = try finished?.get() {
                // Where it was only looked at, the machine's disks are the image.
                isReplaced = guest.isChanged
                if isReplaced {
                    try await replace(disks, by: guest, images, workspace)
                } else {
                    try write(guest.documents, workspace)
                }
                shortcoming = guest.complaint.map {
                    Shortcoming("pass the image", $0, kept: "The finished image is kept")
                }
            }
        } catch let error where !(error is CancellationError) {
            try Task.checkCancellation()
            isReplaced = false
            shortcoming = Shortcoming("finish the image", error, kept: "The image is kept unfinished")
        }
        try removeTree(workspace.overlays)
        if !isReplaced {
            if disks.paths == images.paths { await compactMain(disks) } else { try await flatten(disks, into: images) }
        }
        try Task.checkCancellation()
        // The machine may have run with cache=unsafe: nothing is known to be on the medium before this.
        for path in images.paths { try await qemuImg.flush(path) }
        return shortcoming
    }

    /// Makes images that stand alone of disks that have layers.
    private func flatten(_ disks: Disks, into images: Disks) async throws {
        for (index, (disk, image)) in zip(disks.paths, images.paths).enumerated() {
            try await convert(
                disk, disks.format, to: image, format: images.format, isMain: index == 0, base: base(of: index))
        }
    }

    /// What an image is to be based on; nil where it stands alone. Compressed, an image stands alone.
    private func base(of index: Int) -> String? {
        index == 0 && source.disk.usesBackingFile && !source.disk.compresses ? medium : nil
    }

    private func compactMain(_ disks: Disks) async {
        guard let main = disks.paths.first, !source.disk.skipsCompaction || source.disk.compresses else { return }
        do {
            try await convert(main, disks.format, to: main + ".convert", format: disks.format, isMain: true)
            try take(main, from: main + ".convert")
        } catch {
            // An hour's work is not thrown away for want of room: the disk is whole, only larger.
            if !Task.isCancelled { reporter.warn("the image stays as large as it is: \(error)") }
        }
    }

    /// Makes disks out of the overlays; the machine's own go only when all of them are there.
    private func replace(
        _ disks: Disks, by guest: FinishedGuest, _ images: Disks, _ workspace: Workspace
    ) async throws {
        let before = try await space(of: disks)
        let after: Int64
        var made: [(path: String, final: String)] = []
        do {
            for (index, (overlay, image)) in zip(guest.overlays.paths, images.paths).enumerated() {
                try await convert(
                    overlay, guest.overlays.format, to: image + ".convert", format: images.format, isMain: index == 0,
                    base: base(of: index))
                made.append((image + ".convert", image))
            }
            after = try await space(of: Disks(paths: made.map(\.path), format: images.format))
            try write(guest.documents, workspace)
        } catch {
            for file in made { unlink(file.path) }
            throw error
        }
        for file in made { try take(file.final, from: file.path) }
        reporter.news("The image takes \(megabytes(after)); before it was finished it took \(megabytes(before))")
    }

    private func write(_ documents: [(name: String, content: Data)], _ workspace: Workspace) throws {
        do {
            for (name, content) in documents {
                try writeFile(content, to: workspace.output + "/" + name, mode: 0o644)
            }
        } catch {
            for document in documents { unlink(workspace.output + "/" + document.name) }
            throw error
        }
    }

    private func convert(
        _ disk: String, _ diskFormat: String, to target: String, format: String, isMain: Bool, base: String? = nil
    ) async throws {
        let isCompressed = source.disk.compresses && isMain
        var arguments = isMain ? source.disk.convertArguments : []
        // Only what differs from the image that the machine started from.
        if let base { arguments += ["-B", base, "-F", "qcow2"] }
        try await qemuImg.convert(
            disk, sourceFormat: diskFormat, to: target, format: format, isCompressed: isCompressed, arguments: arguments
        ) { [reporter] in
            reporter.report(.progress(fraction: $0), isCompressed ? "compressing" : "compacting")
        }
    }

    private func take(_ disk: String, from compacted: String) throws {
        // To free the blocks of what a guest wrote for an hour takes seconds. Nobody has to wait for them.
        let old = open(disk, O_RDONLY | O_CLOEXEC)
        defer { if old >= 0 { DispatchQueue.global(qos: .utility).async { close(old) } } }
        guard rename(compacted, disk) == 0 else { throw systemFailure("replace the disk by its compact copy") }
    }

    /// Bytes that the disks take on the medium: every layer of them, but not the image that they are based on.
    private func space(of disks: Disks) async throws -> Int64 {
        var sum: Int64 = 0
        for (index, path) in disks.paths.enumerated() {
            let base = base(of: index)
            for layer in try await qemuImg.layers(of: path, format: disks.format) where layer.path != base {
                sum += layer.info.actualSize
            }
        }
        return sum
    }

    private func megabytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }
}

/// What went wrong after the machine was done: the build fails with it, but what it made is kept.
struct Shortcoming: Sendable {
    private let error: BuildError
    /// "The image is kept unfinished", to which the place is added.
    private let kept: String

    init(_ operation: String, _ error: any Error, kept: String) {
        self.error = error as? BuildError ?? BuildError(operation: operation, underlying: error)
        self.kept = kept
    }

    /// - Parameter place: Where the image lies now.
    func error(place: String) -> BuildError {
        var failure = error
        failure.hint = [failure.hint, "\(kept) in \(place)."].compactMap(\.self).joined(separator: "\n  ")
        return failure
    }
}

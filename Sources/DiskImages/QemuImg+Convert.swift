import Foundation
import Processes
import Scopes
import Synchronization

extension QemuImg {
    /// Copies an image into another format, without what it does not use.
    ///
    /// The result appears under its name whole and on the medium, or not at all; the input is only read.
    ///
    /// - Parameters:
    ///   - isFlushed: Wait until the result is on the medium. A caller who leaves it out does so later.
    ///   - sourceFormat: nil lets qemu-img look; give it for every disk that a guest wrote (see `info`).
    ///   - isCompressed: Compress clusters (qcow2, and what else of qemu-img's formats can).
    ///   - arguments: Passed on as they are, after Ingot's own.
    ///   - onProgress: The part that is done, 0 to 1, never falling.
    package func convert(
        _ path: String, sourceFormat: String? = nil, to target: String, format: String, isCompressed: Bool = false,
        isFlushed: Bool = true, arguments: [String] = [], onProgress: @escaping @Sendable (Double) -> Void
    ) async throws {
        let operation = "convert the disk \(path) to \(target)"
        try requireFile(path, operation)
        if sourceFormat != "raw" { _ = try await layers(of: path, format: sourceFormat, waitsForLock: true) }
        let partial = target + ".partial"
        var words = ["convert", "-p"]
        if let sourceFormat { words += ["-f", sourceFormat] }
        words += ["-O", format] + fastOptions(format: format, isCompressed: isCompressed) + arguments
        words += ["--", path, partial]
        do {
            try await retryingWhileLocked(words, operation, partial, Progress(onProgress))
            if isFlushed { try await attempting(operation) { try await flush(partial) } }
            guard rename(partial, target) == 0 else {
                throw BuildError(operation, because: String(cString: strerror(errno)))
            }
        } catch {
            unlink(partial)
            throw error
        }
        if isFlushed { try synchronize(folder(of: target)) }
    }

    /// The image is locked for a moment after a machine's end; nothing else is tried again.
    private func retryingWhileLocked(
        _ words: [String], _ operation: String, _ partial: String, _ progress: Progress
    ) async throws {
        for attempt in 1...10 {
            let (exit, _, errors) = try await call(words, lineBreaks: .newlinesAndCarriageReturns) { progress.read($0) }
            if exit.isSuccess { return }
            guard attempt < 10, isLocked(errors.joined()) else {
                throw failure(operation, exit, errors, room: room(in: folder(of: partial)))
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Parallel requests, and out-of-order writes where they cost nothing in the result.
    ///
    /// A raw file's blocks lie where they lie in whatever order they are written. Clusters are compressed by several
    /// threads only when they need not be written in order: measured 6.2 s against 3.7 s on two cores. An uncompressed
    /// qcow2 is written in order, so that its clusters lie in order too, and reading it later is sequential.
    private func fastOptions(format: String, isCompressed: Bool) -> [String] {
        var options = ["-m", "16"]
        if format == "raw" || isCompressed { options.append("-W") }
        if isCompressed { options.append("-c") }
        return options
    }

    private func folder(of path: String) -> String {
        let parent = URL(filePath: path).deletingLastPathComponent().path
        return parent.isEmpty ? "." : parent
    }

    private func room(in folder: String) -> String {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return folder }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue
        return "\(folder): \(free >> 20) MiB are free"
    }
}

/// Reads qemu-img's progress, which looks like `    (12.34/100%)`.
final class Progress: Sendable {
    private let last = Mutex(-1.0)
    private let report: @Sendable (Double) -> Void

    init(_ report: @escaping @Sendable (Double) -> Void) { self.report = report }

    func read(_ line: String) {
        guard let open = line.firstIndex(of: "("), let slash = line[open...].firstIndex(of: "/"),
            let percent = Double(line[line.index(after: open)..<slash]), percent.isFinite
        else { return }
        let fraction = min(max(percent / 100, 0), 1)
        let isNews = last.withLock { last in
            defer { last = max(last, fraction) }
            return fraction > last
        }
        if isNews { report(fraction) }
    }
}

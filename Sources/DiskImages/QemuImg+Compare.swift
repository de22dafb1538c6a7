import Foundation
import Processes
import Scopes

extension QemuImg {
    /// Reads two images and throws unless a guest would see the same in both.
    ///
    /// - Parameter onProgress: The part that is done, 0 to 1, never falling.
    package func compare(
        _ first: String, format: String, with second: String, secondFormat: String,
        onProgress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws {
        let operation = "compare \(second) with \(first)"
        try requireFile(first, operation)
        try requireFile(second, operation)
        let progress = Progress(onProgress)
        let (exit, _, errors) = try await call(
            ["compare", "-p", "-f", format, "-F", secondFormat, "--", first, second],
            lineBreaks: .newlinesAndCarriageReturns
        ) { progress.read($0) }
        if exit.isSuccess { return }
        // 1: they differ; what is above is a failure. From qemu-img's manual.
        guard exit == .code(1) else { throw failure(operation, exit, errors) }
        throw BuildError(operation, because: "they differ")
    }
}

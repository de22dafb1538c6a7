import Foundation
package import Pipeline
import Scopes

/// `PACKER_LOG`: everything that builds report, debug messages included, on standard error or in the file that
/// `PACKER_LOG_PATH` names.
package struct DebugLog: EventSink {
    private let file: FileHandle
    /// Whether it shares a terminal with the console.
    let isOnTerminal: Bool

    /// - Returns: nil where `PACKER_LOG` is unset, empty or 0.
    /// - Throws: `UsageError` when the file cannot be written.
    package init?(environment: [String: String]) throws {
        guard !["", "0"].contains(environment["PACKER_LOG"] ?? "") else { return nil }
        if let path = environment["PACKER_LOG_PATH"], !path.isEmpty {
            let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw UsageError(
                    message: "cannot write to \(path), which PACKER_LOG_PATH names: \(String(cString: strerror(errno)))"
                )
            }
            file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            isOnTerminal = false
        } else {
            file = .standardError
            isOnTerminal = Terminal.errorIsTerminal
        }
        write(Date(), "ingot \(ingotVersion)")
    }

    /// Writes an event, except progress.
    package func receive(_ event: Event) {
        if event.isForTerminalsOnly { return }
        if case .progress = event.kind { return }
        let build = event.build.isEmpty ? "" : event.build + ": "
        write(event.time, "[\(event.kindName)] \(build)\(event.text)")
    }

    private func write(_ time: Date, _ text: String) {
        // A log that cannot be written must not end a build.
        try? file.write(contentsOf: Data("\(timestampText(time)) \(text)\n".utf8))
    }
}

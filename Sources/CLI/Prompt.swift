import Foundation
import Synchronization

/// Questions to the person at the terminal, one at a time, answerable by Ctrl-C as well.
final class Prompt: Sendable {
    private let isOpen = Mutex(false)

    /// Shows the question and reads a line.
    ///
    /// - Parameter console: What else writes to the terminal; nil where standard output is for programs.
    /// - Returns: nil at the end of input.
    /// - Throws: `CancellationError`.
    func ask(_ question: String, on console: Console?) async throws -> String? {
        while isOpen.withLock({ wasOpen in
            defer { wasOpen = true }
            return wasOpen
        }) {
            // Builds that run side by side may fail at the same moment.
            try await Task.sleep(for: .milliseconds(50))
        }
        defer { isOpen.withLock { $0 = false } }
        if let console { return try await console.ask(question, Self.readAnswer) }
        writeError(question)
        return try await Self.readAnswer()
    }

    private static func readAnswer() async throws -> String? {
        var line: [UInt8] = []
        while true {
            do { try Task.checkCancellation() } catch {
                // The next program that reads from the terminal must not get what was typed.
                tcflush(STDIN_FILENO, TCIFLUSH)
                throw error
            }
            // Polled, because a blocking read would not see that the build was cancelled.
            var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 0) > 0 else {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { return line.isEmpty ? nil : text(line) }
            if byte == UInt8(ascii: "\n") { return text(line) }
            line.append(byte)
        }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    }
}

import Foundation
import Scopes

/// Questions at the terminal, answerable by Ctrl-C as well.
enum Prompt {
    /// Shows the question and reads a line; nil at the end of input.
    static func ask(_ question: String) async throws -> String? {
        put(question)
        var line: [UInt8] = []
        while true {
            try Task.checkCancellation()
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

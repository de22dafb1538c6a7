import Files
import Foundation
import Scopes
import Synchronization

/// A file that whole lines are appended to, from any thread. One that grows too long loses lines from its middle: how it
/// began and how it ended explain most.
package final class LineFile: Sendable {
    private struct State {
        var descriptor: Int32
        var size = 0
        /// Where the part begins that is shortened.
        var middle = 0
        var isShortened = false
    }

    private let state: Mutex<State>
    private let limit: Int

    /// - Parameters:
    ///   - isLocked: Whether others see, by an advisory lock, that the file is in use.
    ///   - limit: The most bytes that it takes.
    /// - Throws: `BuildError` when the file cannot be made.
    package init(_ path: String, isLocked: Bool = false, limit: Int = 64 << 20) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw systemFailure("write to \(path)") }
        // A file system without locks is one where folders in use may be pruned.
        if isLocked { _ = flock(descriptor, LOCK_SH | LOCK_NB) }
        state = Mutex(State(descriptor: descriptor))
        self.limit = limit
    }

    deinit {
        state.withLock { state in
            // A child of ours that has not reached its exec yet shares the descriptor, so closing alone does not unlock.
            flock(state.descriptor, LOCK_UN)
            close(state.descriptor)
        }
    }

    /// Appends a line. A full disk must not end a build for the sake of its log, so nothing is thrown.
    package func write(_ line: String) {
        state.withLock { state in
            append(Array(line.utf8) + [UInt8(ascii: "\n")], &state)
            if state.size > limit { shorten(&state) }
        }
    }

    private func append(_ bytes: [UInt8], _ state: inout State) {
        let written = bytes.withUnsafeBytes { Foundation.write(state.descriptor, $0.baseAddress, $0.count) }
        state.size += max(0, written)
    }

    /// Keeps a quarter of the limit from the beginning of the file, and a quarter from its end.
    private func shorten(_ state: inout State) {
        if !state.isShortened {
            state.middle = endOfLine(atOrAfter: limit / 4, state)
            state.isShortened = true
        }
        let start = endOfLine(atOrAfter: max(state.middle, state.size - limit / 4), state)
        let tail = read(from: start, state.size - start, state)
        guard ftruncate(state.descriptor, off_t(state.middle)) == 0 else { return }
        state.size = state.middle
        append(Array("[lines were left out here: the file would be longer than \(limit >> 10) KiB]\n".utf8), &state)
        append(tail, &state)
    }

    private func endOfLine(atOrAfter offset: Int, _ state: State) -> Int {
        let ahead = read(from: offset, min(64 << 10, state.size - offset), state)
        return offset + (ahead.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)
    }

    private func read(from offset: Int, _ count: Int, _ state: State) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, initialized in
            initialized = max(0, pread(state.descriptor, buffer.baseAddress, buffer.count, off_t(offset)))
        }
    }
}

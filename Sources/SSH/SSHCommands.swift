import CLibssh
import Foundation
import Scopes

extension SSHConnection {
    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - usesPTY: nil: as the options say.
    ///   - onLine: Called for each line of output.
    /// - Throws: `SSHError` before the command has started and for a timeout; afterwards a loss is `.lostConnection`.
    package func run(
        _ command: String, usesPTY: Bool? = nil, timeout: Duration? = nil,
        onLine: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        let channel = try await openChannel(running: command, usesPTY: usesPTY ?? options.usesPTY)
        defer { channel.free() }
        return try await follow(channel, timeout, onLine)
    }

    private func follow(
        _ channel: SSHChannel, _ timeout: Duration?, _ onLine: @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        let clock = ContinuousClock()
        let start = clock.now
        var splitters = [LineAssembler(), LineAssembler()]
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        func finishLines() {
            for index in 0..<2 {
                if let rest = splitters[index].rest { onLine(OutputChunk(text: rest, isError: index == 1)) }
            }
        }
        while true {
            var gotSomething = false
            for stream in 0..<2 {
                let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(buffer.count), Int32(stream))
                guard count > 0 else { continue }
                gotSomething = true
                for line in splitters[stream].add(buffer[..<Int(count)]) {
                    onLine(OutputChunk(text: line, isError: stream == 1))
                }
            }
            if gotSomething {
                try Task.checkCancellation()
                await Task.yield()
                if let timeout, clock.now - start > timeout { throw SSHError.timedOut("running a command") }
                continue
            }
            if channel.hasEnded {
                let status = ssh_channel_get_exit_status(channel.pointer)
                // The status may come after the end of the output.
                if status >= 0 || ssh_channel_is_closed(channel.pointer) != 0 {
                    finishLines()
                    if status >= 0 { return .code(Int(status)) }
                    return isAlive ? .signal : .lostConnection
                }
            }
            if !isAlive {
                finishLines()
                return .lostConnection
            }
            if let timeout, clock.now - start > timeout { throw SSHError.timedOut("running a command") }
            try await waitForNetwork()
        }
    }
}

/// Puts pieces of output together to lines of at most 64 KiB.
private struct LineAssembler {
    private var pending: [UInt8] = []

    mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == 0x0A || pending.count >= 64 << 10 {
                if pending.last == 0x0D { pending.removeLast() }
                lines.append(String(decoding: pending, as: UTF8.self))
                pending = byte == 0x0A ? [] : [byte]
            } else {
                pending.append(byte)
            }
        }
        return lines
    }

    var rest: String? { pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self) }
}

import CLibssh
import Foundation
package import Guests
import Scopes

extension SSHConnection {
    package func run(
        _ command: String, timeout: Duration?, onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        try await run(command, usesPTY: options.usesPTY, timeout: timeout, onOutput: onOutput)
    }

    /// Runs a command to its end, with a terminal or without one whatever the options say.
    package func run(
        _ command: String, usesPTY: Bool, timeout: Duration? = nil,
        onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        let channel = try await openChannel(running: command, usesPTY: usesPTY)
        defer { channel.free() }
        return try await follow(channel, timeout, onOutput)
    }

    private func follow(
        _ channel: SSHChannel, _ timeout: Duration?, _ onOutput: @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        let clock = ContinuousClock()
        let start = clock.now
        var splitters = [LineAssembler(), LineAssembler()]
        var buffer = [UInt8](repeating: 0, count: 32 << 10)
        func finishLines() {
            for index in 0..<2 {
                if let rest = splitters[index].rest { onOutput(OutputChunk(text: rest, isError: index == 1)) }
            }
        }
        while true {
            var gotSomething = false
            for stream in 0..<2 {
                let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(buffer.count), Int32(stream))
                guard count > 0 else { continue }
                gotSomething = true
                for line in splitters[stream].add(buffer[..<Int(count)]) {
                    onOutput(OutputChunk(text: line, isError: stream == 1))
                }
            }
            if gotSomething {
                try Task.checkCancellation()
                await Task.yield()
                if let timeout, clock.now - start > timeout { throw GuestError.timedOut("running a command") }
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
            if let timeout, clock.now - start > timeout { throw GuestError.timedOut("running a command") }
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

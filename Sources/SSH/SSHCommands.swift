import CLibssh
import Foundation
import Scopes

/// A channel of a session, freed exactly once, on the session's thread.
final class SSHChannel {
    let pointer: ssh_channel

    init(_ pointer: ssh_channel) { self.pointer = pointer }

    func free() {
        ssh_channel_close(pointer)
        ssh_channel_free(pointer)
    }
}

extension SSHConnection {
    func openChannel() async throws -> SSHChannel {
        guard isAlive else { throw SSHError.disconnected("it was closed") }
        guard let pointer = ssh_channel_new(session) else {
            throw SSHError.other("no channel can be made: \(lastError)")
        }
        let channel = SSHChannel(pointer)
        do {
            let result = try await retry("opening a channel") { ssh_channel_open_session(pointer) }
            guard result == SSH_OK else {
                // Without an error of libssh's own it is the connection that is gone.
                if isAlive && hasError { throw SSHError.other("the guest opens no channel: \(lastError)") }
                close()
                throw SSHError.disconnected("the guest closed it")
            }
            return channel
        } catch {
            channel.free()
            throw error
        }
    }

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
        let channel = try await openChannel()
        defer { channel.free() }
        if usesPTY ?? options.usesPTY {
            let result = try await retry("asking for a terminal") {
                ssh_channel_request_pty_size(channel.pointer, "xterm", 80, 40)
            }
            guard result == SSH_OK else { throw SSHError.other("the guest gives no terminal: \(lastError)") }
        }
        let result = try await retry("starting the command") { ssh_channel_request_exec(channel.pointer, command) }
        guard result == SSH_OK else {
            throw ssh_is_connected(session) == 0
                ? SSHError.disconnected(lastError) : SSHError.other("the guest does not run the command: \(lastError)")
        }
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
            if ssh_channel_is_eof(channel.pointer) != 0 || ssh_channel_is_closed(channel.pointer) != 0 {
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
            try await pause()
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

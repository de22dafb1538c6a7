import CLibssh
import Foundation

/// The old copy protocol, for guests without SFTP: a line that describes the file, its bytes, and a zero byte for
/// "understood" after each step.
extension SSHConnection {
    func sendBySCP(_ data: Data, to path: String, mode: UInt32) async throws {
        let channel = try await startSCP("scp -t \(Self.quoted(path))")
        defer { channel.free() }
        try await expectAcknowledgement(channel, "write \(path)")
        let name = URL(filePath: path).lastPathComponent
        let digits = String(mode & 0o777, radix: 8)
        let header = "C\(String(repeating: "0", count: 4 - digits.count))\(digits) \(data.count) \(name)\n"
        try await send(Array(header.utf8), over: channel)
        try await expectAcknowledgement(channel, "write \(path)")
        var offset = 0
        while offset < data.count {
            let piece = data[(data.startIndex + offset)..<(data.startIndex + min(offset + 32_000, data.count))]
            try await send(Array(piece), over: channel)
            offset += piece.count
        }
        try await send([0], over: channel)
        try await expectAcknowledgement(channel, "write \(path)")
        ssh_channel_send_eof(channel.pointer)
    }

    func receiveBySCP(_ path: String) async throws -> Data {
        let channel = try await startSCP("scp -f \(Self.quoted(path))")
        defer { channel.free() }
        try await send([0], over: channel)
        let header = try await receiveLine(channel, "read \(path)")
        let words = header.split(separator: " ", maxSplits: 2)
        guard header.hasPrefix("C"), words.count == 3, let size = Int(words[1]), size >= 0 else {
            throw SSHError.other(
                "the guest could not read \(path): \(header.drop { $0.isWhitespace || $0 == "\u{1}" || $0 == "\u{2}" })"
            )
        }
        try await send([0], over: channel)
        var data = Data()
        while data.count < size {
            data.append(contentsOf: try await receive(min(32_000, size - data.count), channel, "read \(path)"))
        }
        try await expectAcknowledgement(channel, "read \(path)")
        try await send([0], over: channel)
        return data
    }

    private func startSCP(_ command: String) async throws -> SSHChannel {
        let channel = try await openChannel()
        do {
            let result = try await retry("starting scp") { ssh_channel_request_exec(channel.pointer, command) }
            guard result == SSH_OK else { throw SSHError.other("the guest does not run scp: \(lastError)") }
            return channel
        } catch {
            channel.free()
            throw error
        }
    }

    private func send(_ bytes: [UInt8], over channel: SSHChannel) async throws {
        var offset = 0
        while offset < bytes.count {
            try Task.checkCancellation()
            let count = bytes[offset...].withUnsafeBytes {
                ssh_channel_write(channel.pointer, $0.baseAddress, UInt32($0.count))
            }
            guard count >= 0, ssh_is_connected(session) != 0 else { throw SSHError.disconnected(lastError) }
            offset += Int(count)
            // A full window: the guest has to take some first.
            if count == 0 { try await pause() }
        }
    }

    private func receive(_ most: Int, _ channel: SSHChannel, _ operation: String) async throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: most)
        let clock = ContinuousClock()
        let start = clock.now
        while true {
            let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(most), 0)
            if count > 0 { return Array(buffer[..<Int(count)]) }
            if ssh_channel_is_eof(channel.pointer) != 0 {
                let text = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(most), 1)
                let reason =
                    text > 0
                    ? String(decoding: buffer[..<Int(text)], as: UTF8.self) : "scp ended early; is it installed there?"
                throw SSHError.other(
                    "the guest could not \(operation): \(reason.split(whereSeparator: \.isNewline).joined(separator: " "))"
                )
            }
            if ssh_is_connected(session) == 0 { throw SSHError.disconnected(lastError) }
            if clock.now - start > .seconds(60) { throw SSHError.timedOut("copying a file with scp") }
            try await pause()
        }
    }

    private func receiveLine(_ channel: SSHChannel, _ operation: String) async throws -> String {
        var line: [UInt8] = []
        while line.count < 4096 {
            let byte = try await receive(1, channel, operation)[0]
            if byte == 0x0A { break }
            line.append(byte)
        }
        return String(decoding: line, as: UTF8.self)
    }

    /// 0: understood. 1 and 2: a complaint follows.
    private func expectAcknowledgement(_ channel: SSHChannel, _ operation: String) async throws {
        let byte = try await receive(1, channel, operation)[0]
        if byte == 0 { return }
        let reason = try await receiveLine(channel, operation)
        throw SSHError.other("the guest could not \(operation): \(reason)")
    }
}

import CLibssh
import Foundation
import Guests
import Scopes

/// The old copy protocol: a line that describes a file or folder, a file's bytes, and a zero byte for "understood" after
/// each step. One side is a `scp` that runs in the guest.
struct SCPChannel {
    enum Record {
        case file(mode: UInt32, size: Int, name: String)
        case folder(mode: UInt32, name: String)
        case endOfFolder
        case complaint(String)
        case end
    }

    let channel: SSHChannel
    /// What it is for: "read /etc/motd".
    let operation: String

    static let nonsense = GuestError.notTransferable("the guest's scp does not keep to its protocol")
}

extension SSHConnection {
    func startSCP(_ command: String, operation: String) async throws -> SCPChannel {
        SCPChannel(channel: try await openChannel(running: command), operation: operation)
    }

    func send(_ bytes: [UInt8], over scp: SCPChannel) async throws {
        var offset = 0
        var last = ContinuousClock.now
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes {
                ssh_channel_write(scp.channel.pointer, $0.baseAddress, UInt32($0.count))
            }
            if count > 0 {
                offset += Int(count)
                last = .now
                continue
            }
            if count < 0 {
                // It ended, and may have said why.
                try await expectAcknowledgement(scp)
                throw GuestError.notTransferable("the guest could not \(scp.operation): its scp ended early")
            }
            // A full window: the guest has to take some first.
            if !isAlive { throw GuestError.connectionLost(lastError) }
            if ContinuousClock.now - last > options.stallTimeout { throw stalled(scp) }
            try await waitForNetwork()
        }
        try Task.checkCancellation()
    }

    /// - Returns: At least one byte; nil at the end.
    private func receiveSome(_ most: Int, _ scp: SCPChannel) async throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: most)
        let start = ContinuousClock.now
        while true {
            let count = ssh_channel_read_nonblocking(scp.channel.pointer, &buffer, UInt32(most), 0)
            if count > 0 { return Array(buffer[..<Int(count)]) }
            if !isAlive { throw GuestError.connectionLost(lastError) }
            if count < 0 || scp.channel.hasEnded { return nil }
            if ContinuousClock.now - start > options.stallTimeout { throw stalled(scp) }
            try await waitForNetwork()
        }
    }

    /// - Returns: At least one byte.
    func receive(_ most: Int, _ scp: SCPChannel) async throws -> [UInt8] {
        if let bytes = try await receiveSome(most, scp) { return bytes }
        throw GuestError.notTransferable("the guest could not \(scp.operation): \(try await lastWords(scp))")
    }

    private func stalled(_ scp: SCPChannel) -> GuestError { .timedOut("waiting for the guest to \(scp.operation)") }

    /// What scp, or the shell that should have started it, wrote on its error output.
    func lastWords(_ scp: SCPChannel) async throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = ssh_channel_read_nonblocking(scp.channel.pointer, &buffer, UInt32(buffer.count), 1)
        guard count > 0 else { return "scp ended early; is it installed there?" }
        return String(decoding: buffer[..<Int(count)], as: UTF8.self).split(whereSeparator: \.isNewline)
            .joined(separator: " ")
    }

    private func receiveLine(_ scp: SCPChannel) async throws -> String {
        var line: [UInt8] = []
        while line.count < 4096 {
            let byte = try await receive(1, scp)[0]
            if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw SCPChannel.nonsense
    }

    /// 0: understood. 1 and 2: a complaint follows.
    func expectAcknowledgement(_ scp: SCPChannel) async throws {
        let byte = try await receive(1, scp)[0]
        if byte == 0 { return }
        throw GuestError.notTransferable("the guest could not \(scp.operation): \(try await receiveLine(scp))")
    }

    func receiveRecord(_ scp: SCPChannel) async throws -> SCPChannel.Record {
        guard let kind = try await receiveSome(1, scp)?.first else { return .end }
        let line = try await receiveLine(scp)
        switch kind {
        case 1, 2: return .complaint(line)
        case UInt8(ascii: "E"): return .endOfFolder
        case UInt8(ascii: "C"), UInt8(ascii: "D"):
            let words = line.split(separator: " ", maxSplits: 2)
            guard words.count == 3, let mode = UInt32(words[0], radix: 8), let size = Int(words[1]), size >= 0 else {
                throw SCPChannel.nonsense
            }
            let name = String(words[2])
            return kind == UInt8(ascii: "D")
                ? .folder(mode: mode, name: name) : .file(mode: mode, size: size, name: name)
        default: throw SCPChannel.nonsense
        }
    }
}

import CLibssh
import Foundation
import Glibc

/// Agent forwarding: what the guest asks over a channel goes to the agent's socket, and the answers back.
extension SSHConnection {
    /// Takes up the channels that the guest has opened since the last call.
    func relayToAgent() {
        guard let path = forwardedAgent else { return }
        for pointer in handle.takeAgentChannels() {
            let channel = AgentChannel(pointer)
            Task { [weak self] in await self?.relay(channel, to: path) }
        }
    }

    /// Handed to the task on the connection's own thread.
    private struct AgentChannel: @unchecked Sendable {
        let pointer: ssh_channel
        init(_ pointer: ssh_channel) { self.pointer = pointer }
    }

    private func relay(_ agentChannel: AgentChannel, to path: String) async {
        let channel = SSHChannel(agentChannel.pointer)
        let agent = Self.connectToAgent(path)
        defer {
            if agent >= 0 { Foundation.close(agent) }
            channel.free()
            handle.agentChannelEnded()
        }
        var toAgent: [UInt8] = []
        var toGuest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while agent >= 0, isAlive {
            if toAgent.isEmpty {
                let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(buffer.count), 0)
                if count > 0 { toAgent = Array(buffer[..<Int(count)]) }
                if count < 0 || ssh_channel_is_eof(channel.pointer) != 0 { return }
            }
            if !toAgent.isEmpty {
                let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
                let count = Glibc.send(agent, toAgent, toAgent.count, flags)
                if count > 0 { toAgent.removeFirst(count) } else if errno != EAGAIN { return }
            }
            if toGuest.isEmpty {
                let count = recv(agent, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { toGuest = Array(buffer[..<count]) } else if count == 0 || errno != EAGAIN { return }
            }
            if !toGuest.isEmpty {
                let count = ssh_channel_write(channel.pointer, toGuest, UInt32(toGuest.count))
                guard count >= 0 else { return }
                toGuest.removeFirst(Int(count))
            }
            do { try await waitForNetwork() } catch { return }
        }
    }

    private static func connectToAgent(_ path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return -1 }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result == 0 { return descriptor }
        Foundation.close(descriptor)
        return -1
    }
}

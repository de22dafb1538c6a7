import CLibssh
import Guests

/// A session of libssh's, freed exactly once, with what libssh writes to while it lives.
final class SessionHandle: @unchecked Sendable {  // Used on the connection's thread, freed on any.
    let pointer: ssh_session
    private let counter = UnsafeMutablePointer<ssh_counter_struct>.allocate(capacity: 1)
    private let callbacks = UnsafeMutablePointer<ssh_callbacks_struct>.allocate(capacity: 1)
    /// Channels that the guest has opened to our agent and nobody has taken up yet.
    private var agentChannels: [ssh_channel] = []
    private var openAgentChannels = 0
    /// More at a time are no honest use of an agent.
    private static let mostAgentChannels = 16

    init() throws {
        try requireLibssh(to: "connect over SSH")
        ssh_init()
        guard let pointer = ssh_new() else { throw GuestError.other("libssh has no memory for a session") }
        self.pointer = pointer
        counter.initialize(to: ssh_counter_struct())
        callbacks.initialize(to: ssh_callbacks_struct())
        ssh_set_counters(pointer, counter, nil)
    }

    deinit {
        ssh_free(pointer)
        counter.deallocate()
        callbacks.deallocate()
    }

    /// Everything that has come over the socket, in bytes.
    var receivedBytes: UInt64 { counter.pointee.in_bytes }

    /// Lets the guest open channels to the agent; they are fetched with `takeAgentChannels`.
    func allowAgentChannels() {
        callbacks.pointee.size = MemoryLayout<ssh_callbacks_struct>.size
        callbacks.pointee.userdata = Unmanaged.passUnretained(self).toOpaque()
        callbacks.pointee.channel_open_request_auth_agent_function = { session, userdata in
            guard let userdata else { return nil }
            return Unmanaged<SessionHandle>.fromOpaque(userdata).takeUnretainedValue().addAgentChannel(session)
        }
        ssh_set_callbacks(pointer, callbacks)
    }

    private func addAgentChannel(_ session: ssh_session?) -> ssh_channel? {
        guard openAgentChannels < Self.mostAgentChannels, let channel = ssh_channel_new(session) else { return nil }
        openAgentChannels += 1
        agentChannels.append(channel)
        return channel
    }

    func takeAgentChannels() -> [ssh_channel] {
        defer { agentChannels = [] }
        return agentChannels
    }

    func agentChannelEnded() { openAgentChannels -= 1 }
}

import CLibssh
import Foundation
import Guests
import Scopes

/// A channel of a session, freed exactly once, on the session's thread.
final class SSHChannel {
    let pointer: ssh_channel

    init(_ pointer: ssh_channel) { self.pointer = pointer }

    func free() {
        ssh_channel_close(pointer)
        ssh_channel_free(pointer)
    }

    var hasEnded: Bool { ssh_channel_is_eof(pointer) != 0 || ssh_channel_is_closed(pointer) != 0 }
}

extension SSHConnection {
    func openChannel() async throws -> SSHChannel {
        guard isAlive else { throw GuestError.connectionLost("it was closed") }
        guard let pointer = ssh_channel_new(session) else {
            throw GuestError.other("no channel can be made: \(lastError)")
        }
        noteLife()
        let channel = SSHChannel(pointer)
        do {
            let result = try await retry("opening a channel") { ssh_channel_open_session(pointer) }
            guard result == SSH_OK else {
                if isAlive && lastError.hasPrefix("Channel opening failure") {
                    throw GuestError.other("the guest opens no channel: \(lastError)")
                }
                // Without a refusal it is the connection that is gone.
                close()
                throw GuestError.connectionLost("the guest closed it")
            }
            return channel
        } catch {
            channel.free()
            throw error
        }
    }

    /// A channel with a command on it.
    func openChannel(running command: String, usesPTY: Bool = false) async throws -> SSHChannel {
        let channel = try await openChannel()
        do {
            if forwardedAgent != nil {
                // Asked for without an answer: a guest that does not allow it simply has no agent.
                _ = try await retry("forwarding the agent") { ssh_channel_request_auth_agent(channel.pointer) }
            }
            if usesPTY {
                // Packer switches the echo off; nothing is ever typed here, so there is nothing to echo.
                let result = try await retry("asking for a terminal") {
                    ssh_channel_request_pty_size(channel.pointer, "xterm", 80, 40)
                }
                guard result == SSH_OK else { throw refusal("gives no terminal") }
            }
            let result = try await retry("starting a command") { ssh_channel_request_exec(channel.pointer, command) }
            guard result == SSH_OK else { throw refusal("does not run the command") }
            return channel
        } catch {
            channel.free()
            throw error
        }
    }

    private func refusal(_ what: String) -> GuestError {
        isAlive ? .other("the guest \(what): \(lastError)") : .connectionLost(lastError)
    }
}

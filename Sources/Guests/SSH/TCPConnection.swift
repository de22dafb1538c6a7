import CLibssh
import Foundation

/// Opening a TCP connection without blocking a thread.
enum TCPConnection {
    /// - Parameter timeout: For the look-up, and for each address.
    /// - Returns: A connected, non-blocking socket.
    /// - Throws: `SSHError`, `CancellationError`.
    static func open(_ endpoint: SSHEndpoint, timeout: Duration) async throws -> Int32 {
        var last = SSHError.hostNotFound("the host \(endpoint.host) has no address")
        for address in try await HostLookup.resolve(endpoint, timeout: timeout) {
            do { return try await connect(address, timeout) } catch let error as SSHError { last = error }
        }
        throw last
    }

    private static func connect(_ address: SocketAddress, _ timeout: Duration) async throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, kind, 0)
        guard descriptor >= 0 else { throw failure(errno) }
        do {
            let result = address.bytes.withUnsafeBytes { bytes in
                Foundation.connect(
                    descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
            }
            if result != 0 {
                guard errno == EINPROGRESS else { throw failure(errno) }
                let deadline = ContinuousClock.now + timeout
                while true {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if poll(&waiting, 1, 0) > 0 { break }
                    if ContinuousClock.now > deadline { throw failure(ETIMEDOUT) }
                    try await Task.sleep(for: .milliseconds(5))
                }
                var code: Int32 = 0
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
                if code != 0 { throw failure(code) }
            }
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func failure(_ code: Int32) -> SSHError {
        switch code {
        case ECONNREFUSED: .connectionRefused
        case ETIMEDOUT: .timedOut("connecting")
        default: .unreachable(String(cString: strerror(code)))
        }
    }
}

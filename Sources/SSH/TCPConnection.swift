import Foundation

/// Opening a TCP connection without blocking a thread.
enum TCPConnection {
    /// - Returns: A connected, non-blocking socket.
    /// - Throws: `SSHError`, `CancellationError`.
    static func open(_ endpoint: SSHEndpoint, timeout: Duration) async throws -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard status == 0, let list else {
            throw SSHError.other("the host \(endpoint.host) cannot be found: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var next: UnsafeMutablePointer<addrinfo>? = list
        var last = SSHError.connectionRefused
        while let address = next?.pointee {
            next = address.ai_next
            do { return try await connect(address, timeout) } catch let error as SSHError { last = error }
        }
        throw last
    }

    private static func connect(_ address: addrinfo, _ timeout: Duration) async throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.ai_family, kind, 0)
        guard descriptor >= 0 else { throw SSHError.other(String(cString: strerror(errno))) }
        do {
            if Foundation.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
                guard errno == EINPROGRESS else { throw SSHError.connectionRefused }
                let clock = ContinuousClock()
                let start = clock.now
                while true {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if poll(&waiting, 1, 0) > 0 { break }
                    if clock.now - start > timeout { throw SSHError.timedOut("connecting") }
                    try await Task.sleep(for: .milliseconds(10))
                }
                var failure: Int32 = 0
                var length = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
                if failure != 0 { throw SSHError.connectionRefused }
            }
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            return descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }
}

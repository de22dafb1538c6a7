import CLibssh
import Foundation
import Synchronization

/// An address of a host with a port, as the system takes it.
struct SocketAddress: Sendable {
    let family: Int32
    /// A `sockaddr`.
    let bytes: [UInt8]
}

/// The addresses of a host name.
enum HostLookup {
    /// The system's resolver blocks and cannot be called off, so it gets a thread that is left behind at the deadline.
    ///
    /// - Throws: `SSHError`, `CancellationError`.
    static func resolve(_ endpoint: SSHEndpoint, timeout: Duration) async throws -> [SocketAddress] {
        // A numeric address needs nobody's answer.
        if case .success(let addresses) = lookUp(endpoint, flags: AI_NUMERICHOST) { return addresses }
        let answer = Answer()
        Thread.detachNewThread { answer.set(lookUp(endpoint, flags: 0)) }
        let deadline = ContinuousClock.now + timeout
        while true {
            if let result = answer.get() { return try result.get() }
            if ContinuousClock.now > deadline { throw SSHError.timedOut("looking up the host \(endpoint.host)") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private final class Answer: Sendable {
        private let value = Mutex<Result<[SocketAddress], SSHError>?>(nil)
        func set(_ result: Result<[SocketAddress], SSHError>) { value.withLock { $0 = result } }
        func get() -> Result<[SocketAddress], SSHError>? { value.withLock { $0 } }
    }

    private static func lookUp(_ endpoint: SSHEndpoint, flags: Int32) -> Result<[SocketAddress], SSHError> {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        guard status == 0 else {
            return .failure(
                .hostNotFound("the host \(endpoint.host) cannot be found: \(String(cString: gai_strerror(status)))"))
        }
        defer { freeaddrinfo(list) }
        let entries = sequence(first: list) { $0?.pointee.ai_next }.compactMap { $0?.pointee }
        return .success(
            entries.map {
                SocketAddress(
                    family: $0.ai_family,
                    bytes: Array(UnsafeRawBufferPointer(start: $0.ai_addr, count: Int($0.ai_addrlen))))
            })
    }
}

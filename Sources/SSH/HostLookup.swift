import CLibssh
import Foundation
import Synchronization

/// The addresses of a host name.
final class HostLookup: @unchecked Sendable {  // Never changed after init.
    private let list: UnsafeMutablePointer<addrinfo>

    private init(_ list: UnsafeMutablePointer<addrinfo>) { self.list = list }

    deinit { freeaddrinfo(list) }

    var addresses: [addrinfo] {
        Array(sequence(first: list.pointee) { $0.ai_next?.pointee })
    }

    /// The system's resolver blocks and cannot be called off, so it gets a thread that is left behind at the deadline.
    ///
    /// - Throws: `SSHError`, `CancellationError`.
    static func resolve(_ endpoint: SSHEndpoint, timeout: Duration) async throws -> HostLookup {
        let answer = Answer()
        Thread.detachNewThread { answer.set(lookUp(endpoint)) }
        let deadline = ContinuousClock.now + timeout
        while true {
            if let result = answer.value.withLock({ $0 }) { return try result.get() }
            if ContinuousClock.now > deadline { throw SSHError.timedOut("looking up the host \(endpoint.host)") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private final class Answer: Sendable {
        let value = Mutex<Result<HostLookup, SSHError>?>(nil)
        func set(_ result: Result<HostLookup, SSHError>) { value.withLock { $0 = result } }
    }

    private static func lookUp(_ endpoint: SSHEndpoint) -> Result<HostLookup, SSHError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
        if status == 0, let list { return .success(HostLookup(list)) }
        return .failure(
            .hostNotFound("the host \(endpoint.host) cannot be found: \(String(cString: gai_strerror(status)))"))
    }
}

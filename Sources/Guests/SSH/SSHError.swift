/// Why no SSH session came up; what happens after the handshake is a `GuestError`.
package enum SSHError: Error, Sendable, CustomStringConvertible, Equatable {
    case connectionRefused
    /// - Parameter reason: In the system's words: no route, network down.
    case unreachable(String)
    case hostNotFound(String)
    /// The port accepts connections, but nothing that speaks SSH answers.
    case noBanner
    case handshakeFailed(String)
    case timedOut(String)

    package var description: String {
        switch self {
        case .connectionRefused: "the port is closed"
        case .unreachable(let reason): "the guest cannot be reached: \(reason)"
        case .hostNotFound(let reason): reason
        case .noBanner: "nothing that speaks SSH answers yet"
        case .handshakeFailed(let reason): "the SSH handshake failed: \(reason)"
        case .timedOut(let what): "timed out while \(what)"
        }
    }
}

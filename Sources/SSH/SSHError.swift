/// Why something over SSH did not work.
package enum SSHError: Error, Sendable, CustomStringConvertible, Equatable {
    case connectionRefused
    /// - Parameter reason: In the system's words: no route, network down.
    case unreachable(String)
    case hostNotFound(String)
    /// The port accepts connections, and nothing that speaks SSH answers.
    case noBanner
    case handshakeFailed(String)
    /// - Parameter offered: The methods that the server takes.
    case authenticationRefused(tried: [String], offered: [String])
    case disconnected(String)
    case timedOut(String)
    case other(String)

    /// The connection is gone or never came up; a new one may work.
    package var isConnectionLoss: Bool {
        switch self {
        case .connectionRefused, .unreachable, .hostNotFound, .noBanner, .handshakeFailed, .disconnected, .timedOut:
            true
        case .authenticationRefused, .other: false
        }
    }

    package var description: String {
        switch self {
        case .connectionRefused: "the port is closed"
        case .unreachable(let reason): "the guest cannot be reached: \(reason)"
        case .hostNotFound(let reason): reason
        case .noBanner: "nothing that speaks SSH answers yet"
        case .handshakeFailed(let reason): "the SSH handshake failed: \(reason)"
        case .authenticationRefused(let tried, let offered):
            "the guest refused the login (tried: \(tried.isEmpty ? "nothing" : tried.joined(separator: ", ")); it takes: "
                + "\(offered.isEmpty ? "nothing it told" : offered.joined(separator: ", ")))"
        case .disconnected(let reason): "the SSH connection is gone: \(reason)"
        case .timedOut(let what): "timed out while \(what)"
        case .other(let reason): reason
        }
    }
}

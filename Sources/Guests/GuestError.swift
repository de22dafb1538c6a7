/// Why a guest did not do what it was asked, over whatever transport.
package enum GuestError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The connection is gone; a new one may work.
    case connectionLost(String)
    /// - Parameters:
    ///   - tried: The methods that the credentials were good for, such as `password`.
    ///   - offered: The methods that the guest takes; empty where it did not say.
    case loginRefused(tried: [String], offered: [String])
    /// - Parameter operation: What took too long, such as "running a command".
    case timedOut(_ operation: String)
    /// A file or folder could not be copied, though the connection works.
    case notTransferable(String)
    case other(String)

    /// Whether a new connection may work.
    package var isConnectionLoss: Bool {
        switch self {
        case .connectionLost, .timedOut: true
        case .loginRefused, .notTransferable, .other: false
        }
    }

    package var description: String {
        switch self {
        case .connectionLost(let reason): "the connection to the guest is lost: \(reason)"
        case .loginRefused(let tried, let offered):
            "the guest refused the login (tried: \(tried.isEmpty ? "nothing" : tried.joined(separator: ", ")); it takes: "
                + "\(offered.isEmpty ? "nothing it named" : offered.joined(separator: ", ")))"
        case .timedOut(let operation): "timed out while \(operation)"
        case .notTransferable(let reason), .other(let reason): reason
        }
    }
}

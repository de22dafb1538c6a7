/// An answer of the API that is not a success.
package struct APIRefusal: Error, Sendable, CustomStringConvertible {
    /// The HTTP status, or the one inside the answer: 400, 401, 403, 500, 595…
    package var status: Int
    /// The server's own words, on one line.
    package var message: String
    /// For a 400: each parameter at fault.
    package var parameters: [String: String] = [:]

    package init(status: Int, message: String, parameters: [String: String] = [:]) {
        self.status = status
        self.message = message
        self.parameters = parameters
    }

    package var description: String {
        let words = message.isEmpty ? "no reason given" : message
        let details = parameters.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return "the server refused it (\(status)): " + ([words] + details).joined(separator: "; ")
    }

    /// Whether it is worth asking again a little later: the server could not serve, rather than would not.
    var isPassing: Bool { [429, 502, 503, 504, 595, 596, 597, 598, 599].contains(status) }

    /// Whether a machine of that number exists already.
    package var saysMachineExists: Bool {
        message.contains("already exists") && (status == 500 || status == 400)
    }

    /// Whether what was asked for is not there.
    package var saysMissing: Bool {
        status == 404 || (status == 500 && (message.contains("does not exist") || message.contains("no such")))
    }
}

/// A task that ended badly.
package struct TaskFailure: Error, Sendable, CustomStringConvertible {
    package var task: UPID
    /// What the server says of its end.
    package var status: String
    /// The last lines of its log.
    package var log: [String]

    package var description: String {
        let tail = log.filter { !$0.isEmpty && !$0.hasPrefix("TASK ERROR") }.suffix(5)
        let lines = tail.isEmpty ? "" : "; its log ends with: " + tail.joined(separator: " | ")
        return "the task \(task.type) failed: \(status)" + lines
    }
}

/// A connection that did not come about, or broke.
package struct ConnectionFailure: Error, Sendable, CustomStringConvertible {
    /// How far the request had got.
    package enum Stage: Sendable {
        /// Nothing was sent, so the call can be made again.
        case connecting
        /// The server may have done what it was asked.
        case underWay
    }
    package var stage: Stage
    package var reason: String
    package var description: String { reason }
}

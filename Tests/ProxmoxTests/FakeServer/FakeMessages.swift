import Foundation
import ProxmoxConfiguration

/// A request as the fake server got it.
struct FakeRequest: Sendable {
    var method: String
    var path: String
    var query: String
    var headers: [String: String]
    var body: Data
}

/// A refusal, with the status and words of the real server.
struct FakeRefusal: Error {
    var status: Int
    var message: String
    var errors: [String: String] = [:]

    static func parameters(_ errors: [String: String]) -> FakeRefusal {
        FakeRefusal(status: 400, message: "Parameter verification failed.", errors: errors)
    }
    static func forbidden(_ what: String) -> FakeRefusal {
        FakeRefusal(status: 403, message: "Permission check failed (\(what))")
    }
    static func died(_ message: String) -> FakeRefusal { FakeRefusal(status: 500, message: message) }
}

struct FakeReply: Sendable {
    var status = 200
    var reason: String?
    var body = Data()
}

/// What the server does instead of, or after, what it was asked.
enum Fault: Sendable, Equatable {
    case refuse(Int, String)
    /// Never answers and does nothing.
    case hang
    /// Closes the connection in the middle of the request.
    case cut
    /// Answers as a web server of another kind.
    case garbage
    /// Does it, and closes the connection without an answer.
    case doAndCut
    /// Does it, and never answers.
    case doAndHang
}

/// Which calls a fault befalls.
struct FaultRule: Sendable {
    var call: String
    /// Counted from 1; nil is every one from the start on.
    var occurrence: Int?
    var fault: Fault
}

/// Percent-decodes a form or query.
func formFields(_ text: String) -> [String: String] {
    var fields: [String: String] = [:]
    for part in text.split(separator: "&") {
        let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = pair.count > 1 ? pair[1].replacing("+", with: " ") : ""
        fields[String(pair[0]).removingPercentEncoding ?? ""] = value.removingPercentEncoding ?? ""
    }
    return fields
}

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ProxmoxConfiguration
import Scopes
import Synchronization

/// A signed-in client of the API of one Proxmox VE server.
///
/// Every failure is a `BuildError` that says what was attempted and what to do; what is beneath it is an
/// `APIRefusal`, `TaskFailure`, `ConnectionFailure` or `TimedOut`. Only reading calls are made again after a passing
/// fault, and calls of which nothing was sent.
package final class ProxmoxClient: Sendable {
    package let server: ProxmoxServer
    let http: HTTPClient
    let ticket = Mutex<Ticket?>(nil)

    /// What a password was exchanged for.
    struct Ticket: Sendable {
        var cookie: Sensitive<String>
        var guardToken: Sensitive<String>
        var issued: ContinuousClock.Instant
    }

    private init(_ server: ProxmoxServer) throws {
        self.server = server
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try .init(for: server))
    }

    /// Runs `body` with a client, and closes its connections.
    package static func with<Value: Sendable>(
        _ server: ProxmoxServer, _ body: (ProxmoxClient) async throws -> Value
    ) async throws -> Value {
        let client = try ProxmoxClient(server)
        let result: Result<Value, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        // Awaited at once; a fresh task does not see our cancellation. A client that will not end leaks sockets, no more.
        await Task { try? await client.http.shutdown() }.value
        return try result.get()
    }

    /// Makes a call and decodes its answer.
    func call<Value: Decodable & Sendable>(_ call: APICall, as type: Value.Type = Value.self) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await answer(to: call, as: type)
            } catch let error as BuildError where attempt < 3 && mayRepeat(call, after: error.underlying) {
                attempt += 1
                try await Task.sleep(for: server.pace.retryDelay)
            }
        }
    }

    private func mayRepeat(_ call: APICall, after error: any Error) -> Bool {
        switch error {
        case let failure as ConnectionFailure: call.isSafe || failure.stage == .connecting
        case let refusal as APIRefusal: call.isSafe && refusal.isPassing
        case is TimedOut: call.isSafe
        default: false
        }
    }

    private func answer<Value: Decodable & Sendable>(to call: APICall, as type: Value.Type) async throws -> Value {
        var request = try await request(for: call)
        let form = PercentEncoding.form(call.fields)
        if call.method == .GET || call.method == .DELETE {
            if !form.isEmpty { request.url += "?" + form }
        } else {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: form))
        }
        do {
            return try await perform(request, call, as: type)
        } catch let error as BuildError {
            // A ticket can end early, when the server's key changes; what was refused for it was not done.
            guard (error.underlying as? APIRefusal)?.status == 401, call.path != Self.ticketPath,
                ticket.withLock({ held in
                    defer { held = nil }; return held != nil
                })
            else { throw error }
            let fresh = try await self.request(for: call)
            request.headers = fresh.headers
            if request.body != nil {
                request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            }
            return try await perform(request, call, as: type)
        }
    }

    /// A request with what signs it in.
    ///
    /// The `extjs` form of answers is asked for, as the server's own web pages do: it has a refusal's words in the body
    /// in every version, where `json` had them in the status line alone before 8.3.
    func request(for call: APICall) async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: server.address + "/api2/extjs" + call.path)
        request.method = HTTPMethod(rawValue: call.method.rawValue)
        request.headers.add(name: "User-Agent", value: "ingot")
        request.headers.add(name: "Accept", value: "application/json")
        switch server.credentials {
        case .token(let id, let secret):
            request.headers.add(name: "Authorization", value: "PVEAPIToken=\(id)=\(secret.reveal())")
        case .password where call.path == Self.ticketPath: break
        case .password:
            let ticket = try await currentTicket()
            // As it came: not every server and proxy decodes percent signs in cookies.
            request.headers.add(name: "Cookie", value: "PVEAuthCookie=" + ticket.cookie.reveal())
            if call.method != .GET {
                request.headers.add(name: "CSRFPreventionToken", value: ticket.guardToken.reveal())
            }
        }
        return request
    }

    /// Sends a request and reads its answer, within the call's limit.
    func perform<Value: Decodable & Sendable>(
        _ request: HTTPClientRequest, _ call: APICall, as type: Value.Type
    ) async throws -> Value {
        let limit = call.limit ?? server.pace.callLimit
        let (http, name) = (http, server.address)
        let status: HTTPResponseStatus
        let bytes: ByteBuffer
        do {
            (status, bytes) = try await withDeadline(limit, "waiting for the answer of \(name)") {
                let response = try await http.execute(request, timeout: TimeAmount(limit + .seconds(1)))
                return (response.status, try await response.body.collect(upTo: Self.longestAnswer))
            }
        } catch {
            let (cause, hint) = transportFailure(error)
            if cause is CancellationError { throw cause }
            throw BuildError(operation: call.operation, hint: hint, underlying: cause)
        }
        do {
            return try Self.decode(status, bytes, as: type)
        } catch let refusal as APIRefusal {
            let hint = RefusalAdvice.hint(
                for: refusal, privileges: call.privileges, credentials: server.credentials)
            throw BuildError(operation: call.operation, hint: hint, underlying: refusal)
        } catch {
            throw BuildError(
                call.operation, because: "the answer of \(name) is not one of Proxmox VE (\(error))",
                hint:
                    "Check that the address and port are those of Proxmox VE, not of another program or its backup server."
            )
        }
    }

    private static func decode<Value: Decodable>(
        _ status: HTTPResponseStatus, _ bytes: ByteBuffer, as type: Value.Type
    ) throws -> Value {
        let data = Data(bytes.readableBytesView)
        let decoder = JSONDecoder()
        guard (200..<300).contains(status.code) else {
            // What a proxy or an early refusal sends has no such body; its status must do.
            let head = try? decoder.decode(AnswerHead.self, from: data)
            throw APIRefusal(
                status: Int(status.code), message: oneLine(head?.message?.text ?? words(of: Int(status.code))),
                parameters: problems(head?.errors))
        }
        let head = try decoder.decode(AnswerHead.self, from: data)
        if head.success?.isTrue == false || head.errors?.isEmpty == false {
            throw APIRefusal(
                status: head.status?.integer.flatMap { Int(exactly: $0) } ?? 500,
                message: oneLine(head.message?.text ?? ""),
                parameters: problems(head.errors))
        }
        return try decoder.decode(AnswerBody<Value>.self, from: data).data
    }

    /// What is wrong with each parameter; the server may repeat a bad value, which must not be shown of a password.
    private static func problems(_ errors: [String: JSONScalar]?) -> [String: String] {
        let problems = (errors ?? [:]).map { key, problem in
            (oneLine(key), key.contains("password") ? "not accepted" : oneLine(problem.text))
        }
        return Dictionary(problems) { first, _ in first }
    }

    /// What a status alone says; the words beside it in the status line are not kept by the HTTP library.
    private static func words(of status: Int) -> String {
        switch status {
        case 401: "the server did not let us in"
        case 403: "not permitted"
        case 404: "not found"
        case 501: "it does not know the call"
        case 502, 503, 504: "the server behind the proxy did not serve it"
        case 595: "it could not reach the node"
        case 596: "the connection to the node broke"
        case 599: "too many connections"
        default: ""
        }
    }

    /// Foreign text fit for a line of an error.
    static func oneLine(_ text: String) -> String {
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        let visible = words.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
        return String(visible.prefix(600).map(Character.init))
    }

    static let ticketPath = "/access/ticket"
    /// Lists of storages with thousands of volumes stay below it.
    private static let longestAnswer = 32 << 20
}

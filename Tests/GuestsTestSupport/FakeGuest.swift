package import Foundation
package import Guests
import Synchronization

/// A guest without a machine: it answers calls as its rules say, and records them.
///
/// What no rule matches works: commands end with 0 and write nothing, files are copied.
package final class FakeGuest: Guest {
    /// What a guest is asked for.
    package struct Call: Sendable, Equatable, CustomStringConvertible {
        package enum Kind: Sendable, Equatable {
            case connect, run, upload, uploadFile, uploadTree, download, downloadTree, close
        }
        package var kind: Kind
        /// The command, or the path in the guest.
        package var text: String
        /// The path on this host, of a copied file or folder.
        package var local: String?
        /// The content of a file that was uploaded as data.
        package var data: Data?
        package var mode: UInt32?
        /// The time limit of a command or of connecting.
        package var timeout: Duration?

        package init(_ kind: Kind, _ text: String = "") {
            self.kind = kind
            self.text = text
        }

        /// The uploaded data as text.
        package var content: String? { data.map { String(decoding: $0, as: UTF8.self) } }
        package var description: String { text.isEmpty ? "\(kind)" : "\(kind) \(text)" }
    }

    /// What comes of a call.
    package struct Reply: Sendable {
        fileprivate var output: [OutputChunk] = []
        fileprivate var end: @Sendable () async throws -> ExitStatus
        /// The connection is gone afterwards.
        fileprivate var isLoss = false

        /// A command that writes lines and ends; to a copy it means nothing.
        package static func exit(_ code: Int, _ lines: String..., errors: [String] = []) -> Reply {
            Reply(output: lines.map { .init(text: $0, isError: false) } + errors.map { .init(text: $0, isError: true) })
            {
                .code(code)
            }
        }

        /// A command during which the connection is lost.
        package static func loss(_ lines: String...) -> Reply {
            Reply(output: lines.map { .init(text: $0, isError: false) }, end: { .lostConnection }, isLoss: true)
        }

        /// A call that fails; with a lost connection the guest is not alive afterwards.
        package static func failure(_ error: any Error) -> Reply {
            var isLoss = false
            if case .connectionLost? = error as? GuestError { isLoss = true }
            return Reply(end: { throw error }, isLoss: isLoss)
        }

        /// A call that ends only when it is cancelled.
        package static let hang = Reply {
            try await Task.sleep(for: .seconds(3600)); return .signal
        }

        /// A call that does something before it ends.
        package static func doing(_ body: @escaping @Sendable () async throws -> ExitStatus) -> Reply {
            Reply(end: body)
        }
    }

    private struct Rule {
        var kind: Call.Kind
        var part: String
        var reply: Reply
        var left: Int
    }

    private struct State {
        var rules: [Rule] = []
        var calls: [Call] = []
        var isAlive = true
        var waiters: [(kind: Call.Kind, part: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    package let dialect: GuestDialect
    package let description = "fake"

    package init(_ dialect: GuestDialect = .posix) { self.dialect = dialect }

    /// Sets what calls of a kind whose text contains `part` give, `times` times; rules given first win.
    package func on(_ kind: Call.Kind, _ part: String = "", _ reply: Reply, times: Int = .max) {
        state.withLock { $0.rules.append(Rule(kind: kind, part: part, reply: reply, left: times)) }
    }

    /// All calls so far.
    package var calls: [Call] { state.withLock { $0.calls } }
    /// The calls of one kind.
    package func calls(_ kind: Call.Kind) -> [Call] { calls.filter { $0.kind == kind } }
    /// The commands so far.
    package var commands: [String] { calls(.run).map(\.text) }

    /// Returns once a call was made.
    package func called(_ kind: Call.Kind, _ part: String = "") async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.calls.contains(where: { $0.kind == kind && (part.isEmpty || $0.text.contains(part)) }) {
                    return true
                }
                state.waiters.append((kind, part, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// The connection breaks without a call that would notice it.
    package func cut() { state.withLock { $0.isAlive = false } }

    /// Records a call and takes its reply; nil where no rule matches.
    private func record(_ call: Call) -> Reply? {
        let (reply, waiters) = state.withLock { state in
            state.calls.append(call)
            func matches(_ kind: Call.Kind, _ part: String) -> Bool {
                kind == call.kind && (part.isEmpty || call.text.contains(part))
            }
            let waiters = state.waiters.filter { matches($0.kind, $0.part) }
            state.waiters.removeAll { matches($0.kind, $0.part) }
            let index = state.rules.firstIndex { $0.left > 0 && matches($0.kind, $0.part) }
            if let index { state.rules[index].left -= 1 }
            return (index.map { state.rules[$0].reply }, waiters)
        }
        for waiter in waiters { waiter.continuation.resume() }
        return reply
    }

    private func perform(_ call: Call, onOutput: (OutputChunk) -> Void = { _ in }) async throws -> ExitStatus {
        let reply = record(call)
        guard state.withLock({ $0.isAlive }) else { throw GuestError.connectionLost("it was cut") }
        guard let reply else { return .code(0) }
        for chunk in reply.output { onOutput(chunk) }
        if reply.isLoss { cut() }
        return try await reply.end()
    }

    package func run(
        _ command: String, timeout: Duration?, onOutput: @escaping @Sendable (OutputChunk) -> Void
    ) async throws -> ExitStatus {
        var call = Call(.run, command)
        call.timeout = timeout
        return try await perform(call, onOutput: onOutput)
    }

    package func upload(_ data: Data, to path: String, mode: UInt32) async throws {
        var call = Call(.upload, path)
        call.data = data
        call.mode = mode
        _ = try await perform(call)
    }

    package func upload(file: String, to path: String) async throws { try await copy(.uploadFile, path, file) }
    package func uploadTree(_ local: String, to remote: String) async throws {
        try await copy(.uploadTree, remote, local)
    }
    package func download(_ remote: String, to local: String) async throws { try await copy(.download, remote, local) }
    package func downloadTree(_ remote: String, to local: String) async throws {
        try await copy(.downloadTree, remote, local)
    }

    private func copy(_ kind: Call.Kind, _ remote: String, _ local: String) async throws {
        var call = Call(kind, remote)
        call.local = local
        _ = try await perform(call)
    }

    package var isAlive: Bool { state.withLock { $0.isAlive } }

    package func close() async {
        _ = record(Call(.close))
        cut()
    }

    package func ensureConnected(timeout: Duration) async throws {
        if isAlive { return }
        var call = Call(.connect)
        call.timeout = timeout
        if let reply = record(call) { _ = try await reply.end() }
        state.withLock { $0.isAlive = true }
    }
}

package import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Scopes
import ServiceLifecycle
import Synchronization

/// What is served.
package enum HTTPContent: Sendable {
    /// A folder, by its absolute path.
    case directory(String)
    /// Text by path; paths begin with `/`.
    case content([String: String])
}

/// One request that was answered.
package struct HTTPRequestRecord: Sendable {
    package var time: Date
    package var method: String
    package var path: String
    package var status: Int
    /// Of the answer's body.
    package var bytes: Int
}

/// A small HTTP server for answer files, alive until it is stopped.
package final class HTTPServer: Sendable {
    package let host: String
    package let port: Int
    private let task: Task<Void, any Error>
    private let services: ServiceGroup

    private init(host: String, port: Int, task: Task<Void, any Error>, services: ServiceGroup) {
        self.host = host
        self.port = port
        self.task = task
        self.services = services
    }

    /// Starts on a free port of the range, a random one first.
    ///
    /// - Parameters:
    ///   - ports: The upper bound is excluded; an empty range is exactly its lower bound.
    ///   - onRequest: Called for every request once it is answered, from any thread.
    /// - Throws: `BuildError` when every port is taken.
    package static func start(
        content: HTTPContent, host: String, ports: Range<Int>,
        onRequest: @escaping @Sendable (HTTPRequestRecord) -> Void
    ) async throws -> HTTPServer {
        let candidates = ports.isEmpty ? [ports.lowerBound] : rotated(ports)
        var last: (any Error)?
        for port in candidates.prefix(200) {
            do { return try await start(content, host, port, onRequest) } catch let error as IOError
                where error.errnoCode == EADDRINUSE
            {
                last = error
            }
        }
        throw BuildError(
            operation:
                "start the HTTP server on \(host), ports \(ports.lowerBound) to \(max(ports.lowerBound, ports.upperBound - 1))",
            hint: "Every port tried is taken: give http_port_min and http_port_max a wider range.",
            underlying: last ?? Reason(text: "no port was tried"))
    }

    private static func rotated(_ ports: Range<Int>) -> [Int] {
        let start = Int.random(in: ports)
        return Array(start..<ports.upperBound) + Array(ports.lowerBound..<start)
    }

    private static func start(
        _ content: HTTPContent, _ host: String, _ port: Int,
        _ onRequest: @escaping @Sendable (HTTPRequestRecord) -> Void
    ) async throws -> HTTPServer {
        let responder = FileResponder(content: content, onRequest: onRequest)
        let (started, continuation) = AsyncThrowingStream.makeStream(of: Int.self)
        var logger = Logger(label: "http")
        logger.logLevel = .critical
        let application = Application(
            responder: responder,
            configuration: .init(address: .hostname(host, port: port), serverName: "ingot"),
            onServerRunning: { channel in
                continuation.yield(channel.localAddress?.port ?? port)
                continuation.finish()
            }, logger: logger)
        var grouping = ServiceGroupConfiguration(services: [application], logger: logger)
        grouping.maximumGracefulShutdownDuration = .seconds(2)
        let services = ServiceGroup(configuration: grouping)
        let task = Task {
            do { try await services.run() } catch {
                continuation.finish(throwing: error)
                throw error
            }
            continuation.finish(throwing: CancellationError())
        }
        for try await bound in started { return HTTPServer(host: host, port: bound, task: task, services: services) }
        throw CancellationError()
    }

    /// Ends the server and waits until it is gone.
    package func stop() async {
        // Cancelling would drop connections that are accepted but not yet read, on which NIO traps.
        await services.triggerGracefulShutdown()
        _ = await task.result
    }
}

package import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Scopes
import ServiceLifecycle

/// The files to serve.
package enum HTTPContent: Sendable {
    /// A folder, by its absolute path.
    case directory(String)
    /// Text by path; paths begin with `/`.
    case content([String: String])
}

/// A request that was answered.
package struct HTTPRequestRecord: Sendable {
    /// When it was answered.
    package var time: Date
    /// The HTTP method, printable.
    package var method: String
    /// The path without the query, printable.
    package var path: String
    /// The HTTP status code.
    package var status: Int
    /// The length of the answer's body.
    package var bytes: Int
}

/// Limits on connections.
package struct HTTPLimits: Sendable {
    /// How long a connection lives without a request, or with an answer that the client does not read.
    package var idle: Duration
    /// The most connections at the same time; others wait.
    package var connections: Int

    package init(idle: Duration = .seconds(120), connections: Int = 256) {
        self.idle = idle
        self.connections = connections
    }
}

/// A small HTTP server for answer files, which runs until it is stopped.
package final class HTTPServer: Sendable {
    /// The address that the server listens on.
    package let host: String
    /// The port that the server listens on.
    package let port: Int
    private let task: Task<Void, any Error>
    private let services: ServiceGroup

    private init(host: String, port: Int, task: Task<Void, any Error>, services: ServiceGroup) {
        self.host = host
        self.port = port
        self.task = task
        self.services = services
    }

    /// Starts on a free port of the range, trying every port from a random one on.
    ///
    /// - Parameters:
    ///   - host: An address of this host, as in `http_bind_address`; for `http_interface` see `addressOfInterface(_:)`.
    ///   - ports: The upper bound is excluded; an empty range means its lower bound only.
    ///   - onRequest: Called for every request once it is answered, from any thread.
    /// - Throws: `BuildError` if there is no folder to serve, the address is not one of this host, or no port is free.
    package static func start(
        content: HTTPContent, host: String, ports: Range<Int>, limits: HTTPLimits = HTTPLimits(),
        onRequest: @escaping @Sendable (HTTPRequestRecord) -> Void
    ) async throws -> HTTPServer {
        if case .directory(let path) = content { try checkFolder(path) }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        let last = max(ports.lowerBound, ports.upperBound - 1)
        let operation =
            last == ports.lowerBound
            ? "start the HTTP server on \(shownHost), port \(last)"
            : "start the HTTP server on \(shownHost), ports \(ports.lowerBound) to \(last)"
        guard ports.lowerBound >= 0, last <= 65535 else {
            throw BuildError(operation, because: "ports are 0 to 65535")
        }
        var refusal: (any Error)?
        for port in ports.isEmpty ? [ports.lowerBound] : rotated(ports) {
            try Task.checkCancellation()
            do { return try await start(content, host, port, limits, onRequest) } catch let error as IOError
                where error.errnoCode == EADDRINUSE || error.errnoCode == EACCES
            {
                refusal = error
            } catch let error where !(error is CancellationError) {
                throw BuildError(
                    operation: operation, hint: "http_bind_address must be an address of this host.",
                    underlying: error)
            }
        }
        let isForbidden = (refusal as? IOError)?.errnoCode == EACCES
        throw BuildError(
            operation,
            because: isForbidden ? "you may not use the free ports" : "no port is free",
            hint: "Set http_port_min and http_port_max to a wider range"
                + (isForbidden ? ", above 1023." : ", or stop the programs that use these ports."))
    }

    private static func checkFolder(_ path: String) throws {
        var status = stat()
        let isThere = stat(path, &status) == 0
        guard isThere, status.st_mode & S_IFMT == S_IFDIR else {
            throw BuildError(
                "serve the folder \(path)", because: isThere ? "it is a file" : String(cString: strerror(errno)),
                hint: "http_directory is relative to the working directory.")
        }
    }

    private static func rotated(_ ports: Range<Int>) -> [Int] {
        let start = Int.random(in: ports)
        return Array(start..<ports.upperBound) + Array(ports.lowerBound..<start)
    }

    private static func start(
        _ content: HTTPContent, _ host: String, _ port: Int, _ limits: HTTPLimits,
        _ onRequest: @escaping @Sendable (HTTPRequestRecord) -> Void
    ) async throws -> HTTPServer {
        let responder = FileResponder(content: content, onRequest: onRequest)
        let (started, continuation) = AsyncThrowingStream.makeStream(of: Int.self)
        var logger = Logger(label: "http")
        logger.logLevel = .critical
        let idle = TimeAmount(limits.idle)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [IdleStateHandler(allTimeout: idle), IdleConnectionCloser()],
                    idleTimeout: idle)),
            configuration: .init(
                address: .hostname(host, port: port), serverName: "ingot",
                availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
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
        // The caller was cancelled before the server ran.
        await services.triggerGracefulShutdown()
        throw CancellationError()
    }

    /// Stops the server and waits until it has ended.
    package func stop() async {
        // Cancelling would drop accepted connections that have not been read, on which NIO traps.
        await services.triggerGracefulShutdown()
        _ = await task.result
    }
}

/// Closes connections whose client neither sends a request nor reads the answer.
private final class IdleConnectionCloser: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny
    typealias InboundOut = NIOAny

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

import NIOCore
import NIOPosix
import Scopes

/// Receives syslog over UDP and TCP, as installers send their log.
package final class SyslogServer: Sendable {
    /// The port, the same for UDP and TCP.
    package let port: Int
    private let channels: [any Channel]
    private let group: MultiThreadedEventLoopGroup

    private init(port: Int, channels: [any Channel], group: MultiThreadedEventLoopGroup) {
        self.port = port
        self.channels = channels
        self.group = group
    }

    /// Starts on a free port of the address.
    ///
    /// - Parameter onMessage: Called on a thread of the server, in the order of arrival on each connection.
    package static func start(
        host: String, onMessage: @escaping @Sendable (SyslogMessage) -> Void
    ) async throws -> SyslogServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            var refusal: (any Error)?
            // A port that is free for UDP may be taken for TCP.
            for _ in 0..<20 {
                let datagrams = try await DatagramBootstrap(group: group).channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(SyslogDatagramHandler(onMessage: onMessage))
                    }
                }.bind(host: host, port: 0).get()
                let port = datagrams.localAddress?.port ?? 0
                do {
                    let streams = try await listen(group, host, port, onMessage)
                    return SyslogServer(port: port, channels: [datagrams, streams], group: group)
                } catch {
                    refusal = error
                    try await datagrams.close()
                }
            }
            throw refusal ?? Reason(text: "no port was tried")
        } catch {
            try await group.shutdownGracefully()
            throw BuildError(operation: "receive the installer's log on \(host)", underlying: error)
        }
    }

    private static func listen(
        _ group: MultiThreadedEventLoopGroup, _ host: String, _ port: Int,
        _ onMessage: @escaping @Sendable (SyslogMessage) -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ConnectionLimiter())
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SyslogStreamHandler(onMessage: onMessage))
                }
            }.bind(host: host, port: port).get()
    }

    /// Stops the server and waits until it has ended.
    package func stop() async throws {
        // Shutting the group down closes the channels and their connections.
        try await group.shutdownGracefully()
    }
}

private final class SyslogDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let onMessage: @Sendable (SyslogMessage) -> Void

    init(onMessage: @escaping @Sendable (SyslogMessage) -> Void) {
        self.onMessage = onMessage
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        SyslogMessage.all(in: unwrapInboundIn(data).data.readableBytesView).forEach(onMessage)
    }
}

private final class SyslogStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let onMessage: @Sendable (SyslogMessage) -> Void
    private var framing = SyslogFraming()

    init(onMessage: @escaping @Sendable (SyslogMessage) -> Void) {
        self.onMessage = onMessage
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framing.receive(unwrapInboundIn(data).readableBytesView).forEach(onMessage)
    }

    func channelInactive(context: ChannelHandlerContext) {
        framing.finish().forEach(onMessage)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Closes connections beyond a limit: an installer needs one or two.
private final class ConnectionLimiter: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let most = 64
    private var open = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let connection = unwrapInboundIn(data)
        guard open < Self.most else { return connection.close(promise: nil) }
        open += 1
        let loop = context.eventLoop
        let limiter = NIOLoopBound(self, eventLoop: loop)
        connection.closeFuture.hop(to: loop).whenComplete { _ in limiter.value.open -= 1 }
        context.fireChannelRead(data)
    }
}

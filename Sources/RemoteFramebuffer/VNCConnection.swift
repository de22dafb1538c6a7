import Foundation
import NIOCore
import NIOPosix
package import Scopes

/// Where a VNC server listens.
package enum VNCAddress: Sendable, Equatable, CustomStringConvertible {
    case unix(String)
    case tcp(host: String, port: Int)

    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, let port): "\(host):\(port)"
        }
    }

    /// A command that shows the screen: TigerVNC's viewer takes sockets and ports.
    package var viewing: String {
        switch self {
        case .unix(let path): "vncviewer \(path)"
        case .tcp(let host, let port): "vncviewer \(host)::\(port)"
        }
    }
}

/// A connection to a guest's screen and keyboard.
package actor VNCConnection {
    private let channel: any Channel
    private let patience: Duration
    private var client: RFBClient
    private var failure: (any Error)?
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// Connects and completes the handshake.
    ///
    /// - Parameter patience: How long the server may take to send an update or to accept keys. On a busy host it takes some
    ///   seconds; a server that takes longer counts as gone.
    /// - Throws: `BuildError` when there is no server, or it refuses.
    package static func connect(
        to address: VNCAddress, password: Sensitive<String>?, deadline: Duration, patience: Duration = .seconds(60)
    ) async throws -> VNCConnection {
        try await attempting("connect to the machine's screen at \(address)") {
            try await withDeadline(deadline, "connecting to the machine's screen") {
                let (stream, continuation) = AsyncThrowingStream.makeStream(of: [UInt8].self)
                // The next piece is read once the previous one has been processed, so that a fast server cannot fill our
                // memory.
                let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelOption(.autoRead, value: false).channelOption(.maxMessagesPerRead, value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(ByteForwarder(continuation: continuation))
                        }
                    }
                let channel =
                    switch address {
                    case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                    case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                    }
                let connection = VNCConnection(channel: channel, password: password, patience: patience)
                Task { await connection.read(stream) }
                do {
                    try await connection.waitUntil { $0.phase == .running }
                } catch {
                    connection.close()
                    throw error
                }
                return connection
            }
        }
    }

    private init(channel: any Channel, password: Sensitive<String>?, patience: Duration) {
        self.channel = channel
        self.patience = patience
        client = RFBClient(password: password?.reveal())
    }

    /// Closes the connection; calls that wait on it fail.
    package nonisolated func close() {
        channel.close(promise: nil)
    }

    /// Presses or releases a key.
    package func sendKey(_ keysym: UInt32, down: Bool) async throws {
        try await send(RFBClient.keyEvent(keysym, down: down))
    }

    /// Requests the whole screen as it is now.
    ///
    /// - Throws: `TimedOut` if the server does not send it in time.
    package func framebuffer() async throws -> Framebuffer {
        let before = client.updates
        try await send(client.updateRequest(incremental: false))
        try await withDeadline(patience, "waiting for the machine's screen") {
            try await self.waitUntil { $0.updates > before }
        }
        return client.framebuffer
    }

    /// Requests an update at the next change.
    package func requestChanges() async throws {
        try await send(client.updateRequest(incremental: true))
    }

    /// The screen as of the last update.
    package var picture: Framebuffer { client.framebuffer }

    /// The number of updates received so far.
    package var updates: Int { client.updates }

    /// Waits for an update after the given one, for `limit` at most.
    ///
    /// - Returns: Whether one was received.
    package func waitForUpdate(after count: Int, limit: Duration) async throws -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + limit
        while client.updates <= count {
            if let failure { throw failure }
            if clock.now >= end { return false }
            try await Task.sleep(for: .milliseconds(4))
        }
        return true
    }

    private func send(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        if let failure { throw failure }
        do {
            // After a partial message the server would misread the next one, so an interrupted write closes the connection.
            try await withDeadline(patience, "waiting for the machine to accept keys") { [channel] in
                try await withTaskCancellationHandler {
                    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                } onCancel: {
                    channel.close(promise: nil)
                }
            }
        } catch let error where !(error is TimedOut) {
            try Task.checkCancellation()
            throw failure ?? Reason(text: "the machine closed its screen")
        }
    }

    private func read(_ stream: AsyncThrowingStream<[UInt8], any Error>) async {
        channel.read()
        do {
            for try await bytes in stream {
                let answer = try client.receive(bytes)
                if !answer.isEmpty { try await channel.writeAndFlush(ByteBuffer(bytes: answer)) }
                wakeWaiters()
                channel.read()
            }
            failure = Reason(text: "the machine closed its screen")
        } catch let error as IOError {
            failure = Reason(text: "the machine closed its screen (\(String(cString: strerror(error.errnoCode))))")
        } catch {
            failure = error
        }
        close()
        wakeWaiters()
    }

    private func waitUntil(_ condition: @Sendable (RFBClient) -> Bool) async throws {
        while !condition(client) {
            try Task.checkCancellation()
            if let failure { throw failure }
            await withTaskCancellationHandler {
                await withCheckedContinuation { waiters.append($0) }
            } onCancel: {
                Task { await self.wakeWaiters() }
            }
        }
    }

    private func wakeWaiters() {
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }
}

/// Passes a channel's bytes to a stream.
private final class ByteForwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation

    init(continuation: AsyncThrowingStream<[UInt8], any Error>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(Array(unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        continuation.finish(throwing: error)
        context.close(promise: nil)
    }
}

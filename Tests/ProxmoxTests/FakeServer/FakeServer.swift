import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Serves a fake cluster's API over HTTPS on a port of its own.
struct FakeServer: Sendable {
    let cluster: FakeCluster
    let port: Int
    var url: String { "https://127.0.0.1:\(port)/api2/json" }

    static func with<Value: Sendable>(
        _ cluster: FakeCluster, isForeign: Bool = false, _ body: (FakeServer) async throws -> Value
    ) async throws -> Value {
        let certificates = try await FakeCertificates.made.value
        let file = isForeign ? certificates.foreignCertificate : certificates.certificate
        let chain = try NIOSSLCertificate.fromPEMFile(file).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: certificates.key, format: .pem)
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        let open = OpenChannels()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                open.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    // Pipelining would stop reading while an answer is due, and so overlook that a client leaves.
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: true)
                    try channel.pipeline.syncOperations.addHandler(FakeConnection(cluster))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(FakeServer(cluster: cluster, port: channel.localAddress?.port ?? 0)))
        } catch { result = .failure(error) }
        try? await channel.close().get()  // It may be closed already.
        open.close()
        return try result.get()
    }
}

private final class OpenChannels: Sendable {
    private let channels = Mutex<[any Channel]>([])
    func add(_ channel: any Channel) { channels.withLock { $0.append(channel) } }
    func close() { for channel in channels.withLock({ $0 }) { channel.close(promise: nil) } }
}

private final class FakeConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let cluster: FakeCluster
    private var head: HTTPRequestHead?
    private var body = Data()
    private var isCut = false

    init(_ cluster: FakeCluster) { self.cluster = cluster }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = Data()
            isCut = cluster.cutsOff(head.method.rawValue, path(head))
        case .body(let bytes):
            body.append(contentsOf: bytes.readableBytesView)
            if isCut, head != nil {
                _ = cluster.answer(request())  // Counted, and known to be cut.
                head = nil
                context.close(promise: nil)
            }
        case .end:
            guard let head, context.channel.isActive, !isCut else { return }
            if head.headers.contains(name: "Transfer-Encoding") {
                return send(FakeReply(status: 501, reason: "chunked transfer encoding not supported"), context)
            }
            switch cluster.answer(request()) {
            case .reply(let reply): send(reply, context)
            case .silence: break
            case .cut: context.close(promise: nil)
            }
        }
    }

    private func path(_ head: HTTPRequestHead) -> String { String(head.uri.prefix { $0 != "?" }) }

    private func request() -> FakeRequest {
        guard let head else { return FakeRequest(method: "", path: "", query: "", headers: [:], body: Data()) }
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        return FakeRequest(
            method: head.method.rawValue, path: path(head), query: String(head.uri.drop { $0 != "?" }.dropFirst()),
            headers: headers, body: body)
    }

    private func send(_ reply: FakeReply, _ context: ChannelHandlerContext) {
        let status =
            reply.reason.map { HTTPResponseStatus.custom(code: UInt(reply.status), reasonPhrase: $0) }
            ?? HTTPResponseStatus(statusCode: reply.status)
        let headers = HTTPHeaders([
            ("Content-Type", "application/json;charset=UTF-8"), ("Content-Length", "\(reply.body.count)"),
        ])
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: reply.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

import NIOCore
import NIOPosix
import Scopes

/// A message of the installer's log.
package struct SyslogMessage: Sendable, Equatable {
    /// 0 is an emergency, 7 is for debugging; nil where the message does not say.
    package var severity: Int?
    /// The program, as in `anna[1234]`.
    package var tag: String
    package var text: String

    /// Reads `<PRI>TAG: TEXT` with or without the time and host of RFC 3164; anything else is all text.
    package init(_ line: String) {
        var rest = line[...]
        severity = nil
        if rest.first == "<", let end = rest.prefix(5).firstIndex(of: ">"),
            let number = Int(rest[rest.index(after: rest.startIndex)..<end])
        {
            severity = number & 7
            rest = rest[rest.index(after: end)...]
        }
        if let match = rest.prefixMatch(of: #/[A-Z][a-z][a-z] +\d+ \d\d:\d\d:\d\d /#) {
            rest = rest[match.range.upperBound...]
        }
        let cleaned = String(
            rest.filter { character in character.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F } })
        let words = cleaned.split(separator: ": ", maxSplits: 1).map(String.init)
        if words.count == 2, words[0].count <= 64 {
            // A host name may stand before the program.
            tag = words[0].split(separator: " ").last.map(String.init) ?? words[0]
            text = words[1]
        } else {
            tag = "installer"
            text = cleaned
        }
    }
}

/// Receives syslog over UDP, as installers send their log.
package final class SyslogServer: Sendable {
    package let port: Int
    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup

    private init(port: Int, channel: any Channel, group: MultiThreadedEventLoopGroup) {
        self.port = port
        self.channel = channel
        self.group = group
    }

    /// Starts on a free port of the address.
    package static func start(
        host: String, onMessage: @escaping @Sendable (SyslogMessage) -> Void
    ) async throws -> SyslogServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let channel = try await DatagramBootstrap(group: group).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SyslogHandler(onMessage: onMessage))
                }
            }.bind(host: host, port: 0).get()
            return SyslogServer(port: channel.localAddress?.port ?? 0, channel: channel, group: group)
        } catch {
            try await group.shutdownGracefully()
            throw BuildError(operation: "receive the installer's log on \(host)", underlying: error)
        }
    }

    package func stop() async throws {
        try await channel.close()
        try await group.shutdownGracefully()
    }
}

private final class SyslogHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let onMessage: @Sendable (SyslogMessage) -> Void

    init(onMessage: @escaping @Sendable (SyslogMessage) -> Void) {
        self.onMessage = onMessage
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let text = String(decoding: envelope.data.readableBytesView.prefix(8192), as: UTF8.self)
        for line in text.split(whereSeparator: \.isNewline) { onMessage(SyslogMessage(String(line))) }
    }
}

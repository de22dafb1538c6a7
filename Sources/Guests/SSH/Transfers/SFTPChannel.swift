import CLibssh

/// The client's half of SFTP on a channel: requests out, answers in, matched by their number.
///
/// libssh has an SFTP of its own, but that blocks its thread until the server answers, one request after the other.
/// Nothing here waits; `exchange` moves what can be moved.
final class SFTPChannel {
    let channel: SSHChannel
    /// The server has answered the greeting.
    private(set) var isReady = false
    /// The server is gone or talks nonsense.
    private(set) var hasEnded = false
    /// Bytes moved in either direction, by which a stuck server shows.
    private(set) var progress = 0
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var incoming: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var lastID: UInt32 = 0
    private var awaited: Set<UInt32> = []
    private var replies: [UInt32: SFTPReply] = [:]
    /// OpenSSH's own limit for a packet.
    private static let largestPacket = 256 << 10

    init(_ channel: SSHChannel) {
        self.channel = channel
        // The greeting: version 3.
        outgoing = [0, 0, 0, 5, 1, 0, 0, 0, 3]
    }

    /// Queues a request.
    ///
    /// - Returns: Its number. The answer must be taken or forgotten.
    func request(_ type: SFTPRequest, _ build: (inout SFTPWriter) -> Void) -> UInt32 {
        lastID &+= 1
        var body = SFTPWriter()
        build(&body)
        var head = SFTPWriter()
        head.add(UInt32(clamping: body.bytes.count + 5))
        head.add(type.rawValue)
        head.add(lastID)
        outgoing += head.bytes
        outgoing += body.bytes
        awaited.insert(lastID)
        return lastID
    }

    func takeReply(_ id: UInt32) -> SFTPReply? {
        guard let reply = replies.removeValue(forKey: id) else { return nil }
        awaited.remove(id)
        return reply
    }

    func forget(_ ids: some Sequence<UInt32>) {
        for id in ids {
            awaited.remove(id)
            replies[id] = nil
        }
    }

    /// Sends and receives what goes without waiting.
    func exchange() {
        // Its channel may be gone.
        if hasEnded { return }
        send()
        // Bounded, should the server never cease.
        for _ in 0..<64 {
            let count = ssh_channel_read_nonblocking(channel.pointer, &buffer, UInt32(buffer.count), 0)
            guard count > 0 else {
                if count < 0 || channel.hasEnded { hasEnded = true }
                break
            }
            progress += Int(count)
            incoming += buffer[..<Int(count)]
            do { try parse() } catch {
                hasEnded = true
                return
            }
        }
    }

    private func send() {
        while sent < outgoing.count {
            let count = outgoing[sent...].withUnsafeBytes {
                ssh_channel_write(channel.pointer, $0.baseAddress, UInt32(min($0.count, 128 << 10)))
            }
            if count < 0 { hasEnded = true }
            // Zero: the window is full, the server has to take some first.
            guard count > 0 else { break }
            sent += Int(count)
            progress += Int(count)
        }
        if sent == outgoing.count {
            outgoing.removeAll(keepingCapacity: true)
            sent = 0
        } else if sent > 1 << 20 {
            outgoing.removeSubrange(..<sent)
            sent = 0
        }
    }

    private func parse() throws(SFTPReader.Malformed) {
        var start = 0
        while incoming.count - start >= 4 {
            let length = incoming[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 5, length <= Self.largestPacket else { throw SFTPReader.Malformed() }
            guard incoming.count - start - 4 >= length else { break }
            try take(incoming[(start + 4)..<(start + 4 + length)])
            start += 4 + length
        }
        incoming.removeSubrange(..<start)
    }

    private func take(_ packet: ArraySlice<UInt8>) throws(SFTPReader.Malformed) {
        var reader = SFTPReader(packet)
        let type = try reader.number(UInt8.self)
        if !isReady {
            guard type == 2 else { throw SFTPReader.Malformed() }
            isReady = true
            return
        }
        let id = try reader.number(UInt32.self)
        // Nobody waits for it any more.
        guard awaited.contains(id) else { return }
        replies[id] = try reader.reply(type: type)
    }
}

import Foundation
import RemoteFramebuffer
import Scopes
import Synchronization

/// The server's end of a connection; its calls block, for 10 s at most.
final class Peer: Sendable {
    struct Gone: Error {}

    private let descriptor: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func read(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var piece = [UInt8](repeating: 0, count: count - bytes.count)
            let received = recv(descriptor, &piece, piece.count, 0)
            if received <= 0 { throw Gone() }
            bytes += piece[..<received]
        }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let sent = bytes.withUnsafeBytes { bytes in
                send(descriptor, bytes.baseAddress?.advanced(by: start), bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            if sent <= 0 { throw Gone() }
            start += sent
        }
    }

    /// Sends no more, and waits for the client to close.
    func hangUp() {
        shutdown(descriptor, Int32(SHUT_WR))
        readToEnd()
    }

    /// Until the client closes.
    func readToEnd() {
        while (try? read(1)) != nil {}  // Whatever ends it is the end.
    }
}

/// A listening socket whose one client meets a script.
final class VNCServer: Sendable {
    let address: VNCAddress
    private let failure = Mutex<(any Error)?>(nil)
    private let done: AsyncStream<Void>

    /// - Parameters:
    ///   - isLocal: On a UNIX socket, which holds little; else on the loopback.
    ///   - script: Runs on a thread of its own. The connection closes when it ends.
    init(isLocal: Bool = false, _ script: @escaping @Sendable (Peer) throws -> Void) {
        let listener = socket(isLocal ? AF_UNIX : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        address = isLocal ? Self.bindToPath(listener) : Self.bindToPort(listener)
        let (done, continuation) = AsyncStream.makeStream(of: Void.self)
        self.done = done
        Thread { [self] in
            let accepted = accept(listener, nil, nil)
            close(listener)
            if case .unix(let path) = address { unlink(path) }
            do {
                if accepted >= 0 { try script(Peer(descriptor: accepted)) }
            } catch { failure.withLock { $0 = error } }
            continuation.finish()
        }.start()
    }

    private static func bindToPort(_ listener: Int32) -> VNCAddress {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 1)
                _ = getsockname(listener, $0, &length)
            }
        }
        return .tcp(host: "127.0.0.1", port: Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func bindToPath(_ listener: Int32) -> VNCAddress {
        let path = "/tmp/ingot-vnc-\(UInt64.random(in: 0...UInt64.max))"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                _ = listen(listener, 1)
            }
        }
        return .unix(path)
    }

    func connect(
        password: String? = nil, deadline: Duration = .seconds(10), patience: Duration = .seconds(10)
    ) async throws -> VNCConnection {
        try await VNCConnection.connect(
            to: address, password: password.map { Sensitive($0) }, deadline: deadline, patience: patience)
    }

    /// Waits for the end of the script.
    func finish() async throws {
        for await _ in done {}
        if let error = failure.withLock({ $0 }) { throw error }
    }
}

func bytes16(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }
func bytes32(_ number: Int) -> [UInt8] { bytes16(number >> 16 & 0xFFFF) + bytes16(number & 0xFFFF) }

/// An update of rectangles: place, encoding, content.
func update(_ rectangles: (x: Int, y: Int, width: Int, height: Int, encoding: Int, content: [UInt8])...) -> [UInt8] {
    var bytes: [UInt8] = [0, 0] + bytes16(rectangles.count)
    for rectangle in rectangles {
        for number in [rectangle.x, rectangle.y, rectangle.width, rectangle.height] { bytes += bytes16(number) }
        bytes += bytes32(rectangle.encoding & 0xFFFF_FFFF) + rectangle.content
    }
    return bytes
}

/// Raw pixels as the client asked for them, with something in the byte that means nothing.
func raw(_ pixels: [UInt32]) -> [UInt8] {
    pixels.flatMap { [UInt8($0 & 255), UInt8($0 >> 8 & 255), UInt8($0 >> 16 & 255), 0xEE] }
}

/// What an honest server is like.
struct HonestServer: Sendable {
    static let challenge = [UInt8](0x10...0x1F)

    var version = "003.008"
    /// The answer expected to the challenge; nil: no password is asked for.
    var response: [UInt8]?
    var width = 16
    var height = 16

    struct Mismatch: Error { var text: String }

    /// All until the client is in.
    ///
    /// - Returns: The version that the client answered with.
    @discardableResult
    func greet(_ peer: Peer) throws -> String {
        try peer.write(Array("RFB \(version)\n".utf8))
        let answer = String(decoding: try peer.read(12), as: UTF8.self)
        let minor = answer.dropFirst(8).prefix(3)
        let type: UInt8 = response == nil ? 1 : 2
        if minor == "003" {
            try peer.write([0, 0, 0, type])
        } else {
            // Types that nobody knows come first.
            try peer.write([3, 19, 16, type])
            let chosen = try peer.read(1)
            guard chosen == [type] else { throw Mismatch(text: "security type \(chosen)") }
        }
        if let response {
            try peer.write(Self.challenge)
            guard try peer.read(16) == response else {
                let reason = "Authentication failed"
                try peer.write([0, 0, 0, 1])
                if minor == "008" { try peer.write(bytes32(reason.utf8.count) + Array(reason.utf8)) }
                peer.readToEnd()
                throw Peer.Gone()
            }
        }
        if minor == "008" || response != nil { try peer.write([0, 0, 0, 0]) }
        guard try peer.read(1) == [1] else { throw Mismatch(text: "not shared") }
        try peer.write(Self.initialisation(width, height))
        let format = try peer.read(20)
        guard format == [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0] else {
            throw Mismatch(text: "pixel format \(format)")
        }
        let encodings = try peer.read(4)
        _ = try peer.read(4 * Int(encodings[3]))
        guard encodings[0] == 2, encodings[2] == 0 else { throw Mismatch(text: "encodings \(encodings)") }
        return answer
    }

    /// The server's own format is another than the one asked for: 8 bits with a colour map.
    static func initialisation(_ width: Int, _ height: Int, name: String = "QEMU (test)") -> [UInt8] {
        let format: [UInt8] = [8, 8, 1, 0, 0, 7, 0, 7, 0, 3, 0, 3, 6, 0, 0, 0]
        return bytes16(width) + bytes16(height) + format + bytes32(name.utf8.count) + Array(name.utf8)
    }

    /// Reads a request for a picture.
    func request(_ peer: Peer) throws -> (incremental: Bool, width: Int, height: Int) {
        let bytes = try peer.read(10)
        guard bytes[0] == 3, bytes[2..<6].allSatisfy({ $0 == 0 }) else { throw Mismatch(text: "request \(bytes)") }
        return (bytes[1] == 1, Int(bytes[6]) << 8 | Int(bytes[7]), Int(bytes[8]) << 8 | Int(bytes[9]))
    }
}

import Foundation

/// What a server answered, read off the socket: clients normalise paths, this one does not.
struct RawAnswer {
    var status = 0
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body = Data()

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A socket without any library between; its calls block, for 10 s at most.
final class RawConnection: Sendable {
    private let descriptor: Int32
    let isConnected: Bool

    /// - Parameter host: An IPv4 address as a number.
    init(_ port: Int, host: UInt32 = 0x7F00_0001, type: Int32 = Int32(SOCK_STREAM.rawValue)) {
        descriptor = socket(AF_INET, type, 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = in_addr_t(host).bigEndian
        let descriptor = descriptor
        isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    deinit { close(descriptor) }

    func write(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Some bytes; nil when none came in time, empty when the server has closed the connection.
    func read(atMost count: Int = 1 << 16) -> Data? {
        var buffer = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &buffer, count, 0)
        if received < 0 { return errno == EAGAIN ? nil : Data() }
        return Data(buffer[..<received])
    }

    /// All until the server closes; nil where it does not.
    func readToEnd() -> Data? {
        var all = Data()
        while let data = read() {
            if data.isEmpty { return all }
            all += data
        }
        return nil
    }
}

/// Runs what blocks on a thread of its own: the server needs the pool's threads to answer.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread { continuation.resume(returning: body()) }.start()
    }
}

/// Sends a request line as it is and reads until the server closes.
func ask(
    _ port: Int, _ target: String, method: String = "GET", headers: [String: String] = [:], host: UInt32 = 0x7F00_0001
) async -> RawAnswer {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    let request = Array((text + "\r\n").utf8)
    return parsed(
        await onThread {
            let connection = RawConnection(port, host: host)
            guard connection.isConnected else { return Data() }
            connection.write(request)
            return connection.readToEnd() ?? Data()
        })
}

func parsed(_ data: Data) -> RawAnswer {
    guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return RawAnswer() }
    let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var answer = RawAnswer()
    answer.status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        if parts.count == 2 { answer.headers[parts[0].lowercased()] = parts[1] }
    }
    answer.body = Data(data[end.upperBound...])
    return answer
}

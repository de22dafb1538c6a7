import Foundation

/// What a server answered, read off the socket: clients normalise paths, this one does not.
struct RawAnswer {
    var status = 0
    /// Names in lower case.
    var headers: [String: String] = [:]
    var body = Data()

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Sends a request line as it is and reads until the server closes or 10 s pass.
func ask(_ port: Int, _ target: String, method: String = "GET", headers: [String: String] = [:]) async -> RawAnswer {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    return parsed(await exchange(port, Array((text + "\r\n").utf8)))
}

/// On a thread of its own: the server needs the pool's threads to answer.
func exchange(_ port: Int, _ bytes: [UInt8], type: Int32 = Int32(SOCK_STREAM.rawValue)) async -> Data {
    await withCheckedContinuation { continuation in
        Thread { continuation.resume(returning: exchangeNow(port, bytes, type: type)) }.start()
    }
}

private func exchangeNow(_ port: Int, _ bytes: [UInt8], type: Int32) -> Data {
    let descriptor = socket(AF_INET, type, 0)
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isConnected else { return Data() }
    _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard type == Int32(SOCK_STREAM.rawValue) else { return Data() }
    var answer = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count <= 0 { return answer }
        answer.append(contentsOf: buffer[..<count])
    }
}

private func parsed(_ data: Data) -> RawAnswer {
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

import Foundation
import Synchronization

/// A real HTTP server on loopback that answers as a test tells it to, and can break off in the middle.
final class ScriptedServer: Sendable {
    struct Query: Sendable {
        var method: String
        var path: String
        /// Names in lower case.
        var headers: [String: String]
        /// Start of `Range: bytes=N-`.
        var start: Int? {
            headers["range"].flatMap { $0.hasPrefix("bytes=") ? Int($0.dropFirst(6).prefix { $0 != "-" }) : nil }
        }
    }

    struct Answer: Sendable {
        var status = "200 OK"
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// Bytes of the body after which the connection is closed; nil sends all.
        var cutAfter: Int?
        /// Hold the connection open without another byte.
        var isStalled = false
    }

    let port: Int
    private let listener: Int32
    private let seen = Mutex<[Query]>([])

    var queries: [Query] { seen.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port)" }

    /// - Parameter answer: Given the query and how many came before it.
    init(_ answer: @escaping @Sendable (Query, Int) -> Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                Thread { [self] in serve(connection, answer) }.start()
            }
        }.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32, _ answer: @Sendable (Query, Int) -> Answer) {
        defer { close(connection) }
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]), recv(connection, &byte, 1, 0) == 1 { head.append(byte) }
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let words = lines.first?.split(separator: " ").map(String.init) ?? []
        guard words.count == 3 else { return }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if parts.count == 2 { headers[parts[0].lowercased()] = parts[1] }
        }
        let query = Query(method: words[0], path: words[1], headers: headers)
        let number = seen.withLock {
            $0.append(query)
            return $0.count - 1
        }
        let reply = answer(query, number)
        var text = "HTTP/1.1 \(reply.status)\r\nConnection: close\r\n"
        var fields = reply.headers
        if fields["Content-Length"] == nil { fields["Content-Length"] = String(reply.body.count) }
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        var bytes = Array((text + "\r\n").utf8)
        if query.method != "HEAD" { bytes += reply.body.prefix(reply.cutAfter ?? reply.body.count) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
        // Until the client goes away.
        if reply.isStalled { _ = recv(connection, &byte, 1, 0) }
    }
}

/// A file server's answer, with or without Range.
func serving(_ content: [UInt8], _ query: ScriptedServer.Query, ranges: Bool = true, tag: String? = nil)
    -> ScriptedServer.Answer
{
    var headers = tag.map { ["ETag": $0] } ?? [:]
    let isCurrent = query.headers["if-range"].map { $0 == tag } ?? true
    if ranges, isCurrent, let start = query.start {
        guard start < content.count else {
            return .init(status: "416 Range Not Satisfiable", headers: ["Content-Range": "bytes */\(content.count)"])
        }
        headers["Content-Range"] = "bytes \(start)-\(content.count - 1)/\(content.count)"
        return .init(status: "206 Partial Content", headers: headers, body: Array(content[start...]))
    }
    return .init(headers: headers, body: content)
}

/// A folder that is gone after the test.
func withScratch<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = NSTemporaryDirectory() + "ingot-media-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

func write(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(
        atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(filePath: path))
}

/// What a program printed, both streams.
@discardableResult
func output(of program: String, _ arguments: String...) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
}

/// The message of what `body` throws; empty when it throws nothing.
func failure(_ body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}

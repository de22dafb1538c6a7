import Foundation
import HTTPServing
import Synchronization

/// The requests that a server has reported.
final class Requests: Sendable {
    private let kept = Mutex<[HTTPRequestRecord]>([])
    func add(_ record: HTTPRequestRecord) { kept.withLock { $0.append(record) } }
    var all: [HTTPRequestRecord] { kept.withLock { $0 } }
}

/// Makes a folder beside which lies a file that must never be seen.
func withFolder<Value>(_ body: (_ folder: String) async throws -> Value) async throws -> Value {
    let base = NSTemporaryDirectory() + "ingot-http-" + UUID().uuidString
    let folder = base + "/http"
    let files = FileManager.default
    try files.createDirectory(atPath: folder + "/sub dir", withIntermediateDirectories: true)
    try files.createDirectory(atPath: folder + "/site", withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: base) }  // What stays is in a temporary folder.
    try Data("secret".utf8).write(to: URL(filePath: base + "/secret"))
    try files.createDirectory(atPath: base + "/http-secret", withIntermediateDirectories: true)
    try Data("secret".utf8).write(to: URL(filePath: base + "/http-secret/file"))
    try Data("d-i debconf\n".utf8).write(to: URL(filePath: folder + "/preseed.cfg"))
    try Data("0123456789".utf8).write(to: URL(filePath: folder + "/sub dir/digits"))
    try Data("<p>hi".utf8).write(to: URL(filePath: folder + "/site/index.html"))
    try files.createSymbolicLink(atPath: folder + "/inside", withDestinationPath: "preseed.cfg")
    try files.createSymbolicLink(atPath: folder + "/outside", withDestinationPath: "../secret")
    try files.createSymbolicLink(atPath: folder + "/sibling", withDestinationPath: "../http-secret")
    return try await body(folder)
}

/// Serves such a folder.
func withServer(
    limits: HTTPLimits = HTTPLimits(),
    _ body: (_ port: Int, _ folder: String, _ requests: Requests) async throws -> Void
) async throws {
    try await withFolder { folder in
        let requests = Requests()
        let server = try await HTTPServer.start(
            content: .directory(folder), host: "127.0.0.1", ports: 0..<0, limits: limits
        ) { requests.add($0) }
        do { try await body(server.port, folder, requests) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

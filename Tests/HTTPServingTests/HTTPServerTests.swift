import Foundation
import HTTPServing
import Synchronization
import Testing

private final class Requests: Sendable {
    private let kept = Mutex<[HTTPRequestRecord]>([])
    func add(_ record: HTTPRequestRecord) { kept.withLock { $0.append(record) } }
    var all: [HTTPRequestRecord] { kept.withLock { $0 } }
}

/// Serves a folder beside which lies a file that must never be seen.
private func withServer(
    _ body: (_ port: Int, _ folder: String, _ requests: Requests) async throws -> Void
) async throws {
    let base = NSTemporaryDirectory() + "ingot-http-" + UUID().uuidString
    let folder = base + "/http"
    let files = FileManager.default
    try files.createDirectory(atPath: folder + "/sub dir", withIntermediateDirectories: true)
    try files.createDirectory(atPath: folder + "/site", withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: base) }
    try Data("secret".utf8).write(to: URL(filePath: base + "/secret"))
    try files.createDirectory(atPath: base + "/http-secret", withIntermediateDirectories: true)
    try Data("secret".utf8).write(to: URL(filePath: base + "/http-secret/file"))
    try Data("d-i debconf\n".utf8).write(to: URL(filePath: folder + "/preseed.cfg"))
    try Data("0123456789".utf8).write(to: URL(filePath: folder + "/sub dir/digits"))
    try Data("<p>hi".utf8).write(to: URL(filePath: folder + "/site/index.html"))
    try files.createSymbolicLink(atPath: folder + "/inside", withDestinationPath: "preseed.cfg")
    try files.createSymbolicLink(atPath: folder + "/outside", withDestinationPath: "../secret")
    try files.createSymbolicLink(atPath: folder + "/sibling", withDestinationPath: "../http-secret")
    let requests = Requests()
    let server = try await HTTPServer.start(content: .directory(folder), host: "127.0.0.1", ports: 0..<0) {
        requests.add($0)
    }
    do { try await body(server.port, folder, requests) } catch {
        await server.stop()
        throw error
    }
    await server.stop()
}

@Suite struct HTTPServerTests {
    @Test("a file is served with its type and length, and the request is recorded")
    func file() async throws {
        try await withServer { port, _, requests in
            let answer = await ask(port, "/preseed.cfg?x=1")
            #expect(answer.status == 200 && answer.text == "d-i debconf\n")
            #expect(answer.headers["content-type"]?.hasPrefix("text/plain") == true)
            #expect(await ask(port, "/sub%20dir/digits").text == "0123456789")
            #expect(await ask(port, "/nothing").status == 404)
            let records = requests.all
            #expect(records.map(\.status) == [200, 200, 404])
            #expect(records.first?.bytes == 12 && records.first?.method == "GET")
        }
    }

    @Test(
        "nothing outside the folder is reachable, however the path is written",
        arguments: [
            "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/%2e%2e%2fsecret", "/site/../../secret", "//../secret",
            "/sub%20dir/..%2f..%2fsecret", "/outside", "/sibling/file", "/preseed.cfg%00", "/%00", "/..\\secret",
            "/../http-secret/file", "/.%2e/secret", "/%252e%252e/secret", "../secret", "/%c0%ae%c0%ae/secret", "/%zz",
        ])
    func traversal(target: String) async throws {
        try await withServer { port, _, _ in
            let answer = await ask(port, target)
            #expect(!answer.text.contains("secret") || answer.status >= 400, "\(answer)")
            #expect(answer.status != 200)
        }
    }

    @Test("a link that stays in the folder is followed")
    func link() async throws {
        try await withServer { port, _, _ in #expect(await ask(port, "/inside").text == "d-i debconf\n") }
    }

    @Test("folders redirect to a slash, list what they hold, and show their index.html")
    func folders() async throws {
        try await withServer { port, folder, _ in
            try Data().write(to: URL(filePath: folder + "/a<b>&.txt"))
            let redirect = await ask(port, "/site")
            #expect(redirect.status == 301 && redirect.headers["location"]?.hasSuffix("site/") == true)
            #expect(await ask(port, "/site/").text == "<p>hi")
            let index = await ask(port, "/site/index.html")
            #expect(index.status == 301 && ["./", "/site/"].contains(index.headers["location"]))
            let list = await ask(port, "/").text
            #expect(list.contains("preseed.cfg") && list.contains("site/") && list.contains("a&lt;b&gt;&amp;.txt"))
            #expect(!list.contains("a<b>"))
        }
    }

    @Test(
        "parts of a file are served as asked for",
        arguments: [("bytes=2-4", "234"), ("bytes=7-", "789"), ("bytes=-2", "89"), ("bytes=8-100", "89")])
    func ranges(range: String, expected: String) async throws {
        try await withServer { port, _, _ in
            let answer = await ask(port, "/sub%20dir/digits", headers: ["Range": range])
            #expect(answer.status == 206 && answer.text == expected)
            #expect(answer.headers["content-range"]?.hasSuffix("/10") == true)
        }
    }

    @Test("a part outside the file is refused, and nonsense gives the whole")
    func oddRanges() async throws {
        try await withServer { port, _, _ in
            let outside = await ask(port, "/sub%20dir/digits", headers: ["Range": "bytes=10-"])
            #expect(outside.status == 416 && outside.headers["content-range"] == "bytes */10")
            for range in ["bytes=x-y", "lines=1-2", "bytes=99999999999999999999-"] {
                #expect(await ask(port, "/sub%20dir/digits", headers: ["Range": range]).text == "0123456789")
            }
        }
    }

    @Test("HEAD gives the headers of GET and no body; other methods are refused")
    func methods() async throws {
        try await withServer { port, _, _ in
            let head = await ask(port, "/preseed.cfg", method: "HEAD")
            #expect(head.status == 200 && head.headers["content-length"] == "12" && head.body.isEmpty)
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                #expect(await ask(port, "/preseed.cfg", method: method).status == 405)
            }
        }
    }

    @Test("a large file arrives whole")
    func large() async throws {
        try await withServer { port, folder, _ in
            let data = Data((0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) })
            try data.write(to: URL(filePath: folder + "/large.bin"))
            #expect(await ask(port, "/large.bin").body == data)
        }
    }

    @Test("endless headers are refused")
    func headers() async throws {
        try await withServer { port, _, _ in
            let answer = await ask(port, "/preseed.cfg", headers: ["X": String(repeating: "x", count: 200_000)])
            #expect(answer.status != 200)
            #expect(await ask(port, "/preseed.cfg").status == 200)
        }
    }

    @Test("a pipe in the folder does not hang a request")
    func pipe() async throws {
        try await withServer { port, folder, _ in
            #expect(mkfifo(folder + "/pipe", 0o644) == 0)
            #expect(await ask(port, "/pipe").status >= 400)
        }
    }

    @Test("an unchanged file is not sent again")
    func unchanged() async throws {
        try await withServer { port, _, _ in
            let first = await ask(port, "/preseed.cfg")
            await withKnownIssue("the server gives no Last-Modified and ignores If-Modified-Since") {
                let date = try #require(first.headers["last-modified"])
                #expect(await ask(port, "/preseed.cfg", headers: ["If-Modified-Since": date]).status == 304)
            }
        }
    }

    @Test("given texts are served under exactly their paths")
    func content() async throws {
        let server = try await HTTPServer.start(
            content: .content(["/user-data": "#cloud-config\n", "/meta-data": ""]), host: "127.0.0.1", ports: 0..<0
        ) { _ in }
        #expect(await ask(server.port, "/user-data").text == "#cloud-config\n")
        let empty = await ask(server.port, "/meta-data")
        #expect(empty.status == 200 && empty.body.isEmpty)
        let missing = await ask(server.port, "/userdata")
        #expect(missing.status == 404 && missing.text.contains("/user-data"))
        await server.stop()
    }

    @Test("a port that is taken is stepped over; when all are, the error names them")
    func ports() async throws {
        let content = HTTPContent.content(["/": "x"])
        let first = try await HTTPServer.start(content: content, host: "127.0.0.1", ports: 0..<0) { _ in }
        let taken = first.port
        await #expect(throws: (any Error).self) {
            _ = try await HTTPServer.start(content: content, host: "127.0.0.1", ports: taken..<taken) { _ in }
        }
        do {
            _ = try await HTTPServer.start(content: content, host: "127.0.0.1", ports: taken..<(taken + 1)) { _ in }
            Issue.record("two servers on one port")
        } catch { #expect("\(error)".contains("\(taken)") && "\(error)".contains("http_port")) }
        await first.stop()
        // A stopped server gives its port back.
        let again = try await HTTPServer.start(content: content, host: "127.0.0.1", ports: taken..<taken) { _ in }
        #expect(again.port == taken)
        await again.stop()
    }
}

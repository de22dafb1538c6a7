import Foundation
import HTTPServing
import Testing

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

    @Test("HEAD gives the headers of GET and no body; other methods are refused")
    func methods() async throws {
        try await withServer { port, _, _ in
            let head = await ask(port, "/preseed.cfg", method: "HEAD")
            #expect(head.status == 200 && head.headers["content-length"] == "12" && head.body.isEmpty)
            #expect(await ask(port, "/site/", method: "HEAD").headers["content-length"] == "5")
            #expect(await ask(port, "/nothing", method: "HEAD").status == 404)
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let refusal = await ask(port, "/preseed.cfg", method: method)
                #expect(refusal.status == 405 && refusal.headers["allow"] == "GET, HEAD")
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

    @Test("given texts are served under exactly their paths")
    func content() async throws {
        let server = try await HTTPServer.start(
            content: .content(["/user-data": "#cloud-config\n", "/meta-data": ""]), host: "127.0.0.1", ports: 0..<0
        ) { _ in }
        #expect(await ask(server.port, "/user-data").text == "#cloud-config\n")
        let empty = await ask(server.port, "/meta-data")
        #expect(empty.status == 200 && empty.body.isEmpty)
        #expect(await ask(server.port, "//x/.././user-data").text == "#cloud-config\n")
        let missing = await ask(server.port, "/userdata")
        #expect(missing.status == 404 && missing.text.contains("/user-data"))
        await server.stop()
    }
}

import Foundation
import HTTPServing
import Testing

@Suite("Parts and versions of a file")
struct RepresentationTests {
    @Test(
        "parts of a file are served as asked for",
        arguments: [
            ("bytes=2-4", "234", "2-4"), ("bytes=7-", "789", "7-9"), ("bytes=-2", "89", "8-9"),
            ("bytes=8-100", "89", "8-9"), ("bytes=0-9223372036854775807", "0123456789", "0-9"),
            ("bytes=-100", "0123456789", "0-9"),
        ])
    func ranges(range: String, expected: String, told: String) async throws {
        try await withServer { port, _, _ in
            let answer = await ask(port, "/sub%20dir/digits", headers: ["Range": range])
            #expect(answer.status == 206 && answer.text == expected)
            #expect(answer.headers["content-range"] == "bytes \(told)/10")
            #expect(answer.headers["content-length"] == String(expected.count))
        }
    }

    @Test("a part outside the file is refused, and nonsense gives the whole")
    func oddRanges() async throws {
        try await withServer { port, folder, _ in
            for range in ["bytes=10-", "bytes=-0"] {
                let outside = await ask(port, "/sub%20dir/digits", headers: ["Range": range])
                #expect(outside.status == 416 && outside.headers["content-range"] == "bytes */10")
            }
            for range in [
                "bytes=x-y", "lines=1-2", "bytes=99999999999999999999-", "bytes=5-2", "bytes=+5-", "bytes=", "bytes=-",
                "bytes=1-2,4-5",
            ] {
                let answer = await ask(port, "/sub%20dir/digits", headers: ["Range": range])
                #expect(answer.status == 200 && answer.text == "0123456789")
            }
            try Data().write(to: URL(filePath: folder + "/empty"))
            for range in ["bytes=0-", "bytes=-5"] {
                let answer = await ask(port, "/empty", headers: ["Range": range])
                #expect(answer.status == 200 && answer.headers["content-range"] == nil)
            }
        }
    }

    @Test("an unchanged file is not sent again, a changed one is")
    func unchanged() async throws {
        try await withServer { port, folder, requests in
            let path = folder + "/preseed.cfg"
            let attributes = [FileAttributeKey.modificationDate: Date(timeIntervalSince1970: 784_111_777)]
            try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
            let date = "Sun, 06 Nov 1994 08:49:37 GMT"
            let first = await ask(port, "/preseed.cfg")
            #expect(first.headers["last-modified"] == date)
            let second = await ask(port, "/preseed.cfg", headers: ["If-Modified-Since": date])
            #expect(second.status == 304 && second.body.isEmpty && second.headers["content-type"] == nil)
            #expect(second.headers["last-modified"] == date && second.headers["content-length"] == nil)
            #expect(requests.all.last?.bytes == 0)
            for other in ["Sun, 06 Nov 1994 08:49:36 GMT", "yesterday", "Sun, 06 Nov 1994 08:49:37 PST", ""] {
                let answer = await ask(port, "/preseed.cfg", headers: ["If-Modified-Since": other])
                #expect(answer.status == 200 && answer.text == "d-i debconf\n")
            }
            let named = ["If-None-Match": "\"tag\"", "If-Modified-Since": date]
            #expect(await ask(port, "/preseed.cfg", headers: named).status == 200)
            #expect(await ask(port, "/preseed.cfg", headers: ["If-None-Match": "*"]).status == 304)
        }
    }

    @Test("a part is sent only of the version the client has")
    func ifRange() async throws {
        try await withServer { port, _, _ in
            let path = "/sub%20dir/digits"
            let date = try #require(await ask(port, path).headers["last-modified"])
            let same = await ask(port, path, headers: ["Range": "bytes=5-", "If-Range": date])
            #expect(same.status == 206 && same.text == "56789")
            for version in ["Sun, 06 Nov 1994 08:49:37 GMT", "\"tag\""] {
                let other = await ask(port, path, headers: ["Range": "bytes=5-", "If-Range": version])
                #expect(other.status == 200 && other.text == "0123456789")
            }
        }
    }

    @Test("the type follows the name, else what the file looks like")
    func types() async throws {
        try await withServer { port, folder, _ in
            try Data([0x7F, 0x45, 0x4C, 0x46, 2, 1, 0, 0]).write(to: URL(filePath: folder + "/vmlinuz"))
            try Data("{}".utf8).write(to: URL(filePath: folder + "/a.JSON"))
            try Data("ü\n\t\u{1B}[0m".utf8).write(to: URL(filePath: folder + "/ks.cfg"))
            try Data().write(to: URL(filePath: folder + "/meta-data"))
            #expect(await ask(port, "/vmlinuz").headers["content-type"] == "application/octet-stream")
            #expect(await ask(port, "/a.JSON").headers["content-type"] == "application/json")
            #expect(await ask(port, "/ks.cfg").headers["content-type"] == "text/plain; charset=utf-8")
            #expect(await ask(port, "/meta-data").headers["content-type"] == "text/plain; charset=utf-8")
        }
    }
}

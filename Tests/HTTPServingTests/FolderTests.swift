import Foundation
import HTTPServing
import Testing

@Suite("The folder that is served")
struct FolderTests {
    @Test("a link that stays in the folder is followed, relative or not; one that leaves it is refused and said")
    func link() async throws {
        try await withServer { port, folder, requests in
            #expect(await ask(port, "/inside").text == "d-i debconf\n")
            let files = FileManager.default
            try files.createSymbolicLink(atPath: folder + "/absolute", withDestinationPath: folder + "/preseed.cfg")
            #expect(await ask(port, "/absolute").text == "d-i debconf\n")
            try files.createSymbolicLink(atPath: folder + "/loop", withDestinationPath: "loop")
            #expect(await ask(port, "/loop").status == 404)
            let outside = await ask(port, "/outside")
            #expect(outside.status == 403 && outside.text.contains("leads out of the served folder"))
            #expect(requests.all.last?.status == 403)
            try files.removeItem(atPath: folder + "/site/index.html")
            try files.createSymbolicLink(atPath: folder + "/site/index.html", withDestinationPath: "../../secret")
            #expect(await ask(port, "/site/").text.contains("secret") == false)
        }
    }

    @Test("dots are resolved inside the folder, as Go's file server does")
    func dots() async throws {
        try await withServer { port, _, _ in
            for target in [
                "/site/../preseed.cfg", "/./preseed.cfg", "//preseed.cfg", "/../preseed.cfg", "/%2e/preseed.cfg",
            ] {
                #expect(await ask(port, target).text == "d-i debconf\n", "\(target)")
            }
        }
    }

    @Test("what cannot be read is forbidden, what is not there is missing")
    func unreadable() async throws {
        try await withFolder { path in
            try FileManager.default.createDirectory(atPath: path + "/closed", withIntermediateDirectories: true)
            for name in ["/preseed.cfg", "/closed"] { chmod(path + name, 0) }
            defer { for name in ["/preseed.cfg", "/closed"] { chmod(path + name, 0o755) } }
            let refusals = await onThread { () -> [String: ServedFolder.Refusal] in
                // Root may read everything, except on a thread that goes by another user's rights on files.
                becomeNobodyOnThisThread()
                var refusals: [String: ServedFolder.Refusal] = [:]
                for name in ["/preseed.cfg", "/closed", "/closed/file", "/nothing", "/site/index.html"] {
                    do throws(ServedFolder.Refusal) { _ = try ServedFolder(root: path).open(name) } catch {
                        refusals[name] = error
                    }
                }
                return refusals
            }
            #expect(
                refusals == [
                    "/preseed.cfg": .forbidden, "/closed": .forbidden, "/closed/file": .forbidden, "/nothing": .missing,
                ])
        }
    }

    @Test("a pipe in the folder does not hang a request")
    func pipe() async throws {
        try await withServer { port, folder, _ in
            #expect(mkfifo(folder + "/pipe", 0o644) == 0)
            #expect(await ask(port, "/pipe").status == 403)
        }
    }

    @Test("a redirect keeps the question and never leads to another host")
    func redirects() async throws {
        try await withServer { port, folder, _ in
            let expected = [
                "/site?a=b": "site/?a=b", "/sub%20dir": "sub%20dir/", "//site": "site/",
                "/preseed.cfg/": "../preseed.cfg",
                "/site/index.html?x": "./?x", "/nothing/index.html": "./", "/sub%20dir/../site": "site/",
            ]
            for (target, location) in expected {
                let answer = await ask(port, target)
                #expect(answer.status == 301 && answer.headers["location"] == location, "\(target)")
            }
            try FileManager.default.createDirectory(
                atPath: folder + "/http:example.org", withIntermediateDirectories: true)
            #expect(await ask(port, "/http:example.org").headers["location"] == "http%3Aexample.org/")
        }
    }

    @Test("the links of a listing lead to the files, whatever their names")
    func listing() async throws {
        try await withServer { port, folder, _ in
            let names = ["a b?c#d%41.txt", "x\"y'<z>&.txt", "http:x", "ünïcode", "line\nbreak"]
            for name in names { try Data(name.utf8).write(to: URL(filePath: folder + "/site/" + name)) }
            try FileManager.default.removeItem(atPath: folder + "/site/index.html")
            let list = await ask(port, "/site/")
            #expect(list.headers["content-type"] == "text/html; charset=utf-8")
            let links = list.text.matches(of: /href="([^"]*)"/).map { String($0.1) }
            #expect(links.count == names.count)
            var found: Set<String> = []
            for link in links { found.insert(await ask(port, "/site/" + link).text) }
            #expect(found == Set(names))
            let date = try #require(list.headers["last-modified"])
            #expect(await ask(port, "/site/", headers: ["If-Modified-Since": date]).status == 304)
        }
    }

    @Test("a folder that is not there fails before the guest asks")
    func missing() async throws {
        try await withFolder { folder in
            for path in [folder + "/nothing", folder + "/preseed.cfg"] {
                do {
                    let server = try await HTTPServer.start(content: .directory(path), host: "127.0.0.1", ports: 0..<0)
                    {
                        _ in
                    }
                    await server.stop()
                    Issue.record("\(path) was served")
                } catch { #expect("\(error)".contains(path) && "\(error)".contains("http_directory")) }
            }
        }
    }
}

/// Gives this thread nobody's rights on files, where it has root's.
private func becomeNobodyOnThisThread() {
    typealias SetFileSystemUser = @convention(c) (UInt32) -> Int32
    guard getuid() == 0, let symbol = dlsym(nil, "setfsuid") else { return }
    _ = unsafeBitCast(symbol, to: SetFileSystemUser.self)(65534)
}

import Foundation
import Media
import Scopes
import Synchronization
import Testing

private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }

private func digest(_ bytes: [UInt8], in folder: String) async throws -> Checksum {
    let path = folder + "/digest-me"
    try Data(bytes).write(to: URL(filePath: path))
    return try Checksum(type: "sha256", hex: await FileDigest.hex(of: path, .sha256))
}

private func store(_ folder: String) -> MediaStore {
    MediaStore(cacheDirectory: folder + "/cache", workingDirectory: folder)
}

private func cached(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/cache")) ?? []).filter { !$0.hasSuffix(".lock") }
}

@Suite struct DownloadTests {
    @Test("a download lands in the cache under the SHA-1 of its checksum, and is used from there the second time")
    func cachesDownloads() async throws {
        let server = try ScriptedServer { query, _ in serving(content, query) }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let first = try await store(folder).fetch(urls: [server.url + "/a.iso"], checksum: checksum) { _ in }
            let second = try await store(folder).fetch(urls: [server.url + "/a.iso"], checksum: checksum) { _ in }
            #expect(try Data(contentsOf: URL(filePath: first.path)) == Data(content))
            let name = try output(of: "sh", "-c", "printf %s '\(checksum)' | sha1sum | cut -c1-40")
            #expect(first.path == folder + "/cache/" + name.trimmingCharacters(in: .newlines) + ".iso")
            #expect(!first.wasCached && second.wasCached)
            #expect(server.queries.count == 1)
            #expect(cached(folder).count == 1)
        }
    }

    @Test("a connection that breaks is picked up where it broke")
    func resumesWithinARun() async throws {
        let server = try ScriptedServer { query, number in
            var answer = serving(content, query)
            if number == 0 { answer.cutAfter = 100_000 }
            return answer
        }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let medium = try await store(folder).fetch(urls: [server.url + "/a"], checksum: checksum) { _ in }
            #expect(try Data(contentsOf: URL(filePath: medium.path)) == Data(content))
            #expect(server.queries.count == 2)
            #expect(server.queries.last?.start ?? 0 > 0)
        }
    }

    @Test("a partial file of an earlier run is resumed; one that is wrong is dropped and all is downloaded again")
    func resumesAcrossRuns() async throws {
        let server = try ScriptedServer { query, _ in serving(content, query) }
        defer { server.stop() }
        for isRight in [true, false] {
            try await withScratch { folder in
                let checksum = try await digest(content, in: folder)
                let start = isRight ? Array(content.prefix(5000)) : Array(repeating: 7, count: 5000)
                let target = folder + "/my.iso"
                try Data(start).write(to: URL(filePath: target + ".part"))
                let medium = try await store(folder).fetch(
                    urls: [server.url + "/a"], checksum: checksum, targetPath: target
                ) { _ in }
                #expect(medium.path == target)
                #expect(try Data(contentsOf: URL(filePath: target)) == Data(content))
                #expect(!FileManager.default.fileExists(atPath: target + ".part"))
            }
        }
        #expect(server.queries.map(\.start) == [5000, 5000, nil])
    }

    @Test("a server without Range sends all of it again")
    func restartsWithoutRange() async throws {
        let server = try ScriptedServer { query, number in
            var answer = serving(content, query, ranges: false)
            if number == 0 { answer.cutAfter = 100_000 }
            return answer
        }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let medium = try await store(folder).fetch(urls: [server.url + "/a"], checksum: checksum) { _ in }
            #expect(try Data(contentsOf: URL(filePath: medium.path)) == Data(content))
            #expect(server.queries.count == 2)
        }
    }

    @Test("without a checksum a file that changed on the server is not joined to what came before")
    func validatesByEntityTag() async throws {
        let other = content.map { $0 ^ 0xFF }
        let server = try ScriptedServer { query, number in
            var answer = serving(number == 0 ? content : other, query, tag: number == 0 ? "\"one\"" : "\"two\"")
            if number == 0 { answer.cutAfter = 100_000 }
            return answer
        }
        defer { server.stop() }
        try await withScratch { folder in
            let medium = try await store(folder).fetch(urls: [server.url + "/a"], checksum: nil) { _ in }
            #expect(try Data(contentsOf: URL(filePath: medium.path)) == Data(other))
        }
    }

    @Test("without a checksum the cached file is used while the server tells the same size")
    func comparesSizes() async throws {
        let size = Mutex(1000)
        let server = try ScriptedServer { query, _ in serving(Array(content.prefix(size.withLock { $0 })), query) }
        defer { server.stop() }
        try await withScratch { folder in
            let urls = [server.url + "/a"]
            let first = try await store(folder).fetch(urls: urls, checksum: nil) { _ in }
            #expect(!first.wasCached)
            let second = try await store(folder).fetch(urls: urls, checksum: nil) { _ in }
            #expect(second.wasCached)
            size.withLock { $0 = 2000 }
            let third = try await store(folder).fetch(urls: urls, checksum: nil) { _ in }
            #expect(!third.wasCached)
            #expect(try Data(contentsOf: URL(filePath: third.path)).count == 2000)
            #expect(server.queries.map(\.method) == ["GET", "HEAD", "HEAD", "GET"])
        }
    }

    @Test("a wrong checksum deletes the download, shows both digests and goes on to the next mirror")
    func mirrors() async throws {
        let server = try ScriptedServer { query, _ in
            query.path == "/gone"
                ? .init(status: "404 Not Found") : serving(query.path == "/bad" ? [1, 2, 3] : content, query)
        }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let failures = Mutex<[String]>([])
            let medium = try await store(folder).fetch(
                urls: [server.url + "/gone", server.url + "/bad", server.url + "/good"], checksum: checksum
            ) { event in
                if case .failed(_, let reason) = event { failures.withLock { $0.append(reason) } }
            }
            #expect(medium.url.hasSuffix("/good"))
            #expect(failures.withLock { $0 }.first?.contains("404") == true)
            #expect(failures.withLock { $0 }.last?.contains(checksum.hex) == true)

            let message = await failure {
                _ = try await store(folder + "/other").fetch(urls: [server.url + "/bad"], checksum: checksum) { _ in }
            }
            #expect(message.contains("expected \(checksum.hex)"))
            #expect(message.contains("actual   039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81"))
            #expect(cached(folder + "/other").isEmpty)
        }
    }

    @Test("a cached file that was damaged is downloaded again")
    func damagedCache() async throws {
        let server = try ScriptedServer { query, _ in serving(content, query) }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let first = try await store(folder).fetch(urls: [server.url + "/a"], checksum: checksum) { _ in }
            try Data([9, 9, 9]).write(to: URL(filePath: first.path))
            let second = try await store(folder).fetch(urls: [server.url + "/a"], checksum: checksum) { _ in }
            #expect(!second.wasCached)
            #expect(try Data(contentsOf: URL(filePath: second.path)) == Data(content))
        }
    }

    @Test("redirects are followed, and a missing file and a dead server are told apart")
    func redirectsAndErrors() async throws {
        let server = try ScriptedServer { query, _ in
            switch query.path {
            case "/old": .init(status: "302 Found", headers: ["Location": "/new"])
            case "/new": serving(content, query)
            default: .init(status: "404 Not Found")
            }
        }
        let url = server.url
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let medium = try await store(folder).fetch(urls: [url + "/old"], checksum: checksum) { _ in }
            #expect(try Data(contentsOf: URL(filePath: medium.path)) == Data(content))
            let missing = await failure {
                _ = try await store(folder).fetch(urls: [url + "/x"], checksum: nil) { _ in }
            }
            #expect(missing.contains("404") && missing.contains(url + "/x"))
            server.stop()
            let dead = await failure { _ = try await store(folder).fetch(urls: [url + "/y"], checksum: nil) { _ in } }
            #expect(dead.contains("could not download \(url)/y"))
            #expect(!dead.contains("404"))
        }
    }

    @Test("two builds that want the same medium download it once")
    func downloadsOnce() async throws {
        let server = try ScriptedServer { query, _ in serving(content, query) }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let url = server.url + "/a"
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await store(folder).fetch(urls: [url], checksum: checksum) { _ in }.path }
                }
                let paths = try await group.reduce(into: Set<String>()) { $0.insert($1) }
                #expect(paths.count == 1)
            }
            #expect(server.queries.count == 1)
        }
    }

    @Test("cancelling ends a download that is stuck, and keeps what arrived")
    func cancellation() async throws {
        let server = try ScriptedServer { query, _ in
            var answer = serving(content, query)
            answer.cutAfter = 50_000
            answer.isStalled = true
            return answer
        }
        defer { server.stop() }
        try await withScratch { folder in
            let url = server.url + "/a"
            let (arrived, continuation) = AsyncStream.makeStream(of: Int64.self)
            let task = Task {
                try await store(folder).fetch(urls: [url], checksum: nil, targetPath: folder + "/a.iso") { event in
                    if case .received(let bytes, _) = event { continuation.yield(bytes) }
                }
            }
            for await bytes in arrived where bytes == 50_000 { break }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let kept = try Data(contentsOf: URL(filePath: folder + "/a.iso.part"))
            #expect(kept.count == 50_000)
        }
    }

    @Test("a local medium is used in place, verified, and never deleted")
    func localFiles() async throws {
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            for url in ["digest-me", folder + "/digest-me", "file://\(folder)/digest-me"] {
                let medium = try await store(folder).fetch(urls: [url], checksum: checksum) { _ in }
                #expect(medium.path == folder + "/digest-me")
            }
            let wrong = try Checksum(type: "md5", hex: String(repeating: "0", count: 32))
            let message = await failure {
                _ = try await store(folder).fetch(urls: ["digest-me"], checksum: wrong) { _ in }
            }
            #expect(message.contains("md5 checksum is wrong"))
            #expect(FileManager.default.fileExists(atPath: folder + "/digest-me"))
            let missing = await failure { _ = try await store(folder).fetch(urls: ["no.iso"], checksum: nil) { _ in } }
            #expect(missing.contains(folder + "/no.iso") && missing.contains("No such file"))
            let scheme = await failure {
                _ = try await store(folder).fetch(urls: ["smb://a/b"], checksum: nil) { _ in }
            }
            #expect(scheme.contains("“smb” is not supported"))
        }
    }

    @Test("a checksum in the URL counts, and a password in it is not shown")
    func queryChecksumAndPassword() async throws {
        let server = try ScriptedServer { query, _ in serving(content, query) }
        defer { server.stop() }
        try await withScratch { folder in
            let checksum = try await digest(content, in: folder)
            let url = "http://me:hunter2@127.0.0.1:\(server.port)/a.iso?checksum=\(checksum)&x=1"
            let medium = try await store(folder).fetch(urls: [url], checksum: nil) { _ in }
            #expect(medium.checksum == checksum)
            #expect(server.queries.first?.path == "/a.iso?x=1")
            #expect(server.queries.first?.headers["authorization"] == "Basic bWU6aHVudGVyMg==")
            #expect(!medium.url.contains("hunter2"))
        }
    }

    @Test("a proxy of the environment is asked for a tunnel, except to hosts that are exempt")
    func proxies() async throws {
        let proxy = try ScriptedServer { _, _ in .init(status: "403 Forbidden") }
        defer { proxy.stop() }
        try await withScratch { folder in
            var media = store(folder)
            media.environment = ["http_proxy": proxy.url, "NO_PROXY": "other.invalid, .exempt.invalid"]
            for url in ["http://mirror.invalid/a.iso", "http://a.exempt.invalid/b"] {
                let text = await failure { _ = try await media.fetch(urls: [url], checksum: nil) { _ in } }
                #expect(text.contains("could not download \(url)"))
            }
            #expect(Set(proxy.queries.map { $0.method + " " + $0.path }) == ["CONNECT mirror.invalid:80"])
        }
    }

    @Test("a medium that cannot fit is refused before it is downloaded")
    func noRoom() async throws {
        let server = try ScriptedServer { _, _ in .init(headers: ["Content-Length": "1000000000000000000"], cutAfter: 0)
        }
        defer { server.stop() }
        try await withScratch { folder in
            let text = await failure {
                _ = try await store(folder).fetch(urls: [server.url + "/a"], checksum: nil) { _ in }
            }
            #expect(text.contains("no room on \(folder)/cache"))
        }
    }
}

import Foundation
import Media
import Testing

private let sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
private let other = String(repeating: "ab", count: 32)

private func resolve(_ list: String, for url: String) async throws -> String? {
    try await withScratch { folder in
        try write(list, to: folder + "/SUMS")
        return try await resolveChecksum(.file("SUMS"), forURL: url, workingDirectory: folder)?.description
    }
}

@Suite struct ChecksumTests {
    @Test(
        "every way of writing a list of checksums is read",
        arguments: [
            "\(other)  else.iso\n\(sha256)  a.iso\n", "\(sha256) *a.iso\n", "\(sha256) ?a.iso\n", "\(sha256)  ./a.iso",
            "SHA256 (a.iso) = \(sha256)\n", "\(sha256)\n", "\(sha256) some other words\n", "\(sha256)  dir/a.iso\n",
            "# a.iso\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n\(sha256)  a.iso\n",
            "\(sha256.uppercased())  a.iso",
            "\(sha256)  http://host/images/dir/a.iso\n",
        ])
    func lists(text: String) async throws {
        // `dir/a.iso` is relative to the list where the list is beside `dir`; here it is matched by path.
        try await withScratch { folder in
            let list = folder + "/images/SUMS"
            try write(text, to: list)
            let url = text.contains("http:") ? "http://host/images/dir/a.iso" : folder + "/images/dir/a.iso"
            let found = try await resolveChecksum(.file(list), forURL: url, workingDirectory: folder)
            #expect(found?.description == "sha256:\(sha256)")
        }
    }

    @Test("the strongest of several digests of one file is taken")
    func strongest() async throws {
        let md5 = String(repeating: "1", count: 32)
        #expect(try await resolve("\(md5)  a.iso\n\(sha256)  a.iso\n", for: "http://h/a.iso") == "sha256:\(sha256)")
    }

    @Test("a list over HTTP is read; one without the name says what it has")
    func overHTTP() async throws {
        let server = try ScriptedServer { query, _ in
            query.path == "/SUMS" ? .init(body: Array("\(sha256)  a.iso\n".utf8)) : .init(status: "404 Not Found")
        }
        defer { server.stop() }
        let list = ChecksumReference.file(server.url + "/SUMS")
        let found = try await resolveChecksum(list, forURL: server.url + "/a.iso", workingDirectory: "/")
        #expect(found?.hex == sha256)
        let unnamed = await failure {
            _ = try await resolveChecksum(list, forURL: server.url + "/b.iso", workingDirectory: "/")
        }
        #expect(unnamed.contains("b.iso") && unnamed.contains("It contains: a.iso"))
        let missing = await failure {
            _ = try await resolveChecksum(.file(server.url + "/NO"), forURL: "a", workingDirectory: "/")
        }
        #expect(missing.contains("404"))
        let image = await failure {
            _ = try await resolveChecksum(.file(server.url + "/a.iso"), forURL: "a", workingDirectory: "/")
        }
        #expect(image.contains("an ISO image, not a list"))
    }

    @Test("a checksum of a wrong length or type is refused with a reason")
    func malformed() async {
        #expect(await failure { _ = try Checksum("sha256:abc") }.contains("64 hexadecimal digits"))
        #expect(await failure { _ = try Checksum("crc32:abc") }.contains("checksum type `crc32` is unknown"))
        #expect(await failure { _ = try Checksum("zz") }.contains("not that of a known digest"))
        #expect((try? Checksum(String(repeating: "A", count: 128)))?.algorithm == .sha512)
    }

    @Test("digests agree with coreutils", arguments: DigestAlgorithm.allCases, [0, 1, 55, 56, 63, 64, 65, 1_048_577])
    func digests(algorithm: DigestAlgorithm, size: Int) async throws {
        try await withScratch { folder in
            let path = folder + "/file"
            try Data((0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) }).write(to: URL(filePath: path))
            let expected = try output(of: algorithm.rawValue + "sum", path).prefix { $0 != " " }
            #expect(try await FileDigest.hex(of: path, algorithm: algorithm.rawValue) == expected)
        }
    }
}

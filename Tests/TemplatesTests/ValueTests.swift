import Templates
import Testing

@testable import ComponentModel

@Suite("Small values")
struct ValueTests {
    @Test(
        "disk sizes count MiB without a letter",
        arguments: [("40960", 40960 << 20), ("20G", 20 << 30), ("1t", 1 << 40), ("512k", 512 << 10), ("100b", 100)])
    func diskSize(_ text: String, _ bytes: Int) { #expect(parseDiskSize(text) == Int64(bytes)) }

    @Test("other disk sizes are refused", arguments: ["10GB", "1.5G", "", "G", "-1G", "99999999999T", "1 G"])
    func badDiskSize(_ text: String) { #expect(parseDiskSize(text) == nil) }

    @Test(
        "additional sizes count bytes without a letter",
        arguments: [("1024", 1024), ("1.5G", 3 << 29), ("10G", 10 << 30)])
    func imageSize(_ text: String, _ bytes: Int) { #expect(parseImageSize(text) == Int64(bytes)) }

    @Test(
        "version constraints hold",
        arguments: [
            (">= 1.7.0", true), (">= 1.7.0, < 2.0.0", true), ("~> 1.16", true), ("~> 1.16.0", true),
            ("~> 1.15.0", false),
            ("1.16.0", true), ("= 1.16", true), ("!= 1.16.0", false), ("> 1.16.0", false), ("<1.16.0", false),
            (">=1.8.0-beta1", true), ("~> 1", true), ("~> 2", false),
        ])
    func constraints(_ text: String, _ holds: Bool) throws {
        let constraint = try #require(VersionConstraint(text))
        let version = try #require(Version("1.16.0"))
        #expect(constraint.allows(version) == holds)
    }

    @Test("what is not a constraint is refused", arguments: ["", "abc", ">= ", ">= 1.0,", ">> 1", "1.x", "1.0 2.0"])
    func badConstraints(_ text: String) { #expect(VersionConstraint(text) == nil) }

    @Test("a prerelease comes before its release")
    func prerelease() throws {
        let beta = try #require(Version("1.0.0-beta.2"))
        let later = try #require(Version("1.0.0-beta.11"))
        let release = try #require(Version("1.0.0"))
        #expect(beta < later)
        #expect(later < release)
    }

    @Test(
        "globs match as on the command line",
        arguments: [
            ("*", "b.qemu.x", true), ("*.qemu.x", "b.qemu.x", true), ("qemu.x", "b.qemu.x", false),
            ("qemu.?", "qemu.x", true),
            ("qemu.[a-c]", "qemu.b", true), ("qemu.[!a-c]", "qemu.b", false), ("{a,b}.qemu.*", "b.qemu.x", true),
            ("{a,b}", "c", false), ("a\\*", "a*", true), ("a\\*", "ab", false), ("", "", true),
            ("a*b*c", "axxbxxc", true),
        ])
    func globs(_ pattern: String, _ text: String, _ matches: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == matches)
    }

    @Test("a glob that is never closed is refused", arguments: ["[a", "{a", "a\\", "[]"])
    func badGlobs(_ pattern: String) { #expect(Glob(pattern) == nil) }

    @Test("a glob of many stars is quick")
    func manyStars() throws {
        let pattern = try #require(Glob(String(repeating: "*a", count: 100) + "b"))
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }

    @Test("checksums tell their kind by length or by name")
    func checksums() throws {
        let hex = String(repeating: "aB", count: 32)
        #expect(try ChecksumSource(parsing: hex) == .digest(type: "sha256", hex: hex.lowercased()))
        #expect(try ChecksumSource(parsing: "SHA256:" + hex) == .digest(type: "sha256", hex: hex.lowercased()))
        #expect(try ChecksumSource(parsing: "none") == ChecksumSource.none)
        #expect(try ChecksumSource(parsing: "file:https://a/SHA256SUMS") == .file("https://a/SHA256SUMS"))
    }

    @Test(
        "wrong checksums are refused",
        arguments: ["abc", "sha256:abcd", "crc:00", "file:", "file:https://a/b.iso", "sha1:zz", "xyz"])
    func badChecksums(_ text: String) {
        #expect(throws: ChecksumSource.Problem.self) { try ChecksumSource(parsing: text) }
    }
}

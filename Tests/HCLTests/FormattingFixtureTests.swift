import Foundation
import HCL
import Testing

/// A template and what `packer fmt` 1.6.6 makes of it.
struct FormattingFixture: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var formatted: String

    var testDescription: String { name }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/fmt")

    static let all: [Self] = {
        // Without fixtures the test that counts them fails.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".pkr.hcl") }.sorted().compactMap { file in
            let name = file.replacing(".pkr.hcl", with: "")
            guard let text = try? Data(contentsOf: folder.appending(path: file)),
                let formatted = try? Data(contentsOf: folder.appending(path: name + ".formatted"))
            else { return nil }
            return Self(
                name: name, text: String(decoding: text, as: UTF8.self),
                formatted: String(decoding: formatted, as: UTF8.self))
        }
    }()
}

@Suite("the formatter on whole files")
struct FormattingFixtureTests {
    @Test("all fixtures are there")
    func count() {
        #expect(FormattingFixture.all.count == 21)
    }

    @Test("files become what Packer makes of them", arguments: FormattingFixture.all)
    func fixture(_ fixture: FormattingFixture) {
        #expect(Array(format(fixture.text).utf8) == Array(fixture.formatted.utf8))
    }

    @Test("what is formatted stays as it is", arguments: FormattingFixture.all)
    func idempotent(_ fixture: FormattingFixture) {
        #expect(format(fixture.formatted) == fixture.formatted)
    }

    @Test("broken files keep their tokens, and formatting them twice changes nothing more", arguments: 0..<4)
    func mutations(seed: UInt64) {
        var random = Seeded(state: seed)
        let pieces = [
            "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "~}", "<<E\n", "E\n", "\n", "\r", " ", "=", "-", "1", ".",
            "#",
        ]
        for fixture in FormattingFixture.all {
            for _ in 0..<15 {
                var bytes = Array(fixture.text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0...bytes.count, using: &random)
                    if Bool.random(using: &random) {
                        bytes.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: place)
                    } else {
                        let end = min(bytes.count, place + Int.random(in: 1...5, using: &random))
                        bytes.removeSubrange(place..<end)
                    }
                }
                let text = String(decoding: bytes, as: UTF8.self)
                let once = format(text)
                #expect(tokens(once) == tokens(text), "\(text)")
                #expect(format(once) == once, "\(text)")
            }
        }
    }

    private func tokens(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var lexer = FormatLexer(bytes)
        return lexer.read().map { "\($0.kind) \(String(decoding: bytes[$0.range], as: UTF8.self))" }
    }
}

/// The same numbers in every run (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

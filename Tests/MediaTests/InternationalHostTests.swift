import Media
import Testing

@Suite("international host names")
struct InternationalHostTests {
    @Test(
        "a host name that is not ASCII is written as the domain name system has it, the rest of the URL stays",
        arguments: [
            ("http://bücher.example/x.iso", "http://xn--bcher-kva.example/x.iso"),
            ("https://u:p@München.example:8080/a?b#c", "https://u:p@xn--mnchen-3ya.example:8080/a?b#c"),
            ("http://例え.テスト/", "http://xn--r8jz45g.xn--zckzah/"),
            ("http://президент.рф", "http://xn--d1abbgf6aiiy.xn--p1ai"),
            ("http://example.org/ä", "http://example.org/ä"), ("http://example.org/x", "http://example.org/x"),
            ("ä.iso", "ä.iso"),
        ])
    func ascii(url: String, expected: String) { #expect(withASCIIHost(url) == expected) }
}

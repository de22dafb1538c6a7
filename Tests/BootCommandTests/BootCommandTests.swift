import BootCommand
import Testing

@Suite("Boot commands")
struct BootCommandTests {
    private func steps(_ text: String) throws -> [BootStep] { try parseBootCommand(text).steps }

    @Test("plain text is typed character by character")
    func plainText() throws {
        let keys = try steps("ab 1").map { step in
            if case .key(let key, .press) = step { key.value } else { UInt32(0) }
        }
        #expect(keys == [0x61, 0x62, 0x20, 0x31])
    }

    @Test("capitals and the upper row need shift, others do not", arguments: Array("AZ~!@#$%^&*()_+{}|:\"<>?"))
    func shift(_ character: Character) throws {
        #expect(Keysym(character: character)?.needsShift == true)
    }

    @Test("small letters, digits and the lower row need no shift", arguments: Array("az09`-=[]\\;',./ "))
    func noShift(_ character: Character) throws {
        #expect(Keysym(character: character)?.needsShift == false)
    }

    @Test("the wait word takes seconds and Go durations")
    func waits() throws {
        let waits = try steps("<wait><wait5><wait1m20s><wait500ms><wait0.5s>")
        #expect(
            waits == [
                .wait(.seconds(1)), .wait(.seconds(5)), .wait(.seconds(80)), .wait(.milliseconds(500)),
                .wait(.milliseconds(500)),
            ])
    }

    @Test("key names are found in any case", arguments: ["<enter>", "<Enter>", "<ENTER>", "<return>"])
    func names(_ text: String) throws {
        guard case .key(let key, .press)? = try steps(text).first else {
            Issue.record("no key")
            return
        }
        #expect(key.value == 0xFF0D)
    }

    @Test("On holds a key and Off releases it")
    func holds() throws {
        let parsed = try parseBootCommand("<leftCtrlOn>c<leftCtrlOff>")
        let actions = parsed.steps.compactMap { step in
            if case .key(let key, let action) = step { "\(key.value) \(action)" } else { nil }
        }
        #expect(actions == ["65507 down", "99 press", "65507 up"])
        #expect(parsed.warnings.isEmpty)
    }

    @Test("any single character can be held")
    func characterHolds() throws {
        #expect(try steps("<aOn>") == [.key(Keysym(value: 0x61, name: "a"), .down)])
        #expect(try steps("<AOff>") == [.key(Keysym(value: 0x41, needsShift: true, name: "A"), .up)])
    }

    @Test("an unknown word is typed, with a hint at what was meant")
    func unknownWord() throws {
        let parsed = try parseBootCommand("a<entr>")
        #expect(parsed.steps.count == 7)
        #expect(parsed.warnings.first?.range == 1..<7)
        #expect(parsed.warnings.first?.description.contains("<enter>") == true)
    }

    @Test("a wait for text is typed, with a warning")
    func waitForText() throws {
        let parsed = try parseBootCommand("<wait 'login'>")
        #expect(parsed.steps.count == 14)
        #expect(parsed.warnings.count == 1)
    }

    @Test(
        "brackets that are no word are typed without a warning",
        arguments: ["a < b > c", "<", "<<", "<{{ .Name }}>", "<>"])
    func brackets(_ text: String) throws {
        let parsed = try parseBootCommand(text)
        #expect(parsed.steps.count == text.count)
        #expect(parsed.warnings.isEmpty)
    }

    @Test("a key after a stray bracket is still a key")
    func strayBracket() throws {
        #expect(try steps("<<enter>").count == 2)
    }

    @Test(
        "a character that no key makes is refused by name and position",
        arguments: [("abä", 3), ("🚀", 1), ("<enter>é", 8)])
    func untypable(_ text: String, _ position: Int) throws {
        let error = #expect(throws: BootCommandError.self) { try parseBootCommand(text) }
        #expect(error?.position == position)
        #expect(error?.character == text.last)
        #expect(error?.description.contains("U+") == true)
    }

    @Test("a line break types nothing and a tab types tab")
    func whiteSpace() throws {
        #expect(try steps("\n\r\n").isEmpty)
        #expect(try steps("\t") == [.key(.tab, .press)])
    }

    @Test(
        "a wait of zero or beyond all measure is typed instead",
        arguments: ["<wait0>", "<wait99999999999999999999>", "<wait-5s>"])
    func oddWaits(_ text: String) throws {
        #expect(try steps(text).count == text.count)
    }
}

@Suite("Go durations")
struct GoDurationTests {
    @Test(
        "are read as Go reads them",
        arguments: [
            ("1h5m", Duration.seconds(3900)), ("1.5h", .seconds(5400)), ("300ms", .milliseconds(300)), ("0", .zero),
            ("-1s", .seconds(-1)), ("+2s", .seconds(2)), ("1us", .microseconds(1)), ("1µs", .microseconds(1)),
            (".5s", .milliseconds(500)), ("1.s", .seconds(1)), ("1m0.25s", .milliseconds(60_250)),
        ])
    func good(_ text: String, _ expected: Duration) { #expect(parseGoDuration(text) == expected) }

    @Test(
        "anything else is refused",
        arguments: ["", "10", "s", ".s", "1d", "1 s", "1h5", "--1s", "99999999999h", "1e3s"])
    func bad(_ text: String) { #expect(parseGoDuration(text) == nil) }
}

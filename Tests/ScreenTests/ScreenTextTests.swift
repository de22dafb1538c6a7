import RemoteFramebuffer
import Screen
import Testing

@Suite("Text on a screen")
struct ScreenTextTests {
    static let sizes = [(720, 400), (640, 400), (640, 480), (800, 600), (1024, 768), (1280, 800)]
    static let ascii = String(String.UnicodeScalarView((33...126).compactMap { Unicode.Scalar($0 as UInt32) }))

    @Test("every printable ASCII character is read at every size of the screen", arguments: sizes)
    func asciiIsRead(size: (width: Int, height: Int)) {
        var screen = TestScreen(width: size.width, height: size.height)
        let half = Self.ascii.index(Self.ascii.startIndex, offsetBy: 47)
        screen.write(String(Self.ascii[..<half]), row: 1)
        screen.write(String(Self.ascii[half...]), row: 3, column: 2)
        #expect(screen.lines == ["", String(Self.ascii[..<half]), "", "  " + Self.ascii[half...]])
    }

    @Test("a screen has a line for each row of cells")
    func allRowsAreThere() {
        var screen = TestScreen(width: 800, height: 600)
        screen.write("login:")
        #expect(textOnScreen(screen.framebuffer)?.lines == ["login:"] + Array(repeating: "", count: 36))
    }

    @Test("inverse lines are read like others")
    func inverseIsRead() {
        for size in Self.sizes {
            var screen = TestScreen(width: size.0, height: size.1)
            screen.write("Install  ", ink: 0, background: 0xaaaaaa)
            screen.write(Self.ascii.prefix(70) + " ", row: 1, ink: 0, background: 0xaaaaaa)
            screen.write("Rescue", row: 2)
            #expect(screen.lines == ["Install", String(Self.ascii.prefix(70)), "Rescue"])
        }
    }

    @Test("each cell may have its own two colours")
    func coloursAreRead() {
        var screen = TestScreen(width: 720, height: 400, background: 0x0000aa)
        screen.write("blue ", ink: 0xffffff, background: 0x0000aa)
        screen.write("red MMWW@", column: 5, ink: 0xffff55, background: 0xaa0000)
        screen.write("grey", row: 2, ink: 0x000000, background: 0xaaaaaa)
        #expect(screen.lines == ["blue red MMWW@", "", "grey"])
    }

    @Test("frames and blocks of code page 437 are read as their Unicode characters")
    func framesAreRead() {
        for size in Self.sizes {
            var screen = TestScreen(width: size.0, height: size.1)
            let lines = ["┌──┬─╖ ok", "│░▒▓▄▀▌▐│", "╞══╪═╡", "└──┴─╜ ╔╦╗ ╚╩╝ ╠╬╣", "▲▼◄►↑↓ é ß √ ■ ·"]
            for (row, line) in lines.enumerated() { screen.write(line, row: row) }
            #expect(screen.lines == lines)
        }
    }

    @Test("a cursor does not hide the text", arguments: [(13, 2), (14, 2), (14, 1), (15, 1)])
    func cursorIsTolerated(top: Int, height: Int) {
        var screen = TestScreen(width: 720, height: 400)
        screen.write("boot: nAEv#")
        for column in [11, 8, 9, 10, 6] {
            screen.fill(column * 9, top, 8, height, 0xaaaaaa)
        }
        #expect(screen.lines == ["boot: nAEv#"])
    }

    @Test("a cursor that is a block over a character or a space is tolerated")
    func blockCursorIsTolerated() {
        var screen = TestScreen(width: 1024, height: 768)
        screen.write("$ ls x")
        screen.write("x", column: 5, ink: 0, background: 0xaaaaaa)
        screen.fill(6 * 8, 0, 8, 16, 0xaaaaaa)
        screen.fill(7 * 8, 8, 8, 8, 0xaaaaaa)
        screen.write("y", column: 8)
        #expect(screen.lines == ["$ ls x  y"])
    }

    @Test("a character with a few wrong pixels is still read")
    func nearlyRightIsRead() {
        var screen = TestScreen(width: 640, height: 480)
        screen.write("ABMW")
        for column in 0..<4 {
            screen.framebuffer[column * 8 + 7, 0] = 0xaaaaaa
            screen.framebuffer[column * 8, 15] = 0xaaaaaa
        }
        #expect(screen.lines == ["ABMW"])
    }

    @Test("unknown cells are marked while most are characters")
    func unknownIsMarked() {
        var screen = TestScreen(width: 640, height: 480)
        screen.write("Twenty characters and some more", row: 7)
        screen.fill(40, 7 * 16 + 3, 5, 5, 0xaaaaaa)
        screen.fill(41, 7 * 16 + 12, 6, 2, 0x55ffff)
        #expect(screen.lines?[7] == "Twent\u{fffd} characters and some more")
    }

    @Test("the logo of the Linux console is left out")
    func logoIsLeftOut() {
        var screen = TestScreen(width: 800, height: 600)
        var numbers = RepeatableNumbers(seed: 7)
        for y in 0..<80 {
            for x in 0..<80 { screen.framebuffer[x, y] = UInt32.random(in: 0..<1 << 24, using: &numbers) }
        }
        screen.write("[    0.000000] Linux", row: 5)
        #expect(screen.lines == ["", "", "", "", "", "[    0.000000] Linux"])
    }
}

@Suite("Screens without text")
struct NoTextTests {
    @Test("noise is no text, in two colours or in many", arguments: [2, 1 << 24])
    func noiseIsNoText(colours: UInt32) {
        var numbers = RepeatableNumbers(seed: 1)
        for size in ScreenTextTests.sizes {
            var screen = TestScreen(width: size.0, height: size.1)
            for y in 0..<size.1 {
                for x in 0..<size.0 {
                    screen.framebuffer[x, y] = UInt32.random(in: 0..<colours, using: &numbers)
                }
            }
            #expect(screen.lines == nil)
        }
    }

    @Test("scattered pixels are no text")
    func scatteredPixelsAreNoText() {
        var numbers = RepeatableNumbers(seed: 2)
        var screen = TestScreen(width: 720, height: 400)
        for _ in 0..<400 {
            let (x, y) = (Int.random(in: 0..<720, using: &numbers), Int.random(in: 0..<400, using: &numbers))
            screen.framebuffer[x, y] = 0xffffff
        }
        #expect(screen.lines == nil)
    }

    @Test("a picture of areas and lines is no text")
    func desktopIsNoText() {
        var screen = TestScreen(width: 1024, height: 768, background: 0x204060)
        screen.fill(0, 0, 1024, 27, 0x101010)
        screen.fill(203, 151, 617, 420, 0xf0f0f0)
        screen.fill(203, 151, 617, 30, 0xd0d0d0)
        #expect(screen.lines == nil)
    }

    @Test("a blank screen is an empty text in the text modes only")
    func blankScreens() {
        #expect(TestScreen(width: 720, height: 400).lines == [])
        #expect(TestScreen(width: 640, height: 400).lines == [])
        #expect(TestScreen(width: 1024, height: 768).lines == nil)
    }

    @Test("sizes that no console has are no text", arguments: [(0, 0), (1, 1), (8, 16), (319, 480), (640, 199)])
    func oddSizesAreNoText(size: (width: Int, height: Int)) {
        #expect(textOnScreen(Framebuffer(width: size.width, height: size.height)) == nil)
    }
}

import RemoteFramebuffer
import Screen

/// A screen on which a test draws characters with the font of the VGA BIOS.
struct TestScreen {
    var framebuffer: Framebuffer
    let pitch: Int

    init(width: Int, height: Int, background: UInt32 = 0) {
        framebuffer = Framebuffer(width: width, height: height)
        pitch = width == 720 && height == 400 ? 9 : 8
        fill(0, 0, width, height, background)
    }

    /// Draws text from a cell on; each character fills its cell with the background.
    mutating func write(
        _ text: String, row: Int = 0, column: Int = 0, ink: UInt32 = 0xaaaaaa, background: UInt32 = 0
    ) {
        for (index, character) in text.unicodeScalars.enumerated() {
            let number = codePage437.firstIndex(of: character) ?? 0
            let shape = [vgaFont[number].upper, vgaFont[number].lower]
            let left = (column + index) * pitch
            let repeatsEighth = (0x2500..<0x25a0).contains(character.value)
            for y in 0..<16 {
                for x in 0..<pitch {
                    let column = x < 8 ? x : 7
                    let isInk = shape[y / 8] >> UInt64(63 - y % 8 * 8 - column) & 1 == 1 && (x < 8 || repeatsEighth)
                    framebuffer[left + x, row * 16 + y] = isInk ? ink : background
                }
            }
        }
    }

    /// Fills a rectangle of pixels.
    mutating func fill(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ colour: UInt32) {
        for line in y..<y + height {
            for column in x..<x + width { framebuffer[column, line] = colour }
        }
    }

    /// The lines that the screen reads as, without the empty ones at the end; nil where it is no text.
    var lines: [String]? {
        guard var lines = textOnScreen(framebuffer)?.lines else { return nil }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }
}

/// Pseudorandom numbers that are the same in every run (a linear congruential generator with Knuth's constants).
struct RepeatableNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

/// A key as VNC numbers it (RFC 6143, section 7.5.4), and whether a US keyboard needs Shift for it.
package struct Keysym: Hashable, Sendable {
    /// The X11 keysym value; for a printable character its code point.
    package var value: UInt32
    /// Whether Shift must be held for this character: capitals and `~!@#$%^&*()_+{}|:"<>?`.
    package var needsShift: Bool
    /// The name for messages: `enter`, `a`.
    package var name: String

    package init(value: UInt32, needsShift: Bool = false, name: String) {
        self.value = value
        self.needsShift = needsShift
        self.name = name
    }

    /// The key of a US keyboard that types `character`; nil if there is none.
    package init?(character: Character) {
        guard let byte = character.asciiValue, (0x20...0x7E).contains(byte) else { return nil }
        let isShifted = (0x41...0x5A).contains(byte) || Self.shiftedSymbols.contains(character)
        self.init(value: UInt32(byte), needsShift: isShifted, name: String(character))
    }

    /// The key that `<name>` presses, in upper or lower case; nil if there is none.
    package init?(name: String) {
        let name = name.lowercased()
        guard let value = Self.named[name] else { return nil }
        self.init(value: value, name: name)
    }

    /// The left Shift key.
    package static let leftShift = Keysym(value: 0xFFE1, name: "leftshift")
    /// The Tab key.
    package static let tab = Keysym(value: 0xFF09, name: "tab")

    /// The names of keys that can be written in angle brackets, sorted.
    package static var names: [String] { named.keys.sorted() }

    private static let shiftedSymbols = Set("~!@#$%^&*()_+{}|:\"<>?")

    /// The names that Packer's boot commands use; the values are from X11's `keysymdef.h`.
    private static let named: [String: UInt32] = [
        "bs": 0xFF08, "tab": 0xFF09, "enter": 0xFF0D, "return": 0xFF0D, "esc": 0xFF1B, "del": 0xFFFF,
        "insert": 0xFF63, "home": 0xFF50, "left": 0xFF51, "up": 0xFF52, "right": 0xFF53, "down": 0xFF54,
        "pageup": 0xFF55, "pagedown": 0xFF56, "end": 0xFF57, "menu": 0xFF67, "f1": 0xFFBE, "f2": 0xFFBF,
        "f3": 0xFFC0, "f4": 0xFFC1, "f5": 0xFFC2, "f6": 0xFFC3, "f7": 0xFFC4, "f8": 0xFFC5, "f9": 0xFFC6,
        "f10": 0xFFC7, "f11": 0xFFC8, "f12": 0xFFC9, "spacebar": 0x20, "leftshift": 0xFFE1, "rightshift": 0xFFE2,
        "leftctrl": 0xFFE3, "rightctrl": 0xFFE4, "leftalt": 0xFFE9, "rightalt": 0xFFEA, "leftsuper": 0xFFEB,
        "rightsuper": 0xFFEC, "leftcommand": 0xFFE9, "rightcommand": 0xFFEA, "leftoption": 0xFFE7,
        "rightoption": 0xFFE8,
    ]
}

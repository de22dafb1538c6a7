/// A regular expression as a tree.
indirect enum RegexNode: Sendable {
    case empty
    case scalars(ScalarSet)
    case sequence([RegexNode])
    case either([RegexNode])
    /// - Parameter most: nil for no limit.
    case `repeat`(RegexNode, least: Int, most: Int?, isGreedy: Bool)
    case group(RegexNode, index: Int)
    case assertion(Assertion)

    enum Assertion: Hashable, Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    }
}

/// A set of characters: ranges and named properties, perhaps inverted.
struct ScalarSet: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    /// General categories by their short names, such as `L` or `Lu`, and whether they are inverted.
    var categories: [(name: String, isInverted: Bool)] = []
    var nested: [ScalarSet] = []
    var isInverted = false
    var ignoresCase = false

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = holds(scalar)
        if !found, ignoresCase {
            found = Self.single(scalar.properties.lowercaseMapping).map(holds) ?? false
            if !found { found = Self.single(scalar.properties.uppercaseMapping).map(holds) ?? false }
        }
        return found != isInverted
    }

    private func holds(_ scalar: Unicode.Scalar) -> Bool {
        ranges.contains { $0.contains(scalar.value) } || nested.contains { $0.contains(scalar) }
            || categories.contains { category in
                scalar.properties.generalCategory.shortName.hasPrefix(category.name) != category.isInverted
            }
    }

    private static func single(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }

    static func one(_ scalar: Unicode.Scalar, ignoresCase: Bool) -> ScalarSet {
        ScalarSet(ranges: [scalar.value...scalar.value], ignoresCase: ignoresCase)
    }

    /// Every character, or every one but the newline.
    static func any(withNewline: Bool) -> ScalarSet {
        withNewline ? ScalarSet(ranges: [0...0x10FFFF]) : ScalarSet(ranges: [0...9, 11...0x10FFFF])
    }

    /// `\d`, `\s`, `\w` and their capitals.
    static func perl(_ letter: Unicode.Scalar) -> ScalarSet? {
        let isInverted = letter.properties.isUppercase
        switch letter {
        case "d", "D": return ScalarSet(ranges: [0x30...0x39], isInverted: isInverted)
        case "s", "S": return ScalarSet(ranges: [9...10, 12...13, 0x20...0x20], isInverted: isInverted)
        case "w", "W":
            return ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A], isInverted: isInverted)
        default: return nil
        }
    }

    /// `[:alpha:]` and the other POSIX classes.
    static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
        "blank": [9...9, 0x20...0x20], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
        "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
        "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [9...13, 0x20...0x20],
        "upper": [0x41...0x5A], "word": [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A],
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]

    static let categoryNames: Set<String> = [
        "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe",
        "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co",
    ]
}

extension Unicode.GeneralCategory {
    fileprivate var shortName: String {
        switch self {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        default: ""
        }
    }
}

import Foundation
import Scopes

/// What a medium must hash to.
package struct Checksum: Sendable, Hashable, CustomStringConvertible {
    package var algorithm: DigestAlgorithm
    /// In lower case.
    package var hex: String

    /// `type:hex`, the text that names cached media.
    package var description: String { "\(algorithm.rawValue):\(hex)" }

    /// - Throws: `BuildError` when `hex` is not a digest of that type.
    package init(type: String, hex: String) throws {
        let operation = "read the checksum \(type):\(hex)"
        guard let algorithm = DigestAlgorithm(rawValue: type.lowercased()) else {
            throw BuildError(
                operation, because: "the checksum type “\(type)” is unknown",
                hint: "Known types: \(DigestAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        guard hex.utf8.count == algorithm.digits, hex.utf8.allSatisfy(isHexDigit) else {
            throw BuildError(
                operation, because: "a \(algorithm.rawValue) checksum has \(algorithm.digits) hexadecimal digits",
                hint: "It has \(hex.count) characters; was it cut when it was copied?")
        }
        self.algorithm = algorithm
        self.hex = hex.lowercased()
    }

    /// A digest whose type follows from its length.
    init?(bare hex: some StringProtocol) {
        guard let algorithm = DigestAlgorithm(digits: hex.utf8.count), hex.utf8.allSatisfy(isHexDigit) else {
            return nil
        }
        self.algorithm = algorithm
        self.hex = hex.lowercased()
    }

    /// `type:hex`, or a digest alone.
    package init(_ text: String) throws {
        let text = text.trimmingCharacters(in: .whitespaces)
        if let colon = text.firstIndex(of: ":") {
            try self.init(type: String(text[..<colon]), hex: String(text[text.index(after: colon)...]))
        } else if let bare = Checksum(bare: text) {
            self = bare
        } else {
            throw BuildError(
                "read the checksum \(text)", because: "its length is not that of a known digest",
                hint: "Write it as `sha256:…`, or give a list of checksums as `file:…`.")
        }
    }
}

/// Where a medium's checksum comes from.
package enum ChecksumReference: Sendable, Equatable {
    case none
    case digest(type: String, hex: String)
    /// A list of checksums: a path or a URL.
    case file(String)

    /// As templates and the `checksum=` of a URL write it.
    package init(_ text: String) throws {
        if text == "none" || text.isEmpty {
            self = .none
        } else if text.hasPrefix("file:") {
            self = .file(String(text.dropFirst("file:".count)))
        } else {
            let checksum = try Checksum(text)
            self = .digest(type: checksum.algorithm.rawValue, hex: checksum.hex)
        }
    }
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
}

extension ChecksumSource {
    /// Why a text is not a checksum.
    package struct Problem: Error {
        package var message: String
    }

    /// Reads `none`, bare hex, `TYPE:hex` or `file:PATH-or-URL`.
    package init(parsing text: String) throws(Problem) {
        if text == "none" {
            self = .none
            return
        }
        if text.lowercased().hasPrefix("file:") {
            let place = String(text.dropFirst(5))
            guard !place.isEmpty else {
                throw Problem(message: "file: needs the path or URL of a checksum file after it")
            }
            guard !place.lowercased().hasSuffix(".iso") else {
                throw Problem(message: "\(place) is an image, not a file of checksums")
            }
            self = .file(place)
            return
        }
        var type: String?
        var hex = text
        if let colon = text.firstIndex(of: ":") {
            type = text[..<colon].lowercased()
            hex = String(text[text.index(after: colon)...])
        }
        guard let length = Self.hexDigits[type ?? ""] ?? (type == nil ? hex.count : nil) else {
            let hint = ["md5", "sha1", "sha256", "sha512", "file", "none"].joined(separator: ", ")
            throw Problem(message: "“\(type ?? "")” is not a checksum type; known are \(hint)")
        }
        guard hex.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw Problem(
                message: text.contains(".") || text.contains("/")
                    ? "if it is a file of checksums, write \"file:\(text)\""
                    : "a checksum is written in hexadecimal digits, as TYPE:HEX or file:URL, or is none")
        }
        guard let found = type ?? Self.hexDigits.first(where: { $0.value == hex.count })?.key else {
            throw Problem(
                message: "a checksum of \(hex.count) digits is of no known kind: "
                    + "md5 has 32, sha1 40, sha256 64, sha512 128")
        }
        guard hex.count == length else {
            throw Problem(message: "a \(found) checksum has \(length) digits, not \(hex.count)")
        }
        self = .digest(type: found, hex: hex.lowercased())
    }

    private static let hexDigits = ["md5": 32, "sha1": 40, "sha256": 64, "sha512": 128]
}

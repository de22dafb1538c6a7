/// Percent-encoding of text as UTF-8.
package enum PercentEncoding {
    /// Leaves letters, digits, `-`, `_`, `.` and `~`: fit for paths, queries and form bodies alike.
    package static func strict(_ text: String) -> String {
        encode(text) { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: true
            default: false
            }
        }
    }

    /// As lines of a description are kept in `qemu-server.conf`: visible ASCII but for `%` and `:`.
    package static func descriptionLine(_ line: some StringProtocol) -> String {
        let encoded = encode(line) { (0x20...0x7e).contains($0) && $0 != 0x25 && $0 != 0x3a }
        // Such comments are the backup tool's own and would vanish on restore.
        for prefix in ["qmdump#", "vzdump#"] where encoded.hasPrefix(prefix) {
            return encode(line.prefix(1)) { _ in false } + encoded.dropFirst()
        }
        return encoded
    }

    /// Fields of a form, or of a query, in the order given.
    package static func form(_ fields: [(key: String, value: String)]) -> String {
        fields.map { strict($0.key) + "=" + strict($0.value) }.joined(separator: "&")
    }

    private static func encode(_ text: some StringProtocol, keeping isKept: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

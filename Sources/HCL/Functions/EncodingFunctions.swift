import CCrypt
import Crypto
import FoundationEssentials

let encodingFunctions: [String: Function] = [
    "base64encode": Function(.string) { arguments throws(FunctionError) in
        .string(Data(try arguments.string(0).utf8).base64EncodedString())
    },
    "base64decode": Function(.string) { arguments throws(FunctionError) in
        // Line ends inside are not mistakes.
        let encoded = try arguments.string(0).unicodeScalars.filter { $0 != "\n" && $0 != "\r" }
        guard let data = Data(base64Encoded: String(String.UnicodeScalarView(encoded))),
            let text = String(validating: data, as: UTF8.self)
        else {
            throw FunctionError("this is not base64 of UTF-8 text", argument: 0)
        }
        return .string(text)
    },
    "urlencode": Function(.string) { arguments throws(FunctionError) in
        var result = ""
        for byte in try arguments.string(0).utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte == 0x20 {
                result += "+"
            } else if byte < 0x80, character.isLetter || character.isNumber || "-_.~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return .string(result)
    },
    "jsonencode": Function(.any, takesAnything: true) { arguments throws(FunctionError) in
        arguments[0].isWhollyKnown ? .string(encodeJSON(arguments[0])) : .unknown
    },
    "jsondecode": Function(.string) { arguments throws(FunctionError) in try decodeJSON(try arguments.string(0)) },
    "yamlencode": Function(.any, takesAnything: true) { arguments throws(FunctionError) in
        arguments[0].isWhollyKnown ? .string(encodeYAML(arguments[0])) : .unknown
    },
    "yamldecode": Function(.string) { arguments throws(FunctionError) in try decodeYAML(try arguments.string(0)) },
    "csvdecode": Function(.string) { arguments throws(FunctionError) in try decodeCSV(try arguments.string(0)) },
    "md5": digest(Insecure.MD5.self), "sha1": digest(Insecure.SHA1.self), "sha256": digest(SHA256.self),
    "sha512": digest(SHA512.self),
    "bcrypt": Function(.string, .number, optional: 1) { arguments throws(FunctionError) in
        let cost = arguments.count == 2 ? try arguments.int(1) : 10
        // Each step doubles the time; 16 takes some seconds.
        guard cost <= 16 else { throw FunctionError("a cost of more than 16 would take minutes", argument: 1) }
        guard try arguments.string(0).utf8.count <= 72 else {
            throw FunctionError("bcrypt takes at most 72 bytes", argument: 0)
        }
        return .string(try bcrypt(try arguments.string(0), cost: cost < 4 ? 10 : cost))
    },
    "base64gzip": Function(.string) { arguments throws(FunctionError) in
        .string(Data(gzip(Array(try arguments.string(0).utf8))).base64EncodedString())
    },
    "textencodebase64": Function(.string, .string) { arguments throws(FunctionError) in
        let bytes = try encoded(try arguments.string(0), in: try arguments.string(1))
        return .string(Data(bytes).base64EncodedString())
    },
    "textdecodebase64": Function(.string, .string) { arguments throws(FunctionError) in
        guard let data = Data(base64Encoded: try arguments.string(0)) else {
            throw FunctionError("this is not base64", argument: 0)
        }
        return .string(normalized(try decoded(Array(data), from: try arguments.string(1))))
    },
    "rsadecrypt": Function(.string, .string) { arguments throws(FunctionError) in
        guard let data = Data(base64Encoded: try arguments.string(0)) else {
            throw FunctionError("this is not base64", argument: 0)
        }
        let plain = try RSAPrivateKey(pem: try arguments.string(1)).decrypted(Array(data))
        guard let text = String(validating: plain, as: UTF8.self) else {
            throw FunctionError("the decrypted bytes are not UTF-8 text", argument: 0)
        }
        return .string(text)
    },
    "uuidv5": Function(.string, .string) { arguments throws(FunctionError) in
        .string(try namedUUID(namespace: try arguments.string(0), name: try arguments.string(1)))
    },
    "uuidv4": Function { _ throws(FunctionError) in .string(UUID().uuidString.lowercased()) },
]

private func digest<Digest: HashFunction>(_ type: Digest.Type) -> Function {
    Function(.string) { arguments throws(FunctionError) in
        let bytes = Digest.hash(data: Data(try arguments.string(0).utf8))
        return .string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}

/// bcrypt by the system's libcrypt, in the form `$2a$` that the reference gives.
private func bcrypt(_ text: String, cost: Int) throws(FunctionError) -> String {
    let alphabet = Array("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    // 21 characters carry 126 bits and the last one two more: its lower four bits must be zero.
    let salt =
        String((0..<21).map { _ in alphabet[Int.random(in: 0..<64)] })
        + String(alphabet[[0, 16, 32, 48][Int.random(in: 0..<4)]])
    let setting = "$2a$\(cost < 10 ? "0" : "")\(cost)$\(salt)"
    let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    data.initialize(to: crypt_data())
    defer { data.deallocate() }
    guard let hash = crypt_r(text, setting, data).map({ String(cString: $0) }), hash.hasPrefix("$2a$") else {
        throw FunctionError("the system's libcrypt has no bcrypt")
    }
    return hash
}

/// The UUID of a name by its SHA-1 (RFC 9562, version 5).
private func namedUUID(namespace: String, name: String) throws(FunctionError) -> String {
    // The namespaces of the standard differ in one digit.
    let known = ["dns": "0", "url": "1", "oid": "2", "x500": "4"]
    let text = known[namespace].map { "6ba7b81\($0)-9dad-11d1-80b4-00c04fd430c8" } ?? namespace
    guard let uuid = UUID(uuidString: text) else {
        throw FunctionError("the namespace is dns, url, oid, x500 or a UUID", argument: 0)
    }
    let prefix = withUnsafeBytes(of: uuid.uuid) { Array($0) }
    var bytes = Array(Insecure.SHA1.hash(data: Data(prefix + Array(name.utf8)))).prefix(16)
    bytes[6] = bytes[6] & 0x0F | 0x50
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    let groups = [digits[0..<4], digits[4..<6], digits[6..<8], digits[8..<10], digits[10..<16]]
    return groups.map { $0.joined() }.joined(separator: "-")
}

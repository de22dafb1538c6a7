import BigInt
import FoundationEssentials

/// An RSA key that decrypts by PKCS #1 version 1.5, as `rsadecrypt` needs it.
///
/// What it decrypts lies in a template beside the key, so there is no one whose timing attack could succeed.
struct RSAPrivateKey {
    private let modulus: BigUInt
    private let exponent: BigUInt
    private static let largestModulus = 16_384

    /// Reads PEM of the kinds `RSA PRIVATE KEY` and `PRIVATE KEY`, without a password.
    init(pem: String) throws(FunctionError) {
        let problem = FunctionError("this is not an RSA private key in PEM form without a password", argument: 1)
        let lines = pem.split(whereSeparator: \.isNewline).map { String($0).trimmed }
        guard let first = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") && $0.hasSuffix("PRIVATE KEY-----") }),
            let last = lines[first...].firstIndex(where: { $0.hasPrefix("-----END ") }),
            !lines[first].contains("ENCRYPTED"),
            let data = Data(base64Encoded: lines[(first + 1)..<last].joined())
        else { throw problem }
        var outer = DERReader(bytes: Array(data)[...])
        guard var sequence = outer.element(0x30).map(DERReader.init), sequence.element(0x02) != nil else {
            throw problem
        }
        if let algorithm = sequence.element(0x30) {
            // PKCS #8 wraps the key in an octet string; the algorithm's identifier is 1.2.840.113549.1.1.1.
            let identifier: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]
            var algorithm = DERReader(bytes: algorithm)
            guard algorithm.element(0x06)?.elementsEqual(identifier) == true, let inner = sequence.element(0x04) else {
                throw problem
            }
            var wrapped = DERReader(bytes: inner)
            guard let key = wrapped.element(0x30) else { throw problem }
            sequence = DERReader(bytes: key)
            guard sequence.element(0x02) != nil else { throw problem }
        }
        guard let modulus = sequence.element(0x02), sequence.element(0x02) != nil, let exponent = sequence.element(0x02)
        else { throw problem }
        self.modulus = BigUInt(Data(modulus))
        self.exponent = BigUInt(Data(exponent))
        guard self.modulus.bitWidth >= 512, self.modulus.bitWidth <= Self.largestModulus, self.exponent < self.modulus
        else { throw problem }
    }

    func decrypted(_ bytes: [UInt8]) throws(FunctionError) -> [UInt8] {
        let problem = FunctionError("the text was not encrypted for this key", argument: 0)
        let size = (modulus.bitWidth + 7) / 8
        let cipher = BigUInt(Data(bytes))
        guard bytes.count <= size, cipher < modulus else { throw problem }
        let plain = Array(cipher.power(exponent, modulus: modulus).serialize())
        // 00 02, at least eight random bytes, 00, and the text; the first byte is lost as a number.
        guard plain.count == size - 1, plain[0] == 2, let end = plain.dropFirst().firstIndex(of: 0), end >= 9 else {
            throw problem
        }
        return Array(plain[(end + 1)...])
    }
}

/// Elements of ASN.1's distinguished encoding, one after the other.
private struct DERReader {
    var bytes: ArraySlice<UInt8>

    /// The content of the next element if it has the tag.
    mutating func element(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard bytes.first == tag, bytes.count >= 2 else { return nil }
        var rest = bytes.dropFirst()
        var length = Int(rest.removeFirst())
        if length >= 0x80 {
            let count = length & 0x7F
            guard (1...3).contains(count), rest.count >= count else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
        }
        guard rest.count >= length else { return nil }
        bytes = rest.dropFirst(length)
        return rest.prefix(length)
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

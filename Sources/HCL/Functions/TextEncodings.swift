#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Text in an encoding by its IANA name, such as `UTF-16LE`.
func encoded(_ text: String, in name: String) throws(FunctionError) -> [UInt8] {
    let converted = try converted(Array(text.utf8), from: "UTF-8", to: name, name: name)
    guard let converted else { throw FunctionError("a character of the text does not exist in \(name)", argument: 0) }
    return converted
}

func decoded(_ bytes: [UInt8], from name: String) throws(FunctionError) -> String {
    guard let converted = try converted(bytes, from: name, to: "UTF-8", name: name),
        let text = String(validating: converted, as: UTF8.self)
    else { throw FunctionError("the bytes are not text in \(name)", argument: 0) }
    return text
}

/// - Returns: nil where the bytes cannot be converted.
private func converted(
    _ bytes: [UInt8], from source: String, to target: String, name: String
) throws(FunctionError) -> [UInt8]? {
    // A suffix such as //IGNORE would change the meaning.
    guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }),
        case let converter = iconv_open(target, source), Int(bitPattern: converter) != -1
    else { throw FunctionError("the encoding \"\(name)\" is not known", argument: 1) }
    defer { iconv_close(converter) }
    var input = bytes.map { CChar(bitPattern: $0) }
    var output = [CChar](repeating: 0, count: bytes.count * 4 + 16)
    let written = input.withUnsafeMutableBufferPointer { input -> Int? in
        output.withUnsafeMutableBufferPointer { output -> Int? in
            var (from, to) = (input.baseAddress, output.baseAddress)
            var (left, room) = (input.count, output.count)
            // A result that is not zero counts characters that were replaced.
            guard iconv(converter, &from, &left, &to, &room) == 0, left == 0 else { return nil }
            return output.count - room
        }
    }
    return written.map { output.prefix($0).map { UInt8(bitPattern: $0) } }
}

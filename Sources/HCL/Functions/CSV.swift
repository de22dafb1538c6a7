/// Rows of text as objects, whose names are in the first row (RFC 4180).
func decodeCSV(_ text: String) throws(FunctionError) -> Value {
    var reader = CSVReader(text)
    let rows = try reader.rows()
    guard let header = rows.first?.fields else { throw FunctionError("missing header line", argument: 0) }
    guard Set(header).count == header.count else { throw FunctionError("a column name is used twice", argument: 0) }
    var objects: [Value] = []
    for row in rows.dropFirst() {
        guard row.fields.count == header.count else {
            throw FunctionError(
                "line \(row.line) has \(row.fields.count) fields, and the header \(header.count)", argument: 0)
        }
        objects.append(.object(Dictionary(zip(header, row.fields.map { Value.string(normalized($0)) })) { $1 }))
    }
    return .list(objects)
}

private struct CSVReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    /// A line end is a newline, with or without a carriage return.
    init(_ text: String) {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x0A, bytes.last == 0x0D { bytes.removeLast() }
            bytes.append(byte)
        }
        self.bytes = bytes
    }

    mutating func rows() throws(FunctionError) -> [(fields: [String], line: Int)] {
        var rows: [(fields: [String], line: Int)] = []
        while position < bytes.count {
            if bytes[position] == 0x0A {
                position += 1
                line += 1
                continue
            }
            let start = line
            var fields = [try field()]
            while position < bytes.count, bytes[position] == UInt8(ascii: ",") {
                position += 1
                fields.append(try field())
            }
            position += 1
            line += 1
            rows.append((fields, start))
        }
        return rows
    }

    /// Up to the comma or line end behind it.
    private mutating func field() throws(FunctionError) -> String {
        let start = position
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            while position < bytes.count, bytes[position] != UInt8(ascii: ","), bytes[position] != 0x0A {
                if bytes[position] == UInt8(ascii: "\"") {
                    throw problem("a field without quotes contains a quote")
                }
                position += 1
            }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        var text: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x0A { line += 1 }
            guard byte == UInt8(ascii: "\"") else {
                text.append(byte)
                continue
            }
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                text.append(byte)
                position += 1
                continue
            }
            guard position == bytes.count || bytes[position] == UInt8(ascii: ",") || bytes[position] == 0x0A else {
                throw problem("there is something after a closing quote")
            }
            return String(decoding: text, as: UTF8.self)
        }
        throw problem("a quoted field is not closed")
    }

    private func problem(_ what: String) -> FunctionError { FunctionError("line \(line): \(what)", argument: 0) }
}

/// SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02).
enum SFTPRequest: UInt8 {
    case open = 3, close, read, write, linkStatus, fileStatus, setStatus = 9, openFolder = 11, readFolder
    case makeFolder = 14, realPath = 16, status
}

/// The server's answer to one request.
package enum SFTPReply {
    case status(UInt32)
    case handle([UInt8])
    case data([UInt8])
    case names([SFTPName])
    case attributes(SFTPAttributes)

    static let ok: UInt32 = 0
    static let endOfFile: UInt32 = 1
}

package struct SFTPName {
    var name: String
    var attributes: SFTPAttributes
}

package struct SFTPAttributes {
    var size: UInt64?
    /// Kind and permission bits, as in `st_mode`.
    var mode: UInt32?

    var isFolder: Bool { mode.map { $0 & 0o170000 == 0o040000 } ?? false }
    var isFile: Bool { mode.map { $0 & 0o170000 == 0o100000 } ?? true }
    var isLink: Bool { mode.map { $0 & 0o170000 == 0o120000 } ?? false }
}

/// Puts a request together: big-endian numbers, and strings with their length before them.
package struct SFTPWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func add(_ string: some Collection<UInt8>) {
        add(UInt32(clamping: string.count))
        bytes.append(contentsOf: string)
    }

    /// Attributes with permission bits only.
    package mutating func addMode(_ mode: UInt32) {
        add(UInt32(4))
        add(mode)
    }
}

/// Takes an answer apart. It comes from the guest, so nothing in it is believed.
package struct SFTPReader {
    package struct Malformed: Error {}

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) throws(Malformed) -> Number {
        let size = Number.bitWidth / 8
        guard rest.count >= size else { throw Malformed() }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reduce(0) { $0 << 8 | Number($1) }
    }

    mutating func string() throws(Malformed) -> ArraySlice<UInt8> {
        let length = Int(try number(UInt32.self))
        guard rest.count >= length else { throw Malformed() }
        defer { rest = rest.dropFirst(length) }
        return rest.prefix(length)
    }

    mutating func attributes() throws(Malformed) -> SFTPAttributes {
        let flags = try number(UInt32.self)
        var attributes = SFTPAttributes()
        if flags & 1 != 0 { attributes.size = try number(UInt64.self) }
        if flags & 2 != 0 { _ = try number(UInt64.self) }
        if flags & 4 != 0 { attributes.mode = try number(UInt32.self) }
        if flags & 8 != 0 { _ = try number(UInt64.self) }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..<(try number(UInt32.self)) { _ = (try string(), try string()) }
        }
        return attributes
    }

    /// The answer after its type and number.
    package mutating func reply(type: UInt8) throws(Malformed) -> SFTPReply {
        switch type {
        case 101: return .status(try number(UInt32.self))
        case 102: return .handle(Array(try string()))
        case 103: return .data(Array(try string()))
        case 104:
            var names: [SFTPName] = []
            for _ in 0..<(try number(UInt32.self)) {
                let name = String(decoding: try string(), as: UTF8.self)
                _ = try string()
                names.append(SFTPName(name: name, attributes: try attributes()))
            }
            return .names(names)
        case 105: return .attributes(try attributes())
        default: throw Malformed()
        }
    }
}

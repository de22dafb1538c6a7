/// The client side of RFB 3.8 (RFC 6143) without any I/O: bytes of the server in, bytes for the server and pictures out.
struct RFBClient {
    enum Phase: Equatable { case version, security, challenge, result, initialisation, running, failed }

    /// What no honest server exceeds; a hostile one must not make us reserve memory.
    static let largestSide = 8192

    private(set) var phase = Phase.version
    private(set) var framebuffer = Framebuffer(width: 0, height: 0)
    /// Complete updates received so far.
    private(set) var updates = 0
    private var input: [UInt8] = []
    private var position = 0
    private let password: String?
    /// Rectangles of the current update that are still to come.
    private var rectangles = 0

    init(password: String?) {
        self.password = password
    }

    struct ProtocolError: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// Takes bytes of the server.
    ///
    /// - Returns: What is to be sent.
    mutating func receive(_ bytes: [UInt8]) throws(ProtocolError) -> [UInt8] {
        input += bytes
        var output: [UInt8] = []
        do throws(ProtocolError) {
            while let answer = try step() { output += answer }
        } catch {
            phase = .failed
            throw error
        }
        input.removeFirst(position)
        position = 0
        return output
    }

    static func keyEvent(_ keysym: UInt32, down: Bool) -> [UInt8] {
        [4, down ? 1 : 0, 0, 0] + bytes(keysym)
    }

    /// - Parameter incremental: Only what has changed is wanted, once it has.
    func updateRequest(incremental: Bool) -> [UInt8] {
        [3, incremental ? 1 : 0, 0, 0, 0, 0] + Self.bytes(UInt16(framebuffer.width))
            + Self.bytes(UInt16(framebuffer.height))
    }

    // MARK: Steps

    /// Handles the next complete message; nil when more bytes are needed.
    private mutating func step() throws(ProtocolError) -> [UInt8]? {
        switch phase {
        case .version:
            guard let line = take(12) else { return nil }
            guard line.starts(with: Array("RFB ".utf8)) else {
                throw ProtocolError(description: "this is no VNC server")
            }
            phase = .security
            return Array("RFB 003.008\n".utf8)
        case .security: return try chooseSecurity()
        case .challenge:
            guard let challenge = take(16) else { return nil }
            phase = .result
            let key = Self.key(password ?? "")
            return desEncrypt(Array(challenge[..<8]), key: key) + desEncrypt(Array(challenge[8...]), key: key)
        case .result:
            guard let result = peek(4) else { return nil }
            if result == [0, 0, 0, 0] {
                position += 4
                phase = .initialisation
                return [1]  // Others may look on.
            }
            throw ProtocolError(description: "the VNC server refused the password")
        case .initialisation: return try initialise()
        case .running: return rectangles > 0 ? try rectangle() : try message()
        case .failed: return nil
        }
    }

    private mutating func chooseSecurity() throws(ProtocolError) -> [UInt8]? {
        guard let count = peek(1)?[0] else { return nil }
        guard count > 0 else { throw ProtocolError(description: "the VNC server refused the connection") }
        guard let list = take(1 + Int(count)) else { return nil }
        if password != nil, list.dropFirst().contains(2) {
            phase = .challenge
            return [2]
        }
        guard list.dropFirst().contains(1) else {
            throw ProtocolError(
                description: password == nil
                    ? "the VNC server wants a password" : "the VNC server takes no password of the usual kind")
        }
        phase = .result
        return [1]
    }

    private mutating func initialise() throws(ProtocolError) -> [UInt8]? {
        guard let header = peek(24) else { return nil }
        let nameLength = Self.number(header[20..<24])
        guard nameLength <= 4096 else { throw ProtocolError(description: "the VNC server's name is too long") }
        guard take(24 + nameLength) != nil else { return nil }
        try resize(Self.number(header[0..<2]), Self.number(header[2..<4]))
        phase = .running
        // 32 bits a pixel, 0x00RRGGBB in little-endian order; then the encodings understood.
        let format: [UInt8] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
        let encodings: [Int32] = [1, 0, -223, -224]  // CopyRect, Raw, DesktopSize, LastRect.
        return format + [2, 0] + Self.bytes(UInt16(encodings.count))
            + encodings.flatMap { Self.bytes(UInt32(bitPattern: $0)) }
    }

    private mutating func message() throws(ProtocolError) -> [UInt8]? {
        guard let type = peek(1)?[0] else { return nil }
        switch type {
        case 0:
            guard let header = take(4) else { return nil }
            rectangles = Self.number(header[2..<4])
            if rectangles == 0 { updates += 1 }
        case 1:
            guard let header = peek(6) else { return nil }
            guard take(6 + Self.number(header[4..<6]) * 6) != nil else { return nil }
        case 2: guard take(1) != nil else { return nil }
        case 3:
            guard let header = peek(8) else { return nil }
            let length = Self.number(header[4..<8])
            guard length <= 1 << 20 else { throw ProtocolError(description: "the VNC server's clipboard is too large") }
            guard take(8 + length) != nil else { return nil }
        default: throw ProtocolError(description: "the VNC server sent a message of unknown type \(type)")
        }
        return []
    }

    private mutating func rectangle() throws(ProtocolError) -> [UInt8]? {
        guard let header = peek(12) else { return nil }
        let (x, y) = (Self.number(header[0..<2]), Self.number(header[2..<4]))
        let (width, height) = (Self.number(header[4..<6]), Self.number(header[6..<8]))
        let encoding = Int32(bitPattern: UInt32(Self.number(header[8..<12])))
        switch encoding {
        case -223:
            position += 12
            try resize(width, height)
        case -224:
            position += 12
            rectangles = 1
        case 0:
            try check(x, y, width, height)
            guard let data = take(12 + width * height * 4) else { return nil }
            var rows: [UInt32] = []
            rows.reserveCapacity(width * height)
            for start in stride(from: 12, to: data.count, by: 4) {
                rows.append(UInt32(data[start]) | UInt32(data[start + 1]) << 8 | UInt32(data[start + 2]) << 16)
            }
            framebuffer.put(rows, x: x, y: y, width: width, height: height)
        case 1:
            guard let data = take(16) else { return nil }
            let (fromX, fromY) = (Self.number(data[12..<14]), Self.number(data[14..<16]))
            try check(x, y, width, height)
            try check(fromX, fromY, width, height)
            framebuffer.copy(fromX: fromX, fromY: fromY, toX: x, toY: y, width: width, height: height)
        default: throw ProtocolError(description: "the VNC server sent a picture in an encoding that was not asked for")
        }
        rectangles -= 1
        if rectangles == 0 { updates += 1 }
        return []
    }

    private func check(_ x: Int, _ y: Int, _ width: Int, _ height: Int) throws(ProtocolError) {
        guard x + width <= framebuffer.width, y + height <= framebuffer.height else {
            throw ProtocolError(description: "the VNC server sent a picture that does not fit its screen")
        }
    }

    private mutating func resize(_ width: Int, _ height: Int) throws(ProtocolError) {
        guard width <= Self.largestSide, height <= Self.largestSide else {
            throw ProtocolError(description: "the VNC server's screen of \(width)×\(height) is too large")
        }
        framebuffer = Framebuffer(width: width, height: height)
    }

    // MARK: Bytes

    private func peek(_ count: Int) -> [UInt8]? {
        position + count <= input.count ? Array(input[position..<position + count]) : nil
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        guard let bytes = peek(count) else { return nil }
        position += count
        return bytes
    }

    private static func number(_ bytes: some Collection<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// VNC takes the bits of each byte of the password in reverse order.
    private static func key(_ password: String) -> [UInt8] {
        let bytes = Array(password.utf8.prefix(8))
        let padded: [UInt8] = bytes + Array(repeating: 0, count: 8 - bytes.count)
        return padded.map { byte in
            var reversed: UInt8 = 0
            for bit in 0..<8 where byte & 1 << bit != 0 { reversed |= 0x80 >> bit }
            return reversed
        }
    }
}

/// The client side of RFB 3.3, 3.7 and 3.8 (RFC 6143) without I/O: it takes the server's bytes and returns bytes for the
/// server and the screen.
package struct RFBClient {
    /// The phases of a connection (RFC 6143, section 7).
    package enum Phase: Equatable { case version, security, challenge, result, initialisation, running, failed }

    /// The most pixels of a screen: a hostile server must not make us reserve more memory (64 MiB) or time to clear it.
    package static let largestSide = 8192
    package static let mostPixels = 16 << 20
    static let mostResizes = 1000

    /// The phase that the next bytes belong to.
    package private(set) var phase = Phase.version
    /// The screen as of the last update.
    package private(set) var framebuffer = Framebuffer(width: 0, height: 0)
    /// The number of complete updates received that show something; a mere change of size does not count.
    package private(set) var updates = 0
    /// Bytes of an incomplete message.
    package var unread: Int { input.count }
    private var input: [UInt8] = []
    private var position = 0
    private let password: String?
    /// The minor version of the protocol: 3, 7 or 8.
    private var minorVersion = 8
    /// Rectangles of the current update still to be received.
    private var rectangles = 0
    /// Rows of the current rectangle still to be received, top first.
    private var rows: (x: Int, y: Int, width: Int, left: Int)?
    /// Whether the screen changed its size and its contents are not known yet.
    private var isResized = false
    private var resizes = 0

    package init(password: String?) {
        self.password = password
    }

    /// The server violated the protocol or refused the connection.
    package struct ProtocolError: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    /// Processes bytes from the server.
    ///
    /// - Returns: The bytes to send.
    /// - Throws: `ProtocolError`.
    package mutating func receive(_ bytes: [UInt8]) throws(ProtocolError) -> [UInt8] {
        input += bytes
        var output: [UInt8] = []
        do throws(ProtocolError) {
            while let answer = try step() { output += answer }
        } catch {
            phase = .failed
            input = []
            position = 0
            throw error
        }
        input.removeFirst(position)
        position = 0
        return output
    }

    /// The message that presses or releases a key.
    package static func keyEvent(_ keysym: UInt32, down: Bool) -> [UInt8] {
        [4, down ? 1 : 0, 0, 0] + bytes(keysym)
    }

    /// A request for an update of the screen.
    ///
    /// - Parameter incremental: Whether the server sends only changes, once there are some.
    package func updateRequest(incremental: Bool) -> [UInt8] {
        [3, incremental ? 1 : 0, 0, 0, 0, 0] + Self.bytes(UInt16(framebuffer.width))
            + Self.bytes(UInt16(framebuffer.height))
    }

    // MARK: Greeting

    /// Handles the next complete message; nil when more bytes are needed.
    private mutating func step() throws(ProtocolError) -> [UInt8]? {
        switch phase {
        case .version: return try agreeOnVersion()
        case .security: return minorVersion == 3 ? try acceptSecurity() : try chooseSecurity()
        case .challenge:
            guard let challenge = take(16) else { return nil }
            phase = .result
            let key = Self.key(password ?? "")
            return desEncrypt(Array(challenge[..<8]), key: key) + desEncrypt(Array(challenge[8...]), key: key)
        case .result: return try readResult()
        case .initialisation: return try initialise()
        case .running:
            if rows != nil { return row() }
            return rectangles > 0 ? try rectangle() : try message()
        case .failed: return nil
        }
    }

    private mutating func agreeOnVersion() throws(ProtocolError) -> [UInt8]? {
        let beginning = Array("RFB ".utf8)
        // Something else may never send 12 bytes.
        guard input[position...].prefix(4).elementsEqual(beginning.prefix(input.count - position)) else {
            throw ProtocolError(description: "this is not a VNC server")
        }
        guard let line = take(12) else { return nil }
        guard let major = Int(String(decoding: line[4..<7], as: UTF8.self)), line[7] == UInt8(ascii: "."),
            let minor = Int(String(decoding: line[8..<11], as: UTF8.self)), line[11] == 0x0A, major >= 3
        else { throw ProtocolError(description: "the VNC server uses an unknown version of the protocol") }
        // RFC 6143, section 7.1.1: unknown versions count as 3.3. Later ones count as 3.8.
        minorVersion = major > 3 ? 8 : minor < 7 ? 3 : min(minor, 8)
        phase = .security
        return Array("RFB 003.00\(minorVersion)\n".utf8)
    }

    /// 3.3: the server decides.
    private mutating func acceptSecurity() throws(ProtocolError) -> [UInt8]? {
        guard let bytes = peek(4) else { return nil }
        switch Self.number(bytes) {
        case 0: return try refuse("the VNC server refused the connection", after: 4)
        case 1:
            position += 4
            return enter()
        case 2 where password != nil:
            position += 4
            phase = .challenge
            return []
        case 2: throw ProtocolError(description: "the VNC server requires a password")
        default: throw ProtocolError(description: "the VNC server does not support password authentication")
        }
    }

    /// 3.7 and later: the server offers a list.
    private mutating func chooseSecurity() throws(ProtocolError) -> [UInt8]? {
        guard let count = peek(1)?[0] else { return nil }
        guard count > 0 else { return try refuse("the VNC server refused the connection", after: 1) }
        guard let list = take(1 + Int(count))?.dropFirst() else { return nil }
        if password != nil, list.contains(2) {
            phase = .challenge
            return [2]
        }
        guard list.contains(1) else {
            throw ProtocolError(
                description: password == nil
                    ? "the VNC server requires a password" : "the VNC server does not support password authentication")
        }
        if minorVersion == 7 { return [1] + enter() }
        phase = .result
        return [1]
    }

    private mutating func readResult() throws(ProtocolError) -> [UInt8]? {
        guard let result = peek(4) else { return nil }
        if result == [0, 0, 0, 0] {
            position += 4
            return enter()
        }
        let refusal = "the VNC server refused the password"
        if minorVersion < 8 { throw ProtocolError(description: refusal) }
        return try refuse(refusal, after: 4)
    }

    private mutating func enter() -> [UInt8] {
        phase = .initialisation
        return [1]  // Other clients may stay connected.
    }

    /// Throws an error with the server's reason once it has been received.
    private func refuse(_ text: String, after start: Int) throws(ProtocolError) -> [UInt8]? {
        guard let header = peek(start + 4) else { return nil }
        let length = Self.number(header[start...])
        guard length <= 4096 else { throw ProtocolError(description: text) }
        guard let whole = peek(start + 4 + length) else { return nil }
        throw ProtocolError(description: length == 0 ? text : "\(text): \(printable(whole[(start + 4)...]))")
    }

    private func printable(_ bytes: ArraySlice<UInt8>) -> String {
        let scalars = String(decoding: bytes.prefix(500), as: UTF8.self).unicodeScalars.filter { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
        }
        return String(String.UnicodeScalarView(scalars))
    }

    private mutating func initialise() throws(ProtocolError) -> [UInt8]? {
        guard let header = peek(24) else { return nil }
        let nameLength = Self.number(header[20..<24])
        guard nameLength <= 4096 else { throw ProtocolError(description: "the VNC server's name is too long") }
        guard take(24 + nameLength) != nil else { return nil }
        try resize(Self.number(header[0..<2]), Self.number(header[2..<4]))
        isResized = false
        phase = .running
        // 32 bits per pixel, 0x00RRGGBB in little-endian order; then the encodings. CopyRect is left out: with it a few
        // bytes from a hostile server would keep us busy for long.
        let format: [UInt8] = [0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]
        let encodings: [Int32] = [0, -223]  // Raw, DesktopSize.
        return format + [2, 0] + Self.bytes(UInt16(encodings.count))
            + encodings.flatMap { Self.bytes(UInt32(bitPattern: $0)) }
    }

    // MARK: Messages

    private mutating func message() throws(ProtocolError) -> [UInt8]? {
        guard let type = peek(1)?[0] else { return nil }
        switch type {
        case 0:
            guard let header = take(4) else { return nil }
            rectangles = Self.number(header[2..<4])
            if rectangles == 0 { return endUpdate() }
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
        case 0:
            try check(x, y, width, height)
            position += 12
            if width > 0, height > 0 {
                rows = (x, y, width, height)
                return []
            }
        default: throw ProtocolError(description: "the VNC server sent an encoding that was not requested")
        }
        return endRectangle()
    }

    /// Processes one row of raw pixels: no more than a row of a rectangle's bytes is ever buffered.
    private mutating func row() -> [UInt8]? {
        guard let (x, y, width, left) = rows, position + width * 4 <= input.count else { return nil }
        framebuffer.putRow(input[position..<position + width * 4], x: x, y: y)
        position += width * 4
        rows = left > 1 ? (x, y + 1, width, left - 1) : nil
        return left > 1 ? [] : endRectangle()
    }

    private mutating func endRectangle() -> [UInt8] {
        rectangles -= 1
        return rectangles == 0 ? endUpdate() : []
    }

    private mutating func endUpdate() -> [UInt8] {
        if isResized {
            // The contents of the new screen are unknown until it is sent whole.
            isResized = false
            return updateRequest(incremental: false)
        }
        updates += 1
        return []
    }

    private func check(_ x: Int, _ y: Int, _ width: Int, _ height: Int) throws(ProtocolError) {
        guard x + width <= framebuffer.width, y + height <= framebuffer.height else {
            throw ProtocolError(description: "the VNC server sent an update that does not fit its screen")
        }
    }

    private mutating func resize(_ width: Int, _ height: Int) throws(ProtocolError) {
        guard width <= Self.largestSide, height <= Self.largestSide, width * height <= Self.mostPixels else {
            throw ProtocolError(description: "the VNC server's screen of \(width)×\(height) is too large")
        }
        resizes += 1
        guard resizes <= Self.mostResizes else {
            throw ProtocolError(description: "the VNC server keeps changing the size of its screen")
        }
        framebuffer = Framebuffer(width: width, height: height)
        isResized = true
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

    /// VNC uses the bits of each byte of the password in reverse order.
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

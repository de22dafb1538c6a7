/// Splits a TCP stream into syslog messages, in both framings of RFC 6587: a message begins with its length and a space
/// (section 3.4.1), or ends with a line feed or a NUL (section 3.4.2). Its first byte distinguishes the two.
struct SyslogFraming {
    private enum State {
        case start
        /// The digits read so far.
        case length(Int)
        /// Bytes of the message still to be received.
        case counted(Int)
        case terminated
    }

    private var state = State.start
    /// At most `SyslogMessage.largest` bytes; the rest of a longer message is dropped.
    private var frame: [UInt8] = []

    /// Processes bytes.
    ///
    /// - Returns: The messages that these bytes complete.
    mutating func receive(_ bytes: some Sequence<UInt8>) -> [SyslogMessage] {
        var messages: [SyslogMessage] = []
        for byte in bytes { take(byte, &messages) }
        return messages
    }

    /// Ends the stream.
    ///
    /// - Returns: The last message, if the sender left it without an end.
    mutating func finish() -> [SyslogMessage] {
        var messages: [SyslogMessage] = []
        complete(&messages)
        return messages
    }

    private mutating func take(_ byte: UInt8, _ messages: inout [SyslogMessage]) {
        let isEnd = byte == 0x0A || byte == 0
        switch state {
        case .start:
            if isEnd { return }
            keep(byte)
            if let digit = Self.digit(byte), digit > 0 { state = .length(digit) } else { state = .terminated }
        case .length(let count):
            if let digit = Self.digit(byte), count < 100_000_000 {
                keep(byte)
                state = .length(count * 10 + digit)
            } else if byte == 0x20 {
                frame = []
                state = .counted(count)
            } else {
                // The line begins with a number that is not a length.
                state = .terminated
                take(byte, &messages)
            }
        case .counted(let left):
            keep(byte)
            state = .counted(left - 1)
            if left <= 1 { complete(&messages) }
        case .terminated:
            if isEnd { complete(&messages) } else { keep(byte) }
        }
    }

    private mutating func keep(_ byte: UInt8) {
        if frame.count < SyslogMessage.largest { frame.append(byte) }
    }

    private mutating func complete(_ messages: inout [SyslogMessage]) {
        messages += SyslogMessage.all(in: frame)
        frame = []
        state = .start
    }

    private static func digit(_ byte: UInt8) -> Int? {
        (0x30...0x39).contains(byte) ? Int(byte) - 0x30 : nil
    }
}

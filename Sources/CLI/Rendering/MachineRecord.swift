package import Foundation

/// A line of `-machine-readable` output: `SECONDS,TARGET,TYPE,DATA…`, as Packer writes it for programs.
package struct MachineRecord: Hashable, Sendable {
    /// The kinds of `ui` records.
    package enum Voice: String, Sendable {
        case say, message, error
    }

    /// The build that the record is about; may be empty.
    package var target: String
    /// The type of the record, such as `ui` or `artifact`.
    package var type: String
    /// The fields after the type, unescaped.
    package var data: [String]

    package init(_ type: String, _ data: [String] = [], target: String = "") {
        self.target = target
        self.type = type
        self.data = data
    }

    /// A `ui` record; newlines at the end of the text are left out.
    package init(_ voice: Voice, _ text: String) {
        let lines = text.reversed().drop(while: \.isNewline).reversed()
        self.init("ui", [voice.rawValue, String(lines)])
    }

    /// The record as a line, without the newline.
    package func line(at time: Date) -> String {
        let seconds = String(Int64(time.timeIntervalSince1970))
        return ([seconds, Self.escaped(target), type] + data.map(Self.escaped)).joined(separator: ",")
    }

    func write() {
        put(line(at: Date()) + "\n")
    }

    /// Escapes commas and line breaks as Packer does.
    private static func escaped(_ text: String) -> String {
        text.replacing(",", with: "%!(PACKER_COMMA)").replacing("\r\n", with: "\\r\\n")
            .replacing("\r", with: "\\r").replacing("\n", with: "\\n")
    }
}

package import Foundation

/// A line of `-machine-readable` output: `SECONDS,TARGET,TYPE,DATA…`, as Packer writes it for programs.
package struct MachineRecord: Hashable, Sendable {
    /// What a `ui` record is in Packer's words.
    package enum Voice: String, Sendable {
        case say, message, error
    }

    /// The build it is about; empty for none.
    package var target: String
    package var type: String
    package var data: [String]

    package init(_ type: String, _ data: [String] = [], target: String = "") {
        self.target = target
        self.type = type
        self.data = data
    }

    /// Text for people; newlines at the end are left out.
    package init(_ voice: Voice, _ text: String) {
        let lines = text.reversed().drop(while: \.isNewline).reversed()
        self.init("ui", [voice.rawValue, String(lines)])
    }

    /// Without the newline.
    package func line(at time: Date) -> String {
        let seconds = String(Int64(time.timeIntervalSince1970))
        return ([seconds, Self.escaped(target), type] + data.map(Self.escaped)).joined(separator: ",")
    }

    func write() {
        put(line(at: Date()) + "\n")
    }

    /// Commas and line breaks would cut the record.
    private static func escaped(_ text: String) -> String {
        text.replacing(",", with: "%!(PACKER_COMMA)").replacing("\r\n", with: "\\r\\n")
            .replacing("\r", with: "\\r").replacing("\n", with: "\\n")
    }
}

import ProxmoxConfiguration
import Scopes

/// The id of a task, which says where it runs, what it does and for whom.
///
/// `UPID:node:pid:pstart:start:type:id:user:`, numbers in hex.
package struct UPID: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    package let node: String
    /// `qmcreate`, `imgcopy`…
    package let type: String
    /// What it works on, such as a machine's number; may be empty.
    package let id: String
    package let user: String

    /// - Throws: `Reason` if it is not one.
    package init(_ text: String) throws {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let isHex = { (part: String, lengths: ClosedRange<Int>) in
            lengths.contains(part.utf8.count) && part.allSatisfy(\.isHexDigit)
        }
        guard text.utf8.count <= 512, parts.count == 9, parts[0] == "UPID", parts[8].isEmpty,
            Syntax.node.matches(parts[1]), isHex(parts[2], 8...8), isHex(parts[3], 8...9), isHex(parts[4], 8...8),
            !parts[5].isEmpty, !parts[7].isEmpty, !text.contains("/"), !text.contains(where: \.isWhitespace)
        else { throw Reason(text: "the server's answer “\(text.prefix(80))” is not a task's id") }
        self.text = text
        node = parts[1]
        type = parts[5]
        id = parts[6]
        user = parts[7]
    }

    package var description: String { text }
}

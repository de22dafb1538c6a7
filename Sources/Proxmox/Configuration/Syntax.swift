import Foundation

/// The forms of names and values that Proxmox VE accepts.
enum Syntax {
    static let tag = Pattern("[A-Za-z0-9_][A-Za-z0-9_+.-]*")
    static let pool = Pattern("[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}")
    static let storage = Pattern("[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]")
    static let node = Pattern("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
    static let bridge = Pattern("[A-Za-z0-9_.-]+")
    static let unicastMAC = Pattern("[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}")
    static let machine = Pattern(
        "(pc|q35|virt|pc-i440fx-[0-9]+(\\.[0-9]+)+|pc-q35-[0-9]+(\\.[0-9]+)+|virt-[0-9]+(\\.[0-9]+)+)"
            + "(\\+pve[0-9]+)?(,[a-z0-9-]+=[A-Za-z0-9]+)*")
    static let cpu = Pattern("[A-Za-z0-9._-]+(,[a-z-]+=[A-Za-z0-9._;+-]+)*")
    static let device = Pattern("/dev/[A-Za-z0-9._/-]+")
    static let optionName = Pattern("[a-z][a-z_-]*[0-9]*")
    static let user = Pattern("[A-Za-z_][A-Za-z0-9_.@\\\\-]*\\$?")
    static let displays = [
        "std", "serial0", "serial1", "serial2", "serial3", "virtio", "virtio-gl", "qxl", "qxl2", "qxl3", "qxl4",
        "vmware", "cirrus", "none",
    ]

    static func storageProblem(_ name: String) -> String? {
        storage.matches(name)
            ? nil : "`\(name)` is not a storage's name: letters, digits, `-`, `_` and `.`, two or more, a letter first"
    }
}

/// A regular expression that a whole text must match.
struct Pattern: Sendable {
    private let source: String
    init(_ source: String) { self.source = "\\A(?:" + source + ")\\z" }
    func matches(_ text: String) -> Bool {
        text.utf8.count <= 4096 && text.range(of: source, options: .regularExpression) != nil
    }
}

/// Names as machines have them.
package enum DNSName {
    /// Why it is not one; nil if it is.
    package static func problem(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > 253 { return "is longer than 253 characters" }
        for label in name.split(separator: ".", omittingEmptySubsequences: false) {
            if label.isEmpty { return "`\(name)` has an empty part between dots" }
            if label.utf8.count > 63 { return "`\(label)` is longer than 63 characters" }
            let isFit = label.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d
            }
            if !isFit { return "`\(name)` may hold only letters, digits, `-` and dots" }
            if label.hasPrefix("-") || label.hasSuffix("-") { return "`\(label)` starts or ends with `-`" }
        }
        return nil
    }
}

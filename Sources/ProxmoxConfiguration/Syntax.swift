import Foundation

/// The forms of names and values that Proxmox VE accepts.
package enum Syntax {
    package static let tag = Pattern("[A-Za-z0-9_][A-Za-z0-9_+.-]*")
    package static let pool = Pattern("[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,2}")
    package static let storage = Pattern("[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]")
    package static let node = Pattern("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
    package static let bridge = Pattern("[A-Za-z0-9_.-]+")
    package static let unicastMAC = Pattern("[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}")
    package static let machine = Pattern(
        "(pc|q35|virt|pc-i440fx-[0-9]+(\\.[0-9]+)+|pc-q35-[0-9]+(\\.[0-9]+)+|virt-[0-9]+(\\.[0-9]+)+)"
            + "(\\+pve[0-9]+)?(,[a-z0-9-]+=[A-Za-z0-9]+)*")
    package static let cpu = Pattern("[A-Za-z0-9._-]+(,[a-z-]+=[A-Za-z0-9._;+-]+)*")
    package static let device = Pattern("/dev/[A-Za-z0-9._/-]+")
    package static let optionName = Pattern("[a-z][a-z_-]*[0-9]*")
    package static let user = Pattern("[A-Za-z_][A-Za-z0-9_.@\\\\-]*\\$?")
    package static let displays = [
        "std", "serial0", "serial1", "serial2", "serial3", "virtio", "virtio-gl", "qxl", "qxl2", "qxl3", "qxl4",
        "vmware", "cirrus", "none",
    ]

    /// Why a text is not the name of a storage; nil if it is.
    package static func storageProblem(_ name: String) -> String? {
        storage.matches(name)
            ? nil : "“\(name)” is not a storage's name: letters, digits, `-`, `_` and `.`, two or more, a letter first"
    }
}

/// A regular expression that a whole text must match.
package struct Pattern: Sendable {
    private let source: String
    package init(_ source: String) { self.source = "\\A(?:" + source + ")\\z" }
    /// Whether the whole of `text` matches.
    package func matches(_ text: String) -> Bool {
        text.utf8.count <= 4096 && text.range(of: source, options: .regularExpression) != nil
    }
}

/// Names as machines have them.
package enum DNSName {
    /// The nearest to a text: other characters become dashes.
    package static func made(from text: String) -> String {
        let labels = text.split(separator: ".").compactMap { part -> String? in
            let plain = part.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
            let label = String(plain).split(separator: "-").joined(separator: "-").prefix(63)
            return label.isEmpty ? nil : label.hasSuffix("-") ? String(label.dropLast()) : String(label)
        }
        let name = labels.joined(separator: ".").prefix(200)
        return name.isEmpty ? "template" : name.hasSuffix(".") ? String(name.dropLast()) : String(name)
    }

    /// Why it is not one; nil if it is.
    package static func problem(_ name: String) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > 253 { return "is longer than 253 characters" }
        for label in name.split(separator: ".", omittingEmptySubsequences: false) {
            if label.isEmpty { return "“\(name)” has an empty part between dots" }
            if label.utf8.count > 63 { return "“\(label)” is longer than 63 characters" }
            let isFit = label.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || byte == 0x2d
            }
            if !isFit { return "“\(name)” may hold only letters, digits, `-` and dots" }
            if label.hasPrefix("-") || label.hasSuffix("-") { return "“\(label)” starts or ends with `-`" }
        }
        return nil
    }
}

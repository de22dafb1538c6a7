package import Foundation
import Scopes

/// The name of a backup archive compressed with zstd; the server recognises the kind, and which files belong together, by names alone.
package struct BackupName: Sendable, Equatable, CustomStringConvertible {
    package let vmid: Int
    /// `YYYY_MM_DD-HH_MM_SS`.
    let stamp: String

    /// - Parameters:
    ///   - created: Shown in `timeZone`; the server reads it in the node's own.
    /// - Throws: `BuildError` if `vmid` is not a machine's number.
    package init(vmid: Int, created: Date, timeZone: TimeZone = .current) throws {
        guard (100...999_999_999).contains(vmid) else {
            throw BuildError(
                "name the archive", because: "the machine's number \(vmid) is not between 100 and 999999999",
                hint: "Choose another vm_id.")
        }
        self.vmid = vmid
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: created)
        func field(_ value: Int?, _ width: Int = 2) -> String {
            let digits = String(max(0, value ?? 0))
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        stamp =
            [field(parts.year, 4), field(parts.month), field(parts.day)].joined(separator: "_") + "-"
            + [field(parts.hour), field(parts.minute), field(parts.second)].joined(separator: "_")
    }

    package var description: String { "vzdump-qemu-\(vmid)-\(stamp).vma.zst" }

    /// Whether Proxmox VE restores a file of this name: it reads the kind of an archive from its name alone.
    package static func isRestorable(_ name: String) -> Bool {
        name.wholeMatch(of: /vzdump-qemu-[0-9]+-[0-9_]{10}-[0-9_]{8}\.vma(\.zst|\.gz|\.lzo)?/) != nil
    }

    /// The file beside the archive that holds the notes shown for it.
    package var notesName: String { description + ".notes" }

    /// What the notes file holds: text in UTF-8; the server does not show files over 32 KiB.
    package static func notes(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8.prefix(32768))
        while !bytes.isEmpty, String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
        return bytes
    }
}

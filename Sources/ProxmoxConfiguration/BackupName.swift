package import Foundation
import Scopes

/// The name of a backup archive compressed with zstd; the server recognises the kind, and which files belong together, by names alone.
package struct BackupName: Sendable, Equatable, CustomStringConvertible {
    package let vmid: Int
    /// `YYYY_MM_DD-HH_MM_SS`.
    let stamp: String

    /// - Parameters:
    ///   - created: shown in this host's time zone, or in UTC; the server reads it in the node's own.
    /// - Throws: `BuildError` if `vmid` is out of range.
    package init(vmid: Int, created: Date, isUTC: Bool = false) throws {
        guard (100...999_999_999).contains(vmid) else {
            throw BuildError(
                "name the archive", because: "the machine's number \(vmid) is not between 100 and 999999999",
                hint: "Choose another vm_id.")
        }
        self.vmid = vmid
        // The C library knows the host's time zone; Foundation would need ICU's tables for it.
        var seconds = time_t(created.timeIntervalSince1970)
        var parts = tm()
        _ = isUTC ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)
        func field(_ value: Int32, _ width: Int = 2) -> String {
            let digits = String(max(0, value))
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        stamp =
            [field(parts.tm_year + 1900, 4), field(parts.tm_mon + 1), field(parts.tm_mday)].joined(separator: "_")
            + "-" + [field(parts.tm_hour), field(parts.tm_min), field(parts.tm_sec)].joined(separator: "_")
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

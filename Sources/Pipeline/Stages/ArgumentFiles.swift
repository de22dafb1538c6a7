import Foundation

/// The files that `qemuargs` let the guest read: a kernel, a further CD, an ACPI table.
///
/// What QEMU writes, such as the file of a serial port, is none of them.
struct ArgumentFiles {
    private let rows: [(flag: String, value: String)]

    init(_ rows: [(flag: String, value: String)]) { self.rows = rows }

    /// Switches whose value is a path.
    private static let pathFlags: Set = [
        "-bios", "-cdrom", "-dtb", "-fda", "-fdb", "-hda", "-hdb", "-hdc", "-hdd", "-initrd", "-kernel", "-option-rom",
        "-pflash",
    ]
    /// Switches with options of which one may be a path.
    private static let optionFlags: Set = [
        "-acpitable", "-blockdev", "-device", "-drive", "-fw_cfg", "-object", "-smbios",
    ]
    private static let pathOptions = ["file=", "file.filename=", "filename=", "romfile="]

    /// Absolute paths, of those that are there; others are templates, addresses, or QEMU's own files.
    func paths(in context: RunContext) -> [String] {
        rows.flatMap(candidates).map { context.absolute($0) }.filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        }
    }

    private func candidates(_ row: (flag: String, value: String)) -> [String] {
        if Self.pathFlags.contains(row.flag) { return [row.value] }
        guard Self.optionFlags.contains(row.flag) else { return [] }
        return row.value.split(separator: ",").compactMap { option in
            Self.pathOptions.first { option.hasPrefix($0) }.map { String(option.dropFirst($0.count)) }
        }
    }
}

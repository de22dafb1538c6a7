import Foundation

/// Makes the relative paths in QEMU's arguments absolute: libvirt starts QEMU in the root folder.
struct ArgumentPaths {
    /// An absolute path.
    let folder: String

    /// Switches whose value is a path.
    private static let pathFlags: Set = [
        "-cdrom", "-dtb", "-fda", "-fdb", "-hda", "-hdb", "-hdc", "-hdd", "-initrd", "-kernel", "-mtdblock", "-pflash",
        "-sd",
    ]
    /// Options whose value is a path wherever they stand.
    private static let pathOptions = ["file=", "file.filename=", "filename=", "path="]

    func absolute(_ flag: String, _ value: String) -> String {
        if Self.pathFlags.contains(flag) { return absolute(value) }
        if flag == "-bios" {
            // Else it is one of QEMU's own files.
            let path = absolute(value)
            return access(path, F_OK) == 0 ? path : value
        }
        if flag == "-serial" || flag == "-parallel" || flag == "-monitor", value.hasPrefix("file:") {
            return "file:" + absolute(String(value.dropFirst(5)))
        }
        let options = value.split(separator: ",", omittingEmptySubsequences: false).map { option in
            guard let name = Self.pathOptions.first(where: option.hasPrefix) else { return String(option) }
            return name + absolute(String(option.dropFirst(name.count)))
        }
        return options.joined(separator: ",")
    }

    /// A path with a colon before its first slash names a protocol: `nbd:localhost:10809`, `https://host/x.iso`.
    private func absolute(_ path: String) -> String {
        let first = path.prefix { $0 != "/" }
        return path.isEmpty || path.hasPrefix("/") || first.contains(":") ? path : "\(folder)/\(path)"
    }
}

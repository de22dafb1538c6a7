import Foundation

/// Where QEMU's arguments name files of this host, in one table for all that has to know.
///
/// libvirt starts QEMU in the root folder, so relative paths have to become absolute; and what the guest reads belongs to
/// what it is installed from.
package enum ArgumentPaths {
    private enum Role {
        /// The guest, or its firmware, reads what is there: a file, or a folder that QEMU shows it as a medium.
        case input
        /// QEMU's own, the guest's to write to, or a share of any size.
        case other
    }

    /// Switches whose whole value is a path.
    private static let switches: [String: Role] = [
        "-bios": .input, "-cdrom": .input, "-dtb": .input, "-fda": .input, "-fdb": .input, "-hda": .input,
        "-hdb": .input, "-hdc": .input, "-hdd": .input, "-initrd": .input, "-kernel": .input, "-mtdblock": .input,
        "-pflash": .input, "-sd": .input, "-shim": .input,
        "-D": .other, "-L": .other, "-mem-path": .other, "-readconfig": .input,
    ]
    /// Options whose value is a path, after the last dot of their name: `file.filename`, `virtio-net-pci.romfile`.
    private static let options: [String: Role] = [
        "dtb": .input, "file": .input, "filename": .input, "firmware": .input, "initrd": .input, "kernel": .input,
        "romfile": .input, "shim": .input, "tftp": .input,
        "dir": .other, "downscript": .other, "helper": .other, "input-path": .other, "logfile": .other,
        "mem-path": .other, "path": .other, "script": .other, "smb": .other,
    ]
    /// Switches with options; in others, such as `-append`, the same words mean something else.
    private static let optionSwitches: Set = [
        "-M", "-acpitable", "-blockdev", "-chardev", "-device", "-drive", "-fsdev", "-fw_cfg", "-global", "-machine",
        "-net", "-netdev", "-nic", "-object", "-option-rom", "-set", "-smbios", "-tpmdev", "-virtfs",
    ]
    /// Devices of characters, whose value is a kind, a colon and, for these kinds, a path.
    private static let characterSwitches: Set = ["-debugcon", "-monitor", "-parallel", "-qmp", "-serial", "-vnc"]
    private static let characterKinds = ["file:", "pipe:", "unix:"]

    /// An argument with its relative paths made absolute.
    ///
    /// - Parameter folder: What they are relative to; absolute.
    static func absolute(_ flag: String, _ value: String, in folder: String) -> String {
        mapped(flag, value) { path, _ in
            guard !path.isEmpty, !path.hasPrefix("/") else { return path }
            let absolute = "\(folder)/\(path)"
            // A file that QEMU brings along is found by its bare name.
            let isOwn = !path.contains("/") && ["-bios", "-option-rom", "-device", "-global", "-L"].contains(flag)
            return isOwn && access(absolute, F_OK) != 0 ? path : absolute
        }
    }

    /// The paths of what an argument lets the guest read, as they are written.
    ///
    /// Among them are files that QEMU brings along, and templates that are not filled in yet.
    package static func inputs(_ flag: String, _ value: String) -> [String] {
        var paths: [String] = []
        _ = mapped(flag, value) { path, role in
            if role == .input, !path.isEmpty { paths.append(path) }
            return path
        }
        return paths
    }

    private static func mapped(_ flag: String, _ value: String, _ change: (String, Role) -> String) -> String {
        if let role = switches[flag] { return changed(value, role, change) }
        if characterSwitches.contains(flag), let kind = characterKinds.first(where: value.hasPrefix) {
            var parts = split(String(value.dropFirst(kind.count)))
            parts[0] = escaped(change(unescaped(parts[0]), .other))
            return kind + parts.joined(separator: ",")
        }
        guard optionSwitches.contains(flag) else { return value }
        var parts = split(value)
        // It writes what it is given.
        let isDump = flag == "-object" && parts[0].hasSuffix("filter-dump")
        for (index, part) in parts.enumerated() {
            guard let equals = part.firstIndex(of: "=") else {
                if flag == "-option-rom", index == 0 { parts[0] = escaped(change(unescaped(part), .input)) }
                continue
            }
            let name = part[..<equals]
            guard let role = options[String(name.split(separator: ".").last ?? "")] else { continue }
            let path = unescaped(String(part[part.index(after: equals)...]))
            if name.hasSuffix("script"), path == "no" { continue }
            parts[index] = "\(name)=" + escaped(changed(path, isDump ? .other : role, change))
        }
        return parts.joined(separator: ",")
    }

    /// Changes a path, or the one within a name of QEMU's for a folder that it shows as a medium: `fat:rw:folder`.
    ///
    /// Other names with a colon before their first slash are of protocols: `nbd:localhost:10809`, `https://host/x.iso`.
    private static func changed(_ path: String, _ role: Role, _ change: (String, Role) -> String) -> String {
        if let match = path.prefixMatch(of: /file:|fat:(?:(?:12|16|32|floppy|rw):)*/) {
            return match.output + change(String(path[match.range.upperBound...]), role)
        }
        return path.prefix { $0 != "/" }.contains(":") ? path : change(path, role)
    }

    /// The parts between commas; two commas stand for one that belongs to a value.
    private static func split(_ value: String) -> [String] {
        var parts: [String] = [""]
        var isAfterComma = false
        for character in value {
            if character == ",", !isAfterComma {
                isAfterComma = true
                continue
            }
            if isAfterComma {
                if character == "," { parts[parts.count - 1] += ",," } else { parts.append(String(character)) }
                isAfterComma = false
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        if isAfterComma { parts.append("") }
        return parts
    }

    private static func unescaped(_ text: String) -> String { text.replacing(",,", with: ",") }
    private static func escaped(_ text: String) -> String { text.replacing(",", with: ",,") }
}

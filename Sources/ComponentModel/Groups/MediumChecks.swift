import GoTemplates
import Media

extension OptionReader {
    /// Checks what of a medium and its checksum lies on this host: the files exist, and the list of checksums contains the medium.
    mutating func checkMedium(_ medium: BootMedium, _ context: ComponentContext) {
        let workingDirectory = context.template.workingDirectory
        func path(_ url: String) -> String? {
            context.isOpen(url) ? nil : localPath(of: url, workingDirectory: workingDirectory)
        }
        if case .file(let list) = medium.checksum, let path = path(list) {
            requireFile(list.contains("://") ? path : list, "iso_checksum", context)
            if let url = medium.urls.first, !context.isOpen(url) { checkList(list, at: path, of: url, context) }
        }
        // It may be made before the build runs, and a build looks for it first of all.
        let missing = medium.urls.filter { url in
            path(Self.withoutChecksum(url)).map { context.files.kind(of: $0) == nil } ?? false
        }
        guard context.isValidation, !missing.isEmpty, missing.count == medium.urls.count else { return }
        for (index, url) in missing.enumerated() {
            warning(
                "missing-medium", "“\(url)” does not exist yet",
                "A build needs it. The path is relative to the working directory, \(workingDirectory).",
                at: isGiven("iso_url") ? "iso_url" : "iso_urls", element: isGiven("iso_url") ? nil : index)
        }
    }

    private mutating func checkList(
        _ list: String, at path: String, of url: String, _ context: ComponentContext
    ) {
        // A file that is missing or unreadable is reported by `requireFile`.
        guard context.files.kind(of: path) == .file, !RealFileSystem.isPassed(path),
            let bytes = try? context.files.read(path, limit: ChecksumList.largest)
        else { return }
        let entries = ChecksumList(String(decoding: bytes, as: UTF8.self))
        guard entries.checksum(ofMediumAt: url, listAt: list) == nil else { return }
        let names = entries.someNames
        error(
            "unlisted-medium", "“\(list)” has no checksum for “\(url.split(separator: "/").last ?? "")”",
            names.isEmpty ? "No line of it is a checksum." : "It contains: \(names.joined(separator: ", ")).",
            at: "iso_checksum")
    }

    /// A query such as `?checksum=…` belongs to the URL, also of a local file.
    private static func withoutChecksum(_ url: String) -> String {
        url.contains("?checksum=") ? String(url.prefix { $0 != "?" }) : url
    }

    /// Checks the files that options name as firmware.
    mutating func checkFirmware(_ firmware: MachineSettings.Firmware, _ context: ComponentContext) {
        switch firmware {
        case .bios: break
        case .file(let path, _):
            // QEMU looks for a bare name such as bios-256k.bin among its own files.
            if path.contains("/") { requireFirmware(path, "firmware", context) }
        case .efi(let code, let vars, _):
            for (name, path) in [("efi_firmware_code", code), ("efi_firmware_vars", vars)] {
                if let path { requireFirmware(path, name, context) }
            }
        }
    }

    /// Firmware comes in packages that every distribution keeps elsewhere: where one is missing says nothing against the template, and
    /// libvirt knows where this host has its own. A file that belongs to the template must exist.
    private mutating func requireFirmware(_ path: String, _ name: String, _ context: ComponentContext) {
        let isOfPackage = ["/usr/", "/opt/", "/nix/", "/run/"].contains(where: path.hasPrefix)
        let isChosen = name != "firmware"
        guard isOfPackage, isChosen || context.isValidation, context.files.kind(of: path) == nil else {
            requireFile(path, name, context)
            return
        }
        warning(
            "missing-firmware", "“\(path)”, given by \(name), does not exist on this host",
            isChosen
                ? "A build uses the firmware that libvirt finds instead."
                : "A build needs it: install the package that contains it, or name a file of this host.", at: name)
    }
}

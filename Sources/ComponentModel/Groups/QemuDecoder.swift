import BootCommand
import Scopes

/// Turns the options of a `qemu` source into a `QemuSource` with every default filled in, and says all that is wrong with them.
package struct QemuDecoder {
    package private(set) var reader: OptionReader
    private let context: ComponentContext
    private let sourceName: String

    package init(_ reader: OptionReader, sourceName: String, context: ComponentContext) {
        self.reader = reader
        self.sourceName = sourceName
        self.context = context
    }

    package mutating func decode() -> QemuSource {
        let disk = disk()
        let boot = boot()
        var source = QemuSource(
            vmName: reader.text("vm_name") ?? "packer-\(sourceName)", outputDirectory: outputDirectory(),
            input: medium(), disk: disk, machine: machine(hasBootCommand: !boot.steps.isEmpty), seeds: seeds(),
            http: http(), boot: boot, communicator: CommunicatorDecoder.decode(&reader, context),
            shutdown: ShutdownSettings(
                command: reader.text("shutdown_command"), timeout: reader.duration("shutdown_timeout") ?? .seconds(300)),
            finish: reader.decode(block: "finish") { [context] in FinishDecoder.decode(&$0, context) },
            libvirtURI: reader.text("libvirt_uri"),
            installerDialogTimeout: installerDialogTimeout(hasBootCommand: !boot.steps.isEmpty),
            checkpoint: !reader.isGiven("checkpoint") || reader.bool("checkpoint"))
        reader.checkMedium(source.input, context)
        reader.checkFirmware(source.machine.firmware, context)
        source.proxmox = ProxmoxDecoder.sourceArchive(&reader, context, source)
        return source
    }

    private mutating func outputDirectory() -> String {
        let directory = reader.text("output_directory") ?? "output-\(sourceName)"
        if !reader.isUndecided("output_directory"), !context.force, !context.isOpen(directory),
            context.exists(directory), !context.isEmptyFolder(directory)
        {
            let summary = "The output directory “\(directory)” already exists"
            let hint = "Remove it, choose another output_directory, or pass -force to build to replace it."
            // The template is fine, and after every build this would be the first thing to say about it.
            if context.isValidation {
                reader.warning("output-exists", summary, hint, at: "output_directory")
            } else {
                reader.error("output-exists", summary, hint, at: "output_directory")
            }
        }
        return directory
    }

    private mutating func medium() -> BootMedium {
        var urls: [String] = []
        let single = reader.text("iso_url")
        let hasSingle = single != nil || reader.isUndecided("iso_url")
        let several = reader.strings("iso_urls")
        let hasSeveral = !several.isEmpty || reader.isUndecided("iso_urls")
        if hasSingle, hasSeveral {
            reader.exclude("iso_url", "iso_urls")
        } else if !hasSingle, !hasSeveral {
            reader.missing(
                "iso_url", "Give the installer or disk image by iso_url, or several places of it by iso_urls.")
        }
        urls = single.map { [$0] } ?? several
        return BootMedium(
            urls: urls, checksum: checksum(), isDiskImage: reader.bool("disk_image"),
            targetPath: reader.text("iso_target_path"),
            targetExtension: (reader.text("iso_target_extension") ?? "iso").lowercased())
    }

    private mutating func checksum() -> ChecksumSource {
        // The ISO is downloaded all the same, but such a template has no checksum.
        if reader.bool("iso_skip_cache") || reader.isUndecided("iso_checksum") { return .none }
        guard let text = reader.text("iso_checksum") else {
            // An old spelling was already complained about.
            let old = ["iso_checksum_type", "iso_checksum_url", "iso_md5"]
            if !old.contains(where: reader.isUndecided) {
                reader.missing(
                    "iso_checksum", "Write iso_checksum = \"sha256:…\", \"file:URL\" of a checksum file, or \"none\".")
            }
            return .none
        }
        do throws(ChecksumSource.Problem) {
            let checksum = try ChecksumSource(parsing: text)
            if checksum == .none {
                reader.warning(
                    "no-checksum", "The image is not checked",
                    "With iso_checksum = \"none\" a broken or changed download goes unnoticed.", at: "iso_checksum")
            }
            return checksum
        } catch {
            if !context.isOpen(text) {
                reader.error(
                    "invalid-checksum", "“\(text)” is not a checksum", Self.sentence(error.message), at: "iso_checksum")
            }
            return .none
        }
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    private mutating func disk() -> DiskSettings {
        let output = reader.choice("format")
        let format = output.flatMap(DiskSettings.Format.init) ?? .qcow2
        let isArchived = output == "proxmox"
        let isImage = reader.bool("disk_image")
        let hasBacking = reader.bool("use_backing_file")
        if hasBacking, !isImage || format != .qcow2 {
            reader.error(
                "invalid-backing-file", "use_backing_file needs disk_image = true and format = \"qcow2\"", "",
                at: "use_backing_file")
        }
        if reader.bool("skip_resize_disk"), !isImage {
            reader.error("invalid-skip-resize", "skip_resize_disk needs disk_image = true", "", at: "skip_resize_disk")
        }
        let images = reader.block("qemu_img_args")
        let (size, isGiven) = mainSize()
        return DiskSettings(
            format: format, size: size, sizeIsGiven: isGiven, additionalSizes: additionalSizes(),
            interface: reader.choice("disk_interface").flatMap(DiskSettings.Interface.init) ?? .virtio,
            cache: reader.choice("disk_cache"),
            discard: reader.choice("disk_discard") ?? "ignore",
            detectZeroes: reader.choice("disk_detect_zeroes") ?? "off",
            usesBackingFile: hasBacking, skipsResize: reader.bool("skip_resize_disk"),
            skipsCompaction: reader.bool("skip_compaction") || format == .raw || hasBacking || isArchived,
            compresses: reader.bool("disk_compression") && format != .raw && !isArchived,
            cdromInterface: reader.text("cdrom_interface") ?? "", createArguments: images?.strings("create") ?? [],
            convertArguments: images?.strings("convert") ?? [], resizeArguments: images?.strings("resize") ?? [])
    }

    private mutating func mainSize() -> (Int64, isGiven: Bool) {
        let usual: Int64 = 40960 << 20
        guard let text = reader.text("disk_size"), text != "0" else { return (usual, false) }
        guard let size = parseDiskSize(text) else {
            if !context.isOpen(text) {
                reader.error(
                    "invalid-size", "“\(text)” is not a disk size",
                    ValueHints.size(text).map { "Write \"\($0)\"." }
                        ?? "Write a whole number and at most one letter of b, k, m, g, t, such as \"20G\"; without a letter it counts MiB.",
                    at: "disk_size")
            }
            return (usual, true)
        }
        return size == 0 ? (usual, false) : (size, true)
    }

    private mutating func additionalSizes() -> [Int64] {
        reader.strings("disk_additional_size").enumerated().compactMap { index, text in
            if let size = parseImageSize(text) { return size }
            if !context.isOpen(text) {
                reader.error(
                    "invalid-size", "“\(text)” is not a disk size",
                    ValueHints.size(text).map { "Write \"\($0)\"." }
                        ?? "Write a number and a letter, such as \"10G\"; without a letter it counts bytes.",
                    at: "disk_additional_size", element: index)
            }
            return nil
        }
    }

    private mutating func machine(hasBootCommand: Bool) -> MachineSettings {
        for name in ["cpus", "sockets", "cores", "threads"] {
            if let count = reader.int(name), count < 0 || count > 4096 {
                reader.error("invalid-value", "\(name) must lie between 0 and 4096", "", at: name)
            }
        }
        let topology = ["sockets", "cores", "threads"].map { min(max(reader.int($0) ?? 0, 0), 4096) }
        let memory = reader.int("memory") ?? 512
        if memory < 10, memory != 0, reader.isGiven("memory") {
            reader.warning(
                "small-memory", "\(memory) MiB of memory are too few",
                "memory counts MiB: write 2048 for 2 GiB. As Packer does, the machine gets 512 MiB.", at: "memory")
        }
        return MachineSettings(
            accelerator: reader.choice("accelerator"), machineType: reader.text("machine_type") ?? "pc",
            cpuModel: reader.text("cpu_model"), cpus: min(max(reader.int("cpus") ?? 0, 0), 4096), sockets: topology[0],
            cores: topology[1], threads: topology[2], memory: memory < 10 ? 512 : memory,
            netDevice: reader.text("net_device") ?? "virtio-net", netBridge: reader.text("net_bridge"),
            vga: reader.text("vga"), headless: reader.bool("headless"), display: reader.string("display") ?? "",
            usesDefaultDisplay: reader.bool("use_default_display"),
            binary: reader.text("qemu_binary") ?? "qemu-system-x86_64", firmware: firmware(), tpm: tpm(),
            vnc: vnc(hasBootCommand: hasBootCommand), qemuArguments: qemuArguments())
    }

    private func firmware() -> MachineSettings.Firmware {
        let code = reader.text("efi_firmware_code")
        let vars = reader.text("efi_firmware_vars")
        if reader.bool("efi_boot") || code != nil || vars != nil {
            return .efi(code: code, vars: vars, dropsVars: reader.bool("efi_drop_efivars"))
        }
        if let file = reader.text("firmware") { return .file(file, isFlash: reader.bool("use_pflash")) }
        return .bios
    }

    private func tpm() -> MachineSettings.TPM? {
        guard reader.bool("vtpm") else { return nil }
        return MachineSettings.TPM(
            version: reader.bool("use_tpm1") ? "1.2" : "2.0", deviceType: reader.text("tpm_device_type") ?? "tpm-tis")
    }

    private mutating func vnc(hasBootCommand: Bool) -> MachineSettings.VNCSettings {
        let isDisabled = reader.bool("disable_vnc")
        if isDisabled, hasBootCommand {
            reader.error(
                "boot-command-without-vnc", "A boot command cannot be typed with disable_vnc = true",
                "Remove one of the two.", at: "disable_vnc")
        }
        // Ports ask for TCP as much as an address does.
        let wantsTCP = ["vnc_bind_address", "vnc_port_min", "vnc_port_max"].contains(where: reader.isGiven)
        let ports = reader.ports("vnc_port_min", "vnc_port_max", 5900..<6000, least: 5900)
        return MachineSettings.VNCSettings(
            isDisabled: isDisabled,
            bindAddress: reader.text("vnc_bind_address") ?? (wantsTCP ? "127.0.0.1" : nil), ports: ports,
            usesPassword: reader.bool("vnc_use_password"),
            password: reader.text("vnc_password").map { Sensitive($0) })
    }

    private mutating func qemuArguments() -> [(flag: String, value: String)] {
        reader.rows("qemuargs").compactMap { row in
            guard let flag = row.first, !flag.isEmpty else {
                reader.error(
                    "invalid-qemuargs", "A row of qemuargs does not name an option",
                    "Write rows like [\"-m\", \"2048\"].",
                    at: "qemuargs")
                return nil
            }
            return (flag, row.dropFirst().joined())
        }
    }

    private mutating func seeds() -> SeedSettings {
        for name in ["cd_files", "floppy_files", "floppy_dirs"] {
            for (index, path) in reader.strings(name).enumerated()
            where !path.contains(where: { "*?[".contains($0) }) {
                reader.requireFile(path, name, context, allowsFolder: true, element: index)
            }
        }
        return SeedSettings(
            cdFiles: reader.strings("cd_files"), cdContent: reader.map("cd_content"),
            cdLabel: reader.text("cd_label") ?? "packer", floppyFiles: reader.strings("floppy_files"),
            floppyDirectories: reader.strings("floppy_dirs"), floppyContent: reader.map("floppy_content"),
            floppyLabel: reader.text("floppy_label") ?? "packer")
    }

    private mutating func http() -> HTTPSettings {
        let directory = reader.text("http_directory")
        let content = reader.map("http_content")
        if directory != nil, !content.isEmpty { reader.exclude("http_directory", "http_content") }
        reader.exclude("http_bind_address", "http_interface")
        if let path = content.keys.sorted().first(where: { !$0.hasPrefix("/") }) {
            reader.error(
                "invalid-http-path", "The path “\(path)” of http_content must begin with a slash",
                "Write \"/\(path)\".", at: "http_content")
        }
        if let directory, !context.isOpen(directory), !context.exists(directory) {
            reader.warning(
                "missing-http-directory", "http_directory “\(directory)” does not exist yet",
                "It must exist when the build runs. The path is relative to the working directory.",
                at: "http_directory")
        }
        return HTTPSettings(
            directory: directory, content: content, ports: reader.ports("http_port_min", "http_port_max", 8000..<9000),
            bindAddress: reader.text("http_bind_address"), interface: reader.text("http_interface"))
    }

    private mutating func installerDialogTimeout(hasBootCommand: Bool) -> Duration? {
        // Without a boot command a person may be installing over VNC, who takes their time.
        let timeout = reader.duration("installer_dialog_timeout") ?? (hasBootCommand ? .seconds(180) : .zero)
        return timeout > .zero ? timeout : nil
    }

    private mutating func boot() -> BootSettings {
        let wait = reader.duration("boot_wait") ?? .zero
        var interval = reader.duration("boot_key_interval")
        if interval == nil, let text = context.environment["PACKER_KEY_INTERVAL"] { interval = parseGoDuration(text) }
        if let given = interval, given < .zero { interval = .zero }
        reader.exclude("boot_command", "boot_steps")
        var steps: [(command: String, description: String?)] = []
        let parts = reader.strings("boot_command")
        let command = parts.joined()
        if !command.isEmpty {
            steps = [(command, nil)]
            reader.checkBootCommand(parts, "boot_command")
        }
        for (index, row) in reader.rows("boot_steps").enumerated() {
            guard let command = row.first, row.count <= 2 else {
                reader.error(
                    "invalid-boot-steps", "A row of boot_steps is not [command, description]",
                    "It has \(row.count) elements. Join the pieces of one command in one text.", at: "boot_steps",
                    element: index)
                continue
            }
            steps.append((command, row.count == 2 ? row[1] : nil))
            reader.checkBootCommand([command], "boot_steps", row: index)
        }
        // Zero means the default, a negative time none.
        return BootSettings(
            wait: wait < .zero ? nil : wait == .zero ? .seconds(10) : wait, steps: steps, keyInterval: interval)
    }
}

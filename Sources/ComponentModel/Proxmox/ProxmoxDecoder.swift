import ProxmoxConfiguration
import Scopes

/// Turns the options of a machine of Proxmox VE into its configuration. What is not written follows the machine that was
/// built: the same buses and firmware, so that what booted there boots again.
struct ProxmoxDecoder {
    var reader: OptionReader
    let context: ComponentContext
    let source: QemuSource
    let isArchive: Bool
    var settings: ProxmoxMachineSettings

    private init(_ reader: OptionReader, _ context: ComponentContext, _ source: QemuSource, isArchive: Bool) {
        self.reader = reader
        self.context = context
        self.source = source
        self.isArchive = isArchive
        let name = reader.text("template_name") ?? Self.usualName(source.vmName)
        settings = ProxmoxMachineSettings(
            machine: MachineConfiguration(name: name, storage: reader.text("storage_pool") ?? "local-lvm"))
    }

    /// The name of the machine, which may be that of its image file.
    private static func usualName(_ vmName: String) -> String {
        let ending = [".qcow2", ".raw", ".img"].first(where: vmName.hasSuffix) ?? ""
        return DNSName.made(from: String(vmName.dropLast(ending.count)))
    }

    // MARK: The components

    /// `format = "proxmox"` of a source.
    static func sourceArchive(
        _ reader: inout OptionReader, _ context: ComponentContext, _ source: QemuSource
    ) -> ProxmoxArchiveSettings? {
        let isWanted = reader.text("format") == "proxmox"
        if !isWanted, reader.isGiven("proxmox"), !reader.isUndecided("format") {
            reader.error(
                "unused-block", "The block proxmox has no effect here",
                "Write format = \"proxmox\" to get a backup archive of Proxmox VE as the image.", at: "proxmox")
        }
        guard isWanted else { return nil }
        if reader.blocks("proxmox").count > 1 {
            reader.error("duplicate-block", "There is more than one block proxmox", "Make them one.", at: "proxmox")
        }
        let made = reader.inBlocks("proxmox") { block, _ in archive(&block, context, source) }
        if let first = made.first { return first }
        guard !reader.isUndecided("proxmox") else { return nil }
        var defaults = OptionReader(
            OptionBody(header: reader.range("format")), ProxmoxArchiveSettings.options, component: reader.component,
            context: context.template)
        let settings = archive(&defaults, context, source)
        reader.absorb(defaults.diagnostics)
        return settings
    }

    /// `proxmox-template`.
    static func archive(_ reader: inout OptionReader, _ context: ComponentContext) -> ProxmoxArchiveSettings? {
        guard let source = context.source, hasImages(source, &reader) else { return nil }
        return archive(&reader, context, source)
    }

    private static func archive(
        _ reader: inout OptionReader, _ context: ComponentContext, _ source: QemuSource
    ) -> ProxmoxArchiveSettings {
        let level = reader.int("compression_level") ?? 3
        if !(1...22).contains(level) {
            reader.error(
                "invalid-value", "compression_level is out of range", "It must lie between 1 and 22.",
                at: "compression_level")
        }
        return ProxmoxArchiveSettings(
            machine: machine(&reader, context, source, isArchive: true), output: reader.text("output"),
            level: min(max(level, 1), 22))
    }

    /// Whether the build leaves images that can be made a template.
    static func hasImages(_ source: QemuSource, _ reader: inout OptionReader) -> Bool {
        guard source.proxmox != nil else { return true }
        reader.error(
            "no-images", "\(reader.component) needs disk images, and the source makes an archive",
            "Write format = \"qcow2\" in the source; or leave the post-processor out, as the archive is a template "
                + "already.")
        return false
    }

    static func machine(
        _ reader: inout OptionReader, _ context: ComponentContext, _ source: QemuSource, isArchive: Bool
    ) -> ProxmoxMachineSettings {
        var decoder = ProxmoxDecoder(reader, context, source, isArchive: isArchive)
        decoder.decode()
        reader = decoder.reader
        return decoder.settings
    }

    // MARK: The machine

    private mutating func decode() {
        identity()
        hardware()
        disks()
        firmware()
        networks()
        cloudInit()
        bootOrder()
        settings.machine.otherOptions = reader.map("additional_options")
        refuseProblems()
    }

    private mutating func identity() {
        let number = reader.int("vm_id").flatMap { $0 == 0 ? nil : $0 }
        settings.machine.vmid = number ?? (isArchive ? ProxmoxMachineSettings.usualNumber : nil)
        settings.machine.description = reader.string("template_description") ?? ""
        settings.machine.tags = (reader.text("tags") ?? "").split { ";, ".contains($0) }.map(String.init)
        settings.machine.pool = reader.text("pool")
        settings.machine.startsOnBoot = reader.bool("onboot")
    }

    private mutating func hardware() {
        let given = source.machine
        let sockets = reader.int("sockets") ?? max(1, given.sockets)
        let threads = max(1, given.sockets) * max(1, given.cores) * max(1, given.threads)
        let count = given.cpus > 0 ? given.cpus : threads
        settings.machine.sockets = sockets
        settings.machine.cores = reader.int("cores") ?? max(1, count / max(1, sockets))
        settings.machine.memory = reader.int("memory") ?? given.memory
        settings.machine.balloon = reader.int("ballooning_minimum")
        settings.machine.hasNUMA = reader.bool("numa")
        settings.machine.usesKVM = !reader.bool("disable_kvm")
        // What distributions of these years are compiled for, and what the server's own dialogue chooses.
        settings.machine.cpu = reader.text("cpu_type") ?? "x86-64-v2-AES"
        settings.machine.osType = reader.choice("os").flatMap(MachineConfiguration.OSType.init) ?? .linux
        settings.machine.machine = reader.text("machine") ?? (given.machineType.contains("q35") ? "q35" : nil)
        settings.machine.serials = reader.strings("serials")
        if !reader.isUndecided("qemu_agent") {
            let isEnabled = !reader.isGiven("qemu_agent") || reader.bool("qemu_agent")
            settings.machine.agent = MachineConfiguration.GuestAgent(isEnabled: isEnabled)
        }
        settings.machine.vga = reader.block("vga").map {
            MachineConfiguration.VGA(type: $0.text("type") ?? "std", memory: $0.int("memory"))
        }
        settings.machine.rng = reader.block("rng0").map {
            MachineConfiguration.RandomSource(
                source: $0.text("source") ?? "/dev/urandom", maxBytes: $0.int("max_bytes"), period: $0.int("period"))
        }
    }

    private mutating func disks() {
        let usual = source.disk.interface.proxmox
        settings.machine.scsiController =
            reader.choice("scsi_controller").flatMap(MachineConfiguration.SCSIController.init)
            ?? (source.disk.interface == .scsi ? .lsi : .virtioSingle)
        let controller = settings.machine.scsiController
        let count = 1 + source.disk.additionalSizes.count
        let blocks = reader.blocks("disks")
        if blocks.count > count {
            reader.error(
                "too-many-disks",
                "There are \(blocks.count) blocks disks, and the machine has \(count) "
                    + (count == 1 ? "disk" : "disks"),
                "Each block is for one disk of the source, in order; disk_additional_size of the source adds disks.",
                at: "disks")
        }
        var next: [DriveSlot.Bus: Int] = [:]
        var made = reader.inBlocks("disks") { [context, isArchive] block, _ in
            Self.disk(&block, context, usual: usual, controller, isArchive: isArchive, &next)
        }
        while made.count < count {
            var disk = MachineConfiguration.Disk(slot: DriveSlot(bus: usual, index: next[usual, default: 0]))
            next[usual, default: 0] += 1
            disk.discards = true
            disk.hasIOThread = usual == .virtio || usual == .scsi && controller == .virtioSingle
            made.append((disk, nil))
        }
        settings.machine.disks = made.prefix(count).map(\.0)
        for case let (disk, size?) in made.prefix(count) { settings.grownSizes[disk.slot] = size }
    }

    private static func disk(
        _ reader: inout OptionReader, _ context: ComponentContext, usual: DriveSlot.Bus,
        _ controller: MachineConfiguration.SCSIController, isArchive: Bool, _ next: inout [DriveSlot.Bus: Int]
    ) -> (MachineConfiguration.Disk, Int64?) {
        let bus = reader.choice("type").flatMap(DriveSlot.Bus.init) ?? usual
        var disk = MachineConfiguration.Disk(
            slot: DriveSlot(bus: bus, index: next[bus, default: 0]), storage: reader.text("storage_pool"),
            format: reader.choice("format").flatMap(MachineConfiguration.DiskFormat.init))
        next[bus, default: 0] += 1
        disk.cache = reader.choice("cache_mode").flatMap(MachineConfiguration.Disk.Cache.init)
        disk.aio = reader.choice("asyncio").flatMap(MachineConfiguration.Disk.AIO.init)
        disk.discards = !reader.isGiven("discard") || reader.bool("discard")
        disk.isSSD = reader.bool("ssd")
        disk.hasIOThread =
            reader.isGiven("io_thread")
            ? reader.bool("io_thread") : bus == .virtio || bus == .scsi && controller == .virtioSingle
        disk.isBackedUp = !reader.bool("exclude_from_backup")
        guard let text = reader.text("disk_size"), !context.isOpen(text) else { return (disk, nil) }
        guard let size = parseDiskSize(text), size > 0 else {
            reader.error(
                "invalid-size", "“\(text)” is not a disk size",
                ValueHints.size(text).map { "Write \"\($0)\"." } ?? "Write it like \"20G\".", at: "disk_size")
            return (disk, nil)
        }
        if isArchive {
            reader.warning(
                "option-not-acted-on", "disk_size has no effect on an archive",
                "The disk has the size that it was built with; `qm disk resize` makes it larger on the server.",
                at: "disk_size")
        }
        return (disk, isArchive ? nil : size)
    }

    private mutating func networks() {
        let device = source.machine.netDevice
        let usual =
            device.hasPrefix("virtio") ? .virtio : MachineConfiguration.NetworkAdapter.Model(rawValue: device) ?? .e1000
        settings.machine.networks = reader.inBlocks("network_adapters") { block, _ in
            var adapter = MachineConfiguration.NetworkAdapter(
                model: block.choice("model").flatMap(MachineConfiguration.NetworkAdapter.Model.init) ?? usual,
                bridge: block.text("bridge") ?? "vmbr0", macAddress: block.text("mac_address"))
            adapter.vlan = block.int("vlan_tag")
            adapter.mtu = block.int("mtu")
            adapter.queues = block.int("packet_queues")
            adapter.hasFirewall = block.bool("firewall")
            return adapter
        }
        if settings.machine.networks.isEmpty {
            settings.machine.networks = [MachineConfiguration.NetworkAdapter(model: usual, bridge: "vmbr0")]
        }
    }

    private mutating func bootOrder() {
        guard let text = reader.text("boot") else {
            settings.machine.bootOrder = settings.machine.disks.prefix(1).map { "\($0.slot)" }
            return
        }
        let order = text.hasPrefix("order=") ? text.dropFirst("order=".count) : text[...]
        settings.machine.bootOrder = order.split { ";, ".contains($0) }.map(String.init)
    }
}

extension DiskSettings.Interface {
    /// The bus that the guest finds its disks on again.
    fileprivate var proxmox: DriveSlot.Bus {
        switch self {
        case .virtio: .virtio
        case .ide: .ide
        case .sata, .sd: .sata
        case .scsi, .virtioSCSI: .scsi
        }
    }
}
